"""Delimited text: decode strictly, find the header, and know the physical line of every record.

The engine that splits the cells counts records, which drift from text lines after a line break in
quotes; people look lines up in an editor. So an index over the bytes goes with the cells.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from flows.errors import FileRefused
from flows.reading.cells import literal
from flows.reading.finding import Findings
from flows.reading.header import joined_names, search_header, tell_preamble
from flows.reading.surplus import SurplusCells
from schemas.export_format import Read

CHUNK_BYTES = 8 << 20
HEADER_CHARACTERS = 1 << 20
LONGEST_LINE = 16 << 20
# A control character cannot be in a decoded file: no cell is ever taken for NULL by the engine.
NULL_TEXT = "'\x01'"
# As many as a sheet of a workbook can have.
MOST_COLUMNS = 16_384
BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]


@dataclass(frozen=True)
class TextTable:
    """The data records of one delimited file, as UTF-8 text without header, and where they stand.

    Attributes:
        path: the text written for the engine; records only, line breaks are LF.
        columns: header names, cleaned, in file order.
        starts: byte offset of each record in `path`.
        lines: physical line of each record in the delivered file, counted from 1.
        spans: how many physical lines each record takes.
        header_line: where the names stand.
        ends_unfinished: the file does not end with a line break.
        is_quoted_oddly: quotes do not pair up: one is not closed, or stands inside a bare cell.
        delimiter: between the cells in `path`.
        refused: records that were left out because they do not split as the others do.
    """

    path: Path
    columns: tuple[str, ...]
    starts: np.ndarray
    lines: np.ndarray
    spans: np.ndarray
    header_line: int
    ends_unfinished: bool
    is_quoted_oddly: bool = False
    delimiter: str = ","
    refused: int = 0


def engine_read(table: TextTable) -> str:
    """The SQL that reads the records as columns c0, c1, .. of text; what does not split is kept apart."""
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(table.columns)))
    quote = literal('"')
    return f"""read_csv(
        {literal(str(table.path))}, columns = {{{columns}}}, auto_detect = false, header = false,
        delim = {literal(table.delimiter)}, quote = {quote}, escape = {quote}, nullstr = {NULL_TEXT},
        new_line = '\\n', strict_mode = true, store_rejects = true, rejects_limit = 0,
        max_line_size = {LONGEST_LINE}
    )"""


def prepare(source: Path, read: Read, target: Path, findings: Findings) -> TextTable:
    """Decode a delimited file and write its data records as UTF-8.

    Args:
        source: the file as delivered.
        read: the mapping's words on encoding, delimiter and header.
        target: where the records are written.
        findings: takes what is remarkable about preamble and header.

    Raises:
        FileRefused: when there is no header, no record, or text that cannot be decoded.
    """
    csv.field_size_limit(LONGEST_LINE)
    chunks = _decoded(source, read.encoding)
    head = _head(chunks)
    columns, header_line, header_lines = _find_header(head.decode("utf-8"), read, findings)
    offset = _line_offset(head, header_lines)
    index = RecordIndex(first_line=header_lines + 1)
    delimiters = SurplusCells(target, read.delimiter, len(columns))
    last = b""
    with target.open("wb") as sink:
        for part in chain((head[offset:],), chunks):
            index.add(part)
            sink.write(part)
            delimiters.count(part)
            last = part[-1:] or last
    starts, lines, spans = index.finish()
    if len(starts) == 0:
        raise FileRefused("file-without-records", line=header_lines)
    delimiters.tame(starts, spans)
    table = TextTable(
        target, columns, starts, lines, spans, header_line, last != b"\n", index.quotes % 2 == 1,
        read.delimiter,
    )  # fmt: skip
    return table if table.is_quoted_oddly else _without_shifted(table, delimiters, findings)


def _without_shifted(table: TextTable, delimiters: SurplusCells, findings: Findings) -> TextTable:
    """The table without records in which an empty last cell may hide a delimiter too many.

    Everything behind that delimiter would have moved by one. Where all records are alike, or end in
    several empty cells, nothing has.
    """
    surplus = delimiters.blank_cells(table.starts)
    shifted = surplus == 1
    if shifted.all():
        shifted[:] = False
    harmless = pl.Series("line", table.lines[(surplus > 0) & ~shifted], dtype=pl.Int32)
    findings.add_lines("cells-beyond-blank", harmless, expected=len(table.columns))
    if not shifted.any():
        return table
    starts = delimiters.take_out(table.starts, shifted)
    lines = pl.Series("line", table.lines[shifted], dtype=pl.Int32)
    findings.add_lines("delimiter-hidden", lines, expected=len(table.columns))
    kept = ~shifted
    return replace(
        table, starts=starts, lines=table.lines[kept], spans=table.spans[kept],
        refused=int(shifted.sum()),
    )  # fmt: skip


def recount(table: TextTable) -> TextTable:
    """The same table with records counted cell by cell, for files with quotes inside bare cells."""
    with table.path.open(encoding="utf-8", newline="") as text:
        reader = csv.reader(text, delimiter=table.delimiter, strict=True)
        ends = [0]
        empty = []
        try:
            for record in reader:
                ends.append(reader.line_num)
                empty.append(not record)
        except csv.Error as error:
            first = int(table.lines[0]) + ends[-1]
            if "end of data" in str(error):
                raise FileRefused("quote-unclosed", line=first) from None
            if "field limit" in str(error):
                raise _too_large(first) from None
            raise FileRefused("quotes-unclear", line=first) from None
    data = np.fromfile(table.path, dtype=np.uint8)
    breaks = np.concatenate(([0], np.flatnonzero(data == ord("\n")) + 1))
    kept = ~np.array(empty, dtype=bool)
    first = np.array(ends[:-1], dtype=np.int64)[kept]
    spans = np.diff(np.array(ends, dtype=np.int64))[kept]
    # The first data record may follow blank lines: its own line is known from the first index.
    header_lines = int(table.lines[0]) - 1 - _blank_before(data)
    return TextTable(
        table.path, table.columns, breaks[first], first + 1 + header_lines, spans,
        table.header_line, table.ends_unfinished, delimiter=table.delimiter, refused=table.refused,
    )  # fmt: skip


def _too_large(line: int) -> FileRefused:
    return FileRefused("cell-too-large", line=line, highest=LONGEST_LINE >> 20)


def _head(chunks: Iterator[bytes]) -> bytes:
    """The beginning of the text: blank lines, and enough after them to hold any header."""
    parts: list[bytes] = []
    filled = 0
    for chunk in chunks:
        parts.append(chunk)
        filled += len(chunk) if filled else len(chunk.decode("utf-8").lstrip())
        if filled >= HEADER_CHARACTERS:
            break
    if not filled:
        raise FileRefused("file-empty")
    return b"".join(parts)


def _blank_before(data: np.ndarray) -> int:
    return int(np.argmax(data != ord("\n")))


def _decoded(source: Path, encoding: str) -> Iterator[bytes]:
    """The text as UTF-8 with LF line breaks, in pieces; refuses what is not text in that encoding."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with source.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        marked = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), encoding)
        decoder = codecs.getincrementaldecoder(marked)("strict")
        is_utf8 = codecs.lookup(marked).name == "utf-8"
        offset = characters = 0
        while True:
            part = raw.read(CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            held_back = pending or newlines.getstate()[1] & 1
            if is_utf8 and not held_back and _is_plain(part):
                yield part
                offset += len(part)
                characters += len(part)
                continue
            try:
                text = decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                read = error.object[: error.start]
                line = _line_of(source, marked, characters + len(read.decode(marked, "replace")))
                # What was looked at begins with bytes held back before, and has no byte order mark.
                at = offset + len(part) - len(error.object) + len(read)
                raise FileRefused("encoding", line, offset=at, encoding=marked) from None
            except UnicodeError:
                # UTF-16 and UTF-32 without the mark that says which way round they are.
                raise FileRefused("encoding", 1, offset=offset, encoding=marked) from None
            if fault := _fault_of(text):
                rule, at, kind = fault
                at += characters
                raise FileRefused(rule, _line_of(source, marked, at), offset=at, kind=kind)
            offset += len(part)
            characters += len(text)
            yield newlines.decode(text, final=not part).encode("utf-8")
            if not part:
                return


def _is_plain(part: bytes) -> bool:
    """True for a piece of ASCII without CR or control characters: nothing has to be done to it."""
    if not part or not part.isascii() or b"\r" in part:
        return False
    data = np.frombuffer(part, dtype=np.uint8)
    breaks = np.count_nonzero(data == ord("\n")) + np.count_nonzero(data == ord("\t"))
    return int(np.count_nonzero(data < ord(" "))) == int(breaks)


def _fault_of(text: str) -> tuple[str, int, str] | None:
    """The rule that a text breaks, where, and by which sign; tab and line breaks are no fault.

    The reader uses some control characters itself.
    """
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    low = data[data < ord(" ")]
    wrong = (low != ord("\n")) & (low != ord("\r")) & (low != ord("\t"))
    found = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text) if wrong.any() else None
    found = found or re.search("\ufffd", text)
    if found is None:
        return None
    rules = {"\x00": "nul-byte", "\ufffd": "encoding-damaged"}
    rule = rules.get(found[0], "control-character")
    return rule, found.start(), f"U+{ord(found[0]):04X}"


