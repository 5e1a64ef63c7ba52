"""A JSON file cut into stretches of objects, before anything in them is read.

A document is cut where what is left of it, a mark in the place of each object, is JSON; where it is
none, or has anything strange in it, its records are read one by one.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from flows.errors import FileRefused
from flows.reading.json_records import (
    DECODER,
    DEEPEST,
    LONGEST_LINE,
    JsonRecord,
    decoded,
    expanded,
    is_by_line,
    read_whole,
    record_of_entry,
    records_of_document,
    text_of_document,
)
from flows.reading.json_shapes import MARK, PLACE, Shape, Stretch, between, quotes_of

STRETCH_BYTES = 8 << 20
BRACKETS = np.zeros(256, dtype=np.int8)
BRACKETS[[ord("{"), ord("[")]] = 1
BRACKETS[[ord("}"), ord("]")]] = -1


def stretches(source: Path) -> Iterator[Stretch | Iterable[JsonRecord]]:
    """The objects of a file in file order; blank lines are among them.

    Raises:
        FileRefused: where the file is empty, is not UTF-8, or is neither a document nor lines.
    """
    if is_by_line(source):
        yield from _of_lines(source)
        return
    text = text_of_document(source)
    found = _of_document(text.encode("utf-8"))
    yield from found or [records_of_document(text)]


def read_records(source: Path) -> Iterator[JsonRecord]:
    """Every record of a file, in file order.

    Raises:
        FileRefused: as `stretches` does.
    """
    for part in stretches(source):
        if isinstance(part, Stretch):
            for row, line in enumerate(part.lines.tolist()):
                yield from records_of(part, part.text(row), line)
        else:
            yield from part


def records_of(stretch: Stretch, text: str, line: int) -> list[JsonRecord]:
    """The records that a text of a stretch is: none where it is blank, several where it is a bundle.

    Raises:
        FileRefused: where it is part of a document and cannot be read.
    """
    if stretch.kind == "line":
        text = text.strip()
        return list(expanded(decoded(text), line)) if text else []
    value = read_whole(text, line)
    return [record_of_entry(value, line) if stretch.kind == "entry" else JsonRecord(line, value)]


def record_of_shape(stretch: Stretch, shape: Shape) -> JsonRecord | None:
    """What all of a shape are, with marks as values; None where each is to be read by itself."""
    try:
        found = records_of(stretch, shape.text, int(stretch.lines[shape.rows[0]]))
    except FileRefused:
        return None
    return found[0] if len(found) == 1 and found[0].content is not None else None


def _of_lines(source: Path) -> Iterator[Stretch]:
    number, offset = 1, 0
    with source.open("rb") as raw:
        while data := raw.read(STRETCH_BYTES):
            data += raw.readline(LONGEST_LINE + 1)
            ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
            if not data.endswith(b"\n"):
                ends = np.append(ends, len(data))
            starts = np.concatenate(([0], ends[:-1]))
            lines = number + np.arange(len(starts))
            too_long = np.flatnonzero(ends - starts > LONGEST_LINE)
            decodable = data[: starts[too_long[0]]] if len(too_long) else data
            _refuse_undecodable(decodable, offset, number)
            if len(too_long):
                line = int(lines[too_long[0]])
                raise FileRefused("cell-too-large", line=line, highest=LONGEST_LINE >> 20)
            if offset == 0 and data.startswith(codecs.BOM_UTF8):
                starts[0] = len(codecs.BOM_UTF8)
            yield Stretch(data, starts, ends, lines)
            number, offset = number + len(starts), offset + len(data)


def _refuse_undecodable(data: bytes, offset: int, first_line: int) -> None:
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        at = offset + error.start
        raise FileRefused("encoding", line, offset=at, encoding="utf-8") from None


def _of_document(data: bytes) -> list[Stretch] | None:
    """The elements of the array that a document is, or the entries of the bundle."""
    found = _objects(data)
    if found is None:
        return None
    starts, ends = found
    rest = np.frombuffer(data, dtype=np.uint8).copy()
    rest[starts] = PLACE
    outer = rest[~between(starts + 1, ends, len(rest))].tobytes().decode("utf-8")
    try:
        whole = DECODER.decode(outer.replace(chr(PLACE), f'"{MARK}"'))
    except (ValueError, RecursionError):
        return None
    before, kind = 0, "element"
    if isinstance(whole, dict):
        if whole.get("resourceType") != "Bundle":
            return None
        members = list(whole)
        ahead = members[: members.index("entry")] if "entry" in whole else members
        before, kind = _marks([whole[name] for name in ahead]), "entry"
        whole = whole.get("entry")
    if not isinstance(whole, list) or any(part != MARK for part in whole):
        return None
    own = slice(before, before + len(whole))
    others = [*range(before), *range(own.stop, len(starts))]
    if any(decoded(data[starts[n] : ends[n]].decode("utf-8")) is None for n in others):
        return None
    return _in_stretches(data, starts[own], ends[own], kind)


def _objects(data: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the objects begin and end that may be a document's records; None where that is unclear."""
    array = np.frombuffer(data + b"\n", dtype=np.uint8)
    quotes = quotes_of(array)
    if len(quotes) % 2 or bytes([PLACE]) in data or MARK.encode("utf-8") in data:
        return None
    inside = between(quotes[0::2] + 1, quotes[1::2], len(array))
    steps = BRACKETS[array]
    at = np.flatnonzero((steps != 0) & ~inside)
    depth = np.cumsum(steps[at], dtype=np.int64)
    if not len(at) or depth.min() < 0 or depth[-1] != 0 or depth.max() >= DEEPEST:
        return None
    level = 2 if array[at[0]] == ord("[") else 3
    starts = at[(array[at] == ord("{")) & (depth == level)]
    ends = at[(array[at] == ord("}")) & (depth == level - 1)] + 1
    fits = len(starts) == len(ends) > 0
    if not fits or (starts >= ends).any() or (ends[:-1] > starts[1:]).any():
        return None
    return starts, ends


def _marks(value: object) -> int:
    return json.dumps(value, ensure_ascii=False).count(MARK)


def _in_stretches(data: bytes, starts: np.ndarray, ends: np.ndarray, kind: str) -> list[Stretch]:
    breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    lines = np.searchsorted(breaks, starts) + 1
    cuts = np.searchsorted(starts, np.arange(starts[0], ends[-1], STRETCH_BYTES))
    bounds = np.unique(np.append(cuts, len(starts)))
    found = []
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        at = int(starts[first])
        own = data[at : ends[last - 1]]
        found.append(
            Stretch(own, starts[first:last] - at, ends[first:last] - at, lines[first:last], kind)
        )
    return found
