"""Objects of a JSON file that are built alike: only their values differ.

What is said of one of them, with a mark in the place of every value, is said of all, and values are
taken out column by column. Only what is certain is grouped: an object whose text has anything strange
in it is odd, and is to be read by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

# Names whose values say what an object is, and so belong to how it is built.
BUILT_BY = (b"resourceType", b"linkId", b"system", b"url")
# Below so many alike, each by itself is quicker.
FEWEST = 64
MARK = "\ue000"
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffd]")
# A mark would be mistaken for one that is set; the other is what damaged text becomes.
STRANGE = (MARK.encode("utf-8"), "\ufffd".encode("utf-8"))
# With an exponent it is odd.
NUMBER = r"^-?(0|[1-9][0-9]*)([.][0-9]+)?$"
EIGHT_ZEROS = np.zeros(8, dtype=np.uint8)
# Stands for a value in what is compared; no text that is grouped has it.
PLACE = 1


@dataclass(frozen=True)
class Stretch:
    """Some objects of a file, one after another.

    Attributes:
        data: their text as UTF-8, with what is between them.
        starts: where each begins in `data`.
        ends: where each has ended.
        lines: physical line on which each begins.
        kind: each is a line, an element of an array, or an entry of a bundle.
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    kind: str = "line"

    def text(self, row: int) -> str:
        """One object as it is written."""
        return self.data[self.starts[row] : self.ends[row]].decode("utf-8")


@dataclass(frozen=True)
class _Values:
    """Strings (without their quotes) and numbers that are values, in the order of the text.

    An empty string is none: where there is nothing belongs to how an object is built.
    """

    starts: np.ndarray
    ends: np.ndarray
    numbers: np.ndarray

    def texts(self, data: np.ndarray, which: np.ndarray) -> pl.Series:
        """Some of them as they are written."""
        starts, sizes = self.starts[which], self.ends[which] - self.starts[which]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        at = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], sizes)
        parts = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data[at])]
        return pl.Series(pa.Array.from_buffers(pa.large_string(), len(sizes), parts))


@dataclass(frozen=True)
class Shape:
    """Objects of a stretch that are built alike.

    Attributes:
        rows: which of the stretch, in order.
        text: any of them, with a mark in the place of each value.
    """

    rows: np.ndarray
    text: str
    _data: np.ndarray
    _values: _Values
    _first: np.ndarray
    _written: dict[str, str]

    def column(self, text: str) -> pl.Series:
        """What stands at a mark in each object; a text that is no mark, as often."""
        if not text.startswith(MARK):
            return pl.repeat(text, len(self.rows), dtype=pl.String, eager=True)
        found = self._values.texts(self._data, self._first + int(text[1:]))
        return found.replace(self._written) if self._written else found

    def mapped(self, marks: Sequence[str], work: Callable[[dict[str, str]], str]) -> pl.Series:
        """A text for each object that depends on what stands at some marks.

        Args:
            marks: all that it depends on.
            work: the text, or a mark of what it is, given the text at each mark; asked once for each
                combination.
        """
        frame = pl.DataFrame({mark: self.column(mark) for mark in marks})
        kinds = frame.unique(maintain_order=True) if marks else pl.DataFrame({"": [""]})
        told = [work(dict(zip(marks, kind, strict=False))) for kind in kinds.iter_rows()]
        if not marks:
            return self.column(told[0])
        kinds = kinds.with_columns(pl.Series("told", told, dtype=pl.String))
        column = frame.join(kinds, on=list(marks), how="left", maintain_order="left")["told"]
        for mark in {text for text in told if text.startswith(MARK)}:
            column = self.column(mark).zip_with(column == mark, column)
        return column


