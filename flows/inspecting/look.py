"""What an export file looks like: encoding, delimiter, header, and the cells of its first records."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.errors import FileRefused, RapportError
from flows.inspecting.binary import Rows, binary_rows
from flows.inspecting.detect import detect
from flows.inspecting.table_archive import known_tables
from flows.reading.cells import clean_name
from flows.reading.delimited import BYTE_ORDER_MARKS
from flows.reading.header import joined_names
from flows.reading.json_stretches import read_records
from flows.reading.json_table import flat_cells
from schemas.presets import presets

BYTES_SEEN = 4 << 20
RECORDS_SEEN = 20_000
HEADER_ROWS_SEEN = 12
# How products end a list that they print.
FOOTER = re.compile(
    r"(sum|summe|total|totaal|gesamt|anzahl|antal|aantal|count|number of|rows|records|end|ende|"
    r"exportiert|exported|erstellt|created|gedruckt|printed|stand)\b",
    re.IGNORECASE,
)
DELIMITERS = (",", ";", "\t", "|")


@dataclass
class Look:
    """A file as it was seen.

    Attributes:
        path: the file.
        kind: the format as a mapping names it.
        preset: the product it seems to come from.
        encoding: a byte order mark's, else a guess.
        is_marked: there is a byte order mark.
        header_line: record on which the names stand, counted from 1.
        columns: names in file order.
        records: cells of the first records, by column.
        resources: of FHIR, the resources seen.
        repeats_header: the names come again among the records.
        footer: the word that the last line begins with, where it is none of the data.
        sheets: visible sheets of a workbook; those looked at are first.
        alike: how many of them have the same names.
    """

    path: Path
    kind: str
    preset: str | None = None
    encoding: str = "utf-8"
    is_marked: bool = False
    delimiter: str = ","
    header_line: int = 1
    columns: tuple[str, ...] = ()
    records: list[dict[str, str]] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    repeats_header: bool = False
    footer: str | None = None
    sheets: tuple[str, ...] = ()
    alike: int = 0

    def cells(self, column: str) -> Counter[str]:
        """The texts of a column with how often each stands there."""
        return Counter(record.get(column, "") for record in self.records)


def look_at(path: Path) -> Look:
    """Look at the first records of a file.

    Raises:
        RapportError: when the file is not there, is empty, or is of no kind that is known.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(BYTES_SEEN)
    except OSError as error:
        raise RapportError(f"{path}: cannot be read ({error.strerror})") from None
    bare = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not bare:
        raise RapportError(f"{path}: is empty")
    try:
        if tables := known_tables(path):
            found = _look_at_tables(path, *tables)
        elif rows := binary_rows(path, start, RECORDS_SEEN):
            found = _look_at_rows(path, rows)
        else:
            found = _look_at_json(path) if bare[:1] in (b"{", b"[") else _look_at_text(path, start)
    except FileRefused as refusal:
        raise RapportError(f"{path}: cannot be read [{refusal.rule}]") from None
    if not found.columns and not found.resources:
        raise RapportError(f"{path}: holds no table that can be recognised")
    return found


def _look_at_json(path: Path) -> Look:
    contents = []
    for record in read_records(path):
        if record.content is not None:
            contents.append(record.content)
        if len(contents) >= RECORDS_SEEN:
            break
    kinds = {str(content.get("resourceType", "")) for content in contents}
    if kinds - {""}:
        preset = detect(tuple(kinds), "")
        return Look(path, "fhir", preset, resources=contents)
    records = [flat_cells(content) for content in contents]
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    return Look(path, "json", detect(columns, ""), columns=columns, records=records)


def _look_at_rows(path: Path, read: Rows) -> Look:
    """A workbook by its fullest sheet, a statistics file by its cases."""
    fullest = max(read.sheets, key=lambda name: len(read.sheets[name]), default="")
    found = _look_at_table(path, read.kind, read.sheets.get(fullest, [[]]), "")
    alike, others = [fullest], []
    for name, rows in read.sheets.items():
        if name == fullest:
            continue
        names = {tuple(clean_name(cell) for cell in row) for row in rows[:HEADER_ROWS_SEEN]}
        (alike if found.columns in names else others).append(name)
    if read.kind == "xlsx":
        found.sheets, found.alike = (*alike, *others), len(alike)
    return found