def _line_of(source: Path, encoding: str, at: int) -> int:
    """The line of a character, counted only once it is known to be wrong."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    line = 1
    with source.open(encoding=encoding, errors="replace", newline="") as text:
        while at > 0 and (part := text.read(min(at, CHUNK_BYTES))):
            line += newlines.decode(part).count("\n")
            at -= len(part)
    return line + newlines.decode("", final=True).count("\n")


def _find_header(head: str, read: Read, findings: Findings) -> tuple[tuple[str, ...], int, int]:
    """The cleaned column names, their line, and the line on which the header's last row ends."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=read.delimiter)
    starts_after = 0
    try:
        names, starts_after, before = search_header(reader, read)
        below = [next(reader, []) for _ in range(read.header.rows - 1)]
    except csv.Error:
        raise _too_large(reader.line_num) from None
    if read.header.join:
        names = joined_names([names, *below])
    if len(names) == 1:
        raise FileRefused("one-column", line=starts_after + 1, delimiter=repr(read.delimiter))
    refuse_too_wide(len(names), starts_after + 1)
    tell_preamble(before, 1, starts_after, findings)
    if read.header.rows > 1:
        lines = reader.line_num - starts_after
        findings.add("header-rows", line=starts_after + 1, rows=read.header.rows, lines=lines)
    named = tuple(name or f"(column {place})" for place, name in enumerate(names, start=1))
    return named, starts_after + 1, reader.line_num


