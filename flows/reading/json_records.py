"""The records of a JSON file: one object a line, an array of them, or the entries of a bundle.

Files of one object a line are read line by line and may be of any size; a single document is held in
memory, so its size is bounded. Numbers stay the text they are written as.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import FileRefused

LARGEST_DOCUMENT = 64 << 20
LONGEST_LINE = 16 << 20
DEEPEST = 40
SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class JsonRecord:
    """One object of a file.

    Attributes:
        line: physical line on which it begins.
        content: None where it is no object, or cannot be read.
        full_url: the name a bundle gives its entry.
    """

    line: int
    content: dict[str, Any] | None
    full_url: str = ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return content


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=str, parse_int=str, parse_constant=_no_number
)


def is_by_line(source: Path) -> bool:
    """True where each line is an object of its own; one of the first two must be a whole one."""
    first, second = _first_lines(source)
    if first.lstrip().startswith(b"["):
        return False
    return isinstance(decoded(first), dict) or isinstance(decoded(second), dict)


def ends_unfinished(source: Path) -> bool:
    """True where each line is an object, and the last one of several has no line break."""
    if not is_by_line(source):
        return False
    with source.open("rb") as raw:
        raw.seek(0, 2)
        size = raw.tell()
        raw.seek(max(0, size - LONGEST_LINE))
        tail = raw.read()
    return b"\n" in tail and not tail.endswith(b"\n")


def _first_lines(source: Path) -> tuple[bytes, bytes]:
    found = []
    with source.open("rb") as raw:
        while len(found) < 2 and (line := raw.readline(LONGEST_LINE + 1)):
            if line.strip(b" \t\r\n\xef\xbb\xbf"):
                found.append(line.removeprefix(codecs.BOM_UTF8))
    if not found:
        raise FileRefused("file-empty")
    return found[0], found[1] if len(found) > 1 else b""


def decoded(line: bytes | str) -> Any:
    """The value of a text, None where there is none or it is nested too deeply."""
    try:
        text = line if isinstance(line, str) else line.decode("utf-8")
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if depth_fits(value) else None


def depth_fits(value: Any) -> bool:
    """True where nothing is nested more than `DEEPEST` levels deep; walks without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            part
            for parts in level
            if isinstance(parts, dict | list)
            for part in (parts.values() if isinstance(parts, dict) else parts)
        ]
        if not level:
            return True
    return False


def scalar(value: Any) -> str:
    """A value that is no object and no array as the text of a cell: null is empty, line breaks are LF."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def expanded(value: Any, line: int) -> Iterator[JsonRecord]:
    """A record, or the entries of the bundle that it is."""
    if not isinstance(value, dict):
        yield JsonRecord(line, None)
    elif value.get("resourceType") == "Bundle":
        entries = value.get("entry", [])
        for entry in entries if isinstance(entries, list) else [None]:
            yield record_of_entry(entry, line)
    else:
        yield JsonRecord(line, value)


def record_of_entry(entry: Any, line: int) -> JsonRecord:
    """The resource of a bundle's entry."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    url = entry.get("fullUrl", "") if isinstance(entry, dict) else ""
    content = resource if isinstance(resource, dict) else None
    return JsonRecord(line, content, url if isinstance(url, str) else "")


def text_of_document(source: Path) -> str:
    """A file's text as a whole.

    Raises:
        FileRefused: where it is too large to be held in memory, or no UTF-8.
    """
    if source.stat().st_size > LARGEST_DOCUMENT:
        raise FileRefused("document-too-large", highest=LARGEST_DOCUMENT >> 20)
    try:
        return source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise FileRefused("encoding", line, offset=error.start, encoding="utf-8") from None


def records_of_document(text: str) -> Iterator[JsonRecord]:
    """The elements of an array, the entries of a bundle, or the one object that the document is."""
    whole = read_whole(text)
    start = _skip(text, 0)
    if isinstance(whole, list):
        yield from (
            JsonRecord(line, part if isinstance(part, dict) else None)
            for line, part in _elements(text, start)
        )
    elif not isinstance(whole, dict):
        raise FileRefused("json-invalid", line=1)
    elif whole.get("resourceType") == "Bundle" and isinstance(whole.get("entry"), list):
        del whole
        for line, entry in _elements(text, _member(text, start, "entry")):
            yield record_of_entry(entry, line)
    else:
        yield JsonRecord(text.count("\n", 0, start) + 1, whole)


def read_whole(text: str, line: int = 1) -> Any:
    """The value of a document, or of a part of it that begins on a line.

    Raises:
        FileRefused: where it is no JSON.
    """
    try:
        whole = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise FileRefused("json-invalid", line=line + error.lineno - 1) from None
    except ValueError:
        # A name that stands twice, or a word for a number: the decoder does not say where.
        raise FileRefused("json-invalid", line=line) from None
    except RecursionError:
        raise FileRefused("json-nested", highest=DEEPEST) from None
    if not depth_fits(whole):
        raise FileRefused("json-nested", highest=DEEPEST)
    return whole


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, name: str) -> int:
    """Where the value of an object's member begins; the text is known to be JSON."""
    at = _skip(text, at + 1)
    while True:
        key, at = DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == name:
            return at
        _, at = DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)


def _elements(text: str, at: int) -> Iterator[tuple[int, Any]]:
    """The elements of the array that begins at an offset, each with its line."""
    line, counted = 1, 0
    at = _skip(text, at + 1)
    while text[at] != "]":
        line += text.count("\n", counted, at)
        counted = at
        value, at = DECODER.raw_decode(text, at)
        yield line, value
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