def shapes(stretch: Stretch) -> tuple[list[Shape], np.ndarray]:
    """The objects of a stretch by how they are built, and those to be read each by itself."""
    data = np.frombuffer(stretch.data + b"\n", dtype=np.uint8)
    odd = data[stretch.starts] != ord("{")
    opens, closes = _strings(stretch, data, odd)
    inside = between(opens + 1, closes, len(data))
    low = np.flatnonzero(data < ord(" "))
    blank = ((data[low] == 10) | (data[low] == 13) | (data[low] == 9)) & ~inside[low]
    _mark(stretch, odd, low[~blank])
    if not stretch.data.isascii():
        for sign in STRANGE:
            _mark(stretch, odd, [found.start() for found in re.finditer(sign, stretch.data)])
    values = _find_values(data, opens, closes, inside)
    written = _refuse_strange(stretch, data, values, odd)
    first = np.searchsorted(values.starts, stretch.starts)
    found = []
    kinds = _kinds(stretch, data, values, first)
    order = np.argsort(kinds, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1):
        same = rows[~odd[rows]]
        if len(same) >= FEWEST:
            text = _marked(stretch, values, int(same[0]), int(first[same[0]]))
            found.append(Shape(same, text, data, values, first[same], written))
        else:
            odd[same] = True
    return found, np.flatnonzero(odd)


def _mark(stretch: Stretch, odd: np.ndarray, at: Sequence[int] | np.ndarray) -> None:
    """Call the objects odd in which some bytes are."""
    if len(at):
        odd[np.maximum(np.searchsorted(stretch.starts, at, side="right") - 1, 0)] = True