def _look_at_tables(path: Path, preset: str, tables: dict[str, bytes]) -> Look:
    """An archive of tables: the columns of all of them."""
    whole = Look(path, "tables", preset, sheets=tuple(tables), alike=len(tables))
    for name, start in tables.items():
        seen = _look_at_text(path / name, start)
        whole.columns = tuple(dict.fromkeys([*whole.columns, *(n for n in seen.columns if n)]))
        whole.encoding, whole.delimiter = seen.encoding, seen.delimiter
    return whole


def _look_at_text(path: Path, start: bytes) -> Look:
    text, encoding, is_marked = _decoded(start)
    if len(start) == BYTES_SEEN:
        text = text[: text.rfind("\n") + 1]
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    found = _look_at_table(path, "csv", rows, delimiter)
    found.encoding, found.is_marked = encoding, is_marked
    return found


def _look_at_table(path: Path, kind: str, rows: list[list[str]], delimiter: str) -> Look:
    preset, header = _header(rows, delimiter)
    names = tuple(clean_name(cell) for cell in rows[header])
    stated = presets().get(preset or "", {}).get("read", {}).get("header", {})
    below = stated.get("rows", 1)
    if stated.get("join"):
        names = joined_names(rows[header : header + below])
    again = tuple(cell.strip().lower() for cell in rows[header])
    whole = [row for row in rows[header + below :] if len(row) == len(names)]
    data = [row for row in whole if tuple(cell.strip().lower() for cell in row) != again]
    records = [dict(zip(names, row, strict=True)) for row in data]
    return Look(
        path, kind, preset, delimiter=delimiter, header_line=header + 1, columns=names,
        records=records, repeats_header=len(data) < len(whole), footer=_footer(rows[header + 1 :]),
    )  # fmt: skip


def _footer(rows: list[list[str]]) -> str | None:
    """The word of a last line with a single cell; other texts there may be a record that was cut off."""
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    last = next((cells for cells in reversed(filled) if cells), [])
    found = FOOTER.match(last[0].strip()) if len(last) == 1 else None
    return found[0] if found else None


def _decoded(start: bytes) -> tuple[str, str, bool]:
    """Text, encoding, and whether a byte order mark says so; without one it is a guess."""
    for mark, name in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return start.decode(name, "ignore").replace("\r\n", "\n"), name, True
    zeros = start[:2000].count(0)
    guesses = ("utf-16-le",) if zeros > len(start[:2000]) // 4 else ("utf-8", "cp1252", "latin-1")
    for name in guesses:
        try:
            # The last character may be cut in two.
            decoder = codecs.getincrementaldecoder(name)("strict")
            return decoder.decode(start).replace("\r\n", "\n"), name, False
        except UnicodeError:
            continue
    raise RapportError("is no text in any encoding that can be guessed")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(BYTES_SEEN)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) >= RECORDS_SEEN:
                break
    except csv.Error:
        pass
    return rows or [[]]


def _delimiter(text: str) -> str:
    """The one that splits most rows into one and the same number of cells."""
    first = text.split("\n", 1)[0].strip()
    if first.startswith("sep=") and len(first) == len("sep=") + 1:
        return first[-1]

    def score(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in _rows(text[:200_000], delimiter)[:200] if len(row) > 1)
        return max(((n * min(width, 50), width) for width, n in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=score)


def _header(rows: list[list[str]], delimiter: str) -> tuple[str | None, int]:
    """The preset, if any, and the place of the row that holds the names."""
    for place, row in enumerate(rows[:HEADER_ROWS_SEEN]):
        names = tuple(clean_name(cell) for cell in row)
        if len(names) > 1 and (preset := detect(names, delimiter)):
            return preset, place
    widths = Counter(len(row) for row in rows if len(row) > 1)
    usual = widths.most_common(1)[0][0] if widths else 0
    for place, row in enumerate(rows[:HEADER_ROWS_SEEN]):
        if len(row) == usual and sum(bool(cell.strip()) for cell in row) * 2 > len(row):
            return None, place
    return None, 0