def refuse_too_wide(columns: int, line: int, most: int = MOST_COLUMNS) -> None:
    """Refuse a table with more columns than any export has: each costs memory in every step.

    Raises:
        FileRefused: when there are too many.
    """
    if columns > most:
        raise FileRefused("columns-too-many", line=line, counted=columns, highest=most)


def _line_offset(text: bytes, lines: int) -> int:
    at = 0
    for _ in range(lines):
        at = text.find(b"\n", at) + 1
        if at == 0:
            return len(text)
    return at


def index_records(path: Path) -> np.ndarray:
    """Byte offsets of the records of a text that was written here."""
    index = RecordIndex(first_line=1)
    with path.open("rb") as text:
        while part := text.read(CHUNK_BYTES):
            index.add(part)
    return index.finish()[0]


class RecordIndex:
    """Starts and lines of records: a line break outside quotes ends one, a blank line is none."""

    def __init__(self, first_line: int) -> None:
        self.offset = 0
        self.line = first_line
        self.quotes = 0
        self.ends: list[np.ndarray] = []
        self.end_lines: list[np.ndarray] = []
        self.first_line = first_line

    def add(self, part: bytes) -> None:
        """Go over the next piece of the text."""
        data = np.frombuffer(part, dtype=np.uint8)
        breaks = np.flatnonzero(data == ord("\n"))
        quotes = np.flatnonzero(data == ord('"')) if b'"' in part else breaks[:0]
        open_before = (self.quotes + np.searchsorted(quotes, breaks)) % 2
        closing = open_before == 0
        numbers = self.line + np.arange(len(breaks))
        self.ends.append(breaks[closing] + self.offset)
        self.end_lines.append(numbers[closing])
        self.offset += len(part)
        self.line += len(breaks)
        self.quotes += len(quotes)

    def finish(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Byte offset, first line and number of lines of each record."""
        ends = np.concatenate([*self.ends, np.array([self.offset])])
        end_lines = np.concatenate([*self.end_lines, np.array([self.line])])
        starts = np.concatenate(([0], ends[:-1] + 1))
        lines = np.concatenate(([self.first_line], end_lines[:-1] + 1))
        kept = starts < ends
        return starts[kept], lines[kept], (end_lines - lines + 1)[kept]