def _strings(stretch: Stretch, data: np.ndarray, odd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The quotes that open and close strings; an object with a quote too many is odd and has none."""
    quotes = quotes_of(data)
    counts = np.diff(np.append(np.searchsorted(quotes, stretch.starts), len(quotes)))
    unpaired = counts % 2 == 1
    if unpaired.any():
        odd |= unpaired
        quotes = quotes[~np.repeat(unpaired, counts)]
    return quotes[0::2], quotes[1::2]


def quotes_of(data: np.ndarray) -> np.ndarray:
    """Where quotes stand that begin or end a string; the last sign of `data` is none of its text."""
    quotes = np.flatnonzero(data == ord('"'))
    return quotes[~_escaped(data)[quotes]] if (data == ord("\\")).any() else quotes


def _escaped(data: np.ndarray) -> np.ndarray:
    """True for what stands behind a backslash that is not escaped itself."""
    at = np.flatnonzero(data == ord("\\"))
    begins = np.concatenate(([True], np.diff(at) != 1))
    of_run = np.arange(len(at)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    escaped = np.zeros(len(data), dtype=bool)
    escaped[at[of_run % 2 == 0] + 1] = True
    return escaped


def between(starts: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    """True from each start to before its end; spans do not overlap."""
    step = np.zeros(size, dtype=np.int8)
    step[starts] = 1
    step[ends] -= 1
    return np.cumsum(step, dtype=np.int8).view(bool)


def _find_values(
    data: np.ndarray, opens: np.ndarray, closes: np.ndarray, inside: np.ndarray
) -> _Values:
    follows = data[closes + 1]
    if (spaced := follows <= ord(" ")).any():
        solid = np.append(np.flatnonzero(data > ord(" ")), len(data) - 1)
        follows[spaced] = data[solid[np.searchsorted(solid, closes[spaced]) + 1]]
    is_name = follows == ord(":")
    builds = _builds(data, opens, is_name)
    is_value = ~is_name & (closes - opens > 1)
    is_value[1:] &= ~builds[:-1]
    starts, ends = _numbers(data, inside)
    if len(builds):
        before = np.searchsorted(opens, starts) - 1
        kept = ~builds[before] | (before < 0)
        starts, ends = starts[kept], ends[kept]
    strings, after = opens[is_value] + 1, closes[is_value]
    numbers = np.zeros(len(strings) + len(starts), dtype=bool)
    numbers[np.searchsorted(strings, starts) + np.arange(len(starts))] = True
    merged = np.empty((2, len(numbers)), dtype=np.int64)
    merged[:, numbers] = starts, ends
    merged[:, ~numbers] = strings, after
    return _Values(merged[0], merged[1], numbers)


def _numbers(data: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where numbers begin and end, as far as digits, signs and points go."""
    signs = np.flatnonzero((data - ord("+") <= ord("9") - ord("+")) & (data != ord(",")) & ~inside)
    if not len(signs):
        return signs, signs
    breaks = np.flatnonzero(np.diff(signs) > 1)
    return signs[np.append(0, breaks + 1)], signs[np.append(breaks, len(signs) - 1)] + 1


def _builds(data: np.ndarray, opens: np.ndarray, is_name: np.ndarray) -> np.ndarray:
    """True for the names in `BUILT_BY`: by their first eight bytes at once, then by the others."""
    eight = np.lib.stride_tricks.sliding_window_view(np.append(data, EIGHT_ZEROS), 8)
    names = np.flatnonzero(is_name)
    begin = np.ascontiguousarray(eight[opens[names] + 1]).view(np.uint64)[:, 0]
    builds = np.zeros(len(opens), dtype=bool)
    for name in BUILT_BY:
        word = np.frombuffer(name + b'"', dtype=np.uint8)
        mask, head = (
            np.frombuffer(part[:8].ljust(8, b"\0"), dtype=np.uint64)[0]
            for part in (b"\xff" * len(word), bytes(word))
        )
        some = names[begin & mask == head]
        if len(word) > 8:
            at = opens[some, None] + 1 + np.arange(len(word))
            some = some[(data[np.minimum(at, len(data) - 1)] == word).all(axis=1)]
        builds[some] = True
    return builds


def _refuse_strange(
    stretch: Stretch, data: np.ndarray, values: _Values, odd: np.ndarray
) -> dict[str, str]:
    """Call objects odd whose numbers or escapes are not of JSON; what texts with escapes say."""
    numbers = np.flatnonzero(values.numbers)
    _mark(stretch, odd, values.ends[numbers[data[values.ends[numbers]] | 32 == ord("e")]])
    is_digit = data[values.starts[numbers]] - ord("0") <= 9
    not_short = ~is_digit | (values.ends[numbers] - values.starts[numbers] > 1)
    longer = numbers[not_short]
    wrong = ~values.texts(data, longer).str.contains(NUMBER)
    _mark(stretch, odd, values.starts[longer[wrong.to_numpy()]])
    if b"\\" not in stretch.data:
        return {}
    slashes = np.flatnonzero(data == ord("\\"))
    holds = np.searchsorted(slashes, values.starts) < np.searchsorted(slashes, values.ends)
    escaped = np.flatnonzero(holds)
    texts = values.texts(data, escaped)
    written = {text: _unescaped(text) for text in texts.unique()}
    known = {text: said for text, said in written.items() if said is not None}
    _mark(stretch, odd, values.starts[escaped[~texts.is_in(list(known)).to_numpy()]])
    return known


def _unescaped(text: str) -> str | None:
    try:
        said = json.loads(f'"{text}"')
    except ValueError:
        return None
    return None if UNFIT.search(said) or MARK in said or "\r" in said else said


def _kinds(stretch: Stretch, data: np.ndarray, values: _Values, first: np.ndarray) -> np.ndarray:
    """A number for each object, the same for those built alike."""
    # A sign stays for each: what is absent must not look like what is there.
    starts = values.starts + 1
    gone = np.concatenate(([0], np.cumsum(values.ends - starts)))
    rest = data[~between(starts, values.ends, len(data))]
    rest[values.starts - gone[:-1]] = PLACE
    offsets = np.append(stretch.starts - gone[first], len(rest) - 1)
    parts = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(rest)]
    texts = pa.Array.from_buffers(pa.large_binary(), len(stretch.starts), parts)
    return texts.dictionary_encode().indices.to_numpy()


def _marked(stretch: Stretch, values: _Values, row: int, first: int) -> str:
    return "".join(_marked_parts(stretch, values, row, first))


def _marked_parts(stretch: Stretch, values: _Values, row: int, first: int) -> Iterator[str]:
    at, end = int(stretch.starts[row]), int(stretch.ends[row])
    last = int(np.searchsorted(values.starts, end))
    for place in range(first, last):
        start = int(values.starts[place])
        yield stretch.data[at:start].decode("utf-8")
        mark = f"{MARK}{place - first}"
        yield f'"{mark}"' if values.numbers[place] else mark
        at = int(values.ends[place])
    yield stretch.data[at:end].decode("utf-8")
