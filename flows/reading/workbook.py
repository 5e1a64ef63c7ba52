"""Workbooks (xlsx): chosen sheets, one after another, become records of text."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from flows.errors import FileRefused
from flows.reading.archive import is_archive, opened, unwrap
from flows.reading.cell_text import text_column
from flows.reading.export import Export, Prepared
from flows.reading.finding import Findings
from flows.reading.header import HEADER_RECORDS, joined_names, search_header, tell_preamble
from flows.reading.text_writer import TextWriter
from flows.reading.unlock import is_compound, unlock
from flows.reading.workbook_package import (
    WORKBOOK,
    BookPlan,
    SheetEntry,
    SheetScan,
    read_plan,
    repack,
)
from schemas.export_format import Read, Source

# A sheet has at most 2^20 rows.
STRIDE = 1 << 21
MOST_SHEETS = 500
BATCH_ROWS = 10_000
Row = Sequence[object]


@dataclass(frozen=True)
class _Sheet:
    """One sheet that was parsed: its rows below the header, and what its header says."""

    rows: Iterator[Row]
    names: tuple[str, ...]
    header_line: int
    first_line: int


def prepare(export: Export) -> list[Prepared]:
    """Read the chosen sheets of a workbook; rows count as lines.

    Raises:
        FileRefused: when it is no workbook, is locked, or no sheet can be chosen.
    """
    if is_compound(export.path):
        export = unlock(export)
    if not is_archive(export.path):
        raise FileRefused("not-a-workbook")
    with opened(export) as archive:
        is_book = WORKBOOK in archive.members
        if is_book:
            plan = read_plan(archive)
            chosen = _choose(plan, export.source.read, export.findings)
            plain = export.folder / "workbook.zip"
            scans = repack(archive, chosen, plain, STRIDE)
            return [_read(export, plan, chosen, scans, plain)]
        packed = [name for name in archive.members if name.lower().endswith((".xlsx", ".xlsm"))]
    if not packed or export.path.parent == export.folder:
        raise FileRefused("not-a-workbook")
    return prepare(unwrap(export))


def _choose(plan: BookPlan, read: Read, findings: Findings) -> list[SheetEntry]:
    """The sheets that the mapping names, in its order; else the only visible one."""
    hidden = [sheet for sheet in plan.sheets if not sheet.is_visible]
    visible = [sheet for sheet in plan.sheets if sheet.is_visible]
    if read.sheets:
        chosen: list[SheetEntry] = []
        for wanted in read.sheets:
            # A hidden sheet is read only where its own name is given.
            fits = [s for s in visible if fnmatch.fnmatchcase(s.name, wanted)]
            fits += [s for s in hidden if s.name == wanted]
            if not fits:
                raise FileRefused("sheet-not-found", names=wanted)
            chosen += [sheet for sheet in fits if sheet not in chosen]
    else:
        chosen = visible
        if len(visible) != 1:
            raise FileRefused("sheets-unclear", counted=len(visible))
    if len(chosen) > MOST_SHEETS:
        raise FileRefused("sheets-unclear", counted=len(chosen))
    findings.divide([_named(sheet, plan, read) for sheet in chosen], STRIDE)
    if left := [sheet for sheet in hidden if sheet not in chosen]:
        findings.add("sheet-hidden", counted=len(left))
    return chosen


def _named(sheet: SheetEntry, plan: BookPlan, read: Read) -> str:
    """A sheet's name where the mapping has it, else its number: it may be called after a patient."""
    return f"sheet {sheet.name if sheet.name in read.sheets else plan.sheets.index(sheet) + 1}"


def _read(
    export: Export, plan: BookPlan, chosen: list[SheetEntry], scans: list[SheetScan], plain: Path
) -> Prepared:
    writer = TextWriter(export.text())
    first: _Sheet | None = None
    order: list[int] = []
    with parsing():
        book = CalamineWorkbook.from_path(str(plain))
    for place, (entry, scan) in enumerate(zip(chosen, scans, strict=True)):
        _tell_cells(scan, place, export.findings)
        with parsing():
            sheet = _open(book.get_sheet_by_name(entry.name), place, export)
        if sheet is not None:
            first = first or sheet
            order = _order(sheet, first)
        if sheet is None or not _write(sheet, order, export.source.read.decimal, writer):
            export.findings.add("sheet-without-records", line=place * STRIDE + 1)
    if first is None:
        raise FileRefused("file-without-records")
    source = _counted_from_1904(export.source) if plan.from_1904 else export.source
    return Prepared(source, writer.finish(first.names, first.header_line))


@contextmanager
def parsing() -> Iterator[None]:
    """Turn what the parser raises into a refusal; its own words may hold cells."""
    try:
        yield
    except (CalamineError, OSError, ValueError, OverflowError):
        raise FileRefused("not-a-workbook") from None
    except BaseException as error:
        # The parser's own breakdowns come as exceptions outside the usual family.
        if type(error).__name__ == "PanicException":
            raise FileRefused("not-a-workbook") from None
        raise


def _tell_cells(scan: SheetScan, place: int, findings: Findings) -> None:
    for rule, rows in (("cell-error", scan.errors), ("formula-uncomputed", scan.uncomputed)):
        lines = pl.Series("line", rows, dtype=pl.Int64) + place * STRIDE
        findings.add_lines(rule, lines)


class _HeadRows:
    """The first rows of a sheet as records of text, each on a line of its own."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = rows
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        for row in self.rows:
            self.line_num += 1
            yield row


def _open(sheet: CalamineSheet, place: int, export: Export) -> _Sheet | None:
    """Find the header of a sheet; None where the sheet has nothing below it."""
    read, first_line = export.source.read, place * STRIDE
    if sheet.start is None:
        return None
    # From the first line of the sheet on; in each row from the first column in use on.
    rows = sheet.iter_rows()
    head = list(islice(rows, HEADER_RECORDS + read.header.rows))
    texts = [text_column(row, read.decimal).to_list() for row in head]
    if not read.header.join:
        _spread_merged(texts, sheet)
    try:
        names, before, kinds = search_header(_HeadRows(texts), read)
    except FileRefused as refusal:
        raise FileRefused(refusal.rule, first_line + 1, refusal.column, **refusal.about) from None
    tell_preamble(kinds, first_line + 1, before, export.findings)
    if read.header.rows > 1:
        at, taken = first_line + before + 1, read.header.rows
        export.findings.add("header-rows", line=at, rows=taken, lines=taken)
    below = before + read.header.rows
    if read.header.join:
        names = joined_names(texts[before:below])
    rest = chain(head[below:], rows)
    return _Sheet(rest, names, first_line + before + 1, first_line + below + 1)


def _spread_merged(texts: list[list[str]], sheet: CalamineSheet) -> None:
    """A name over several merged rows stands in each of them; over several columns, in the first."""
    start = sheet.start[1] if sheet.start else 0
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or []:
        left = column - start
        for row in range(top + 1, min(bottom + 1, len(texts))):
            if left < len(texts[row]):
                texts[row][left] = texts[top][left]


def _order(sheet: _Sheet, first: _Sheet) -> list[int]:
    """Where each column of the first sheet stands in this one."""
    named = [(name, place) for place, name in enumerate(sheet.names) if name]
    wanted = [name for name in first.names if name]
    if sheet.names == first.names or Counter(name for name, _ in named) != Counter(wanted):
        if sheet.names != first.names:
            raise FileRefused("sheet-header-differs", line=sheet.header_line)
        return list(range(len(first.names)))
    places: dict[str, list[int]] = {}
    for name, place in named:
        places.setdefault(name, []).append(place)
    return [places[name].pop(0) if name else -1 for name in first.names]


def _write(sheet: _Sheet, order: list[int], decimal: str, writer: TextWriter) -> int:
    """Write a sheet's records and count them; rows without any cell are none."""
    line, written = sheet.first_line, 0
    while batch := _next(sheet.rows):
        cells = list(zip(*batch, strict=True))
        empty = ("",) * len(batch)
        columns = [
            text_column(cells[place] if 0 <= place < len(cells) else empty, decimal).alias(f"c{n}")
            for n, place in enumerate(order)
        ]
        frame = pl.DataFrame(columns)
        filled = frame.select(pl.any_horizontal(pl.all() != "")).to_series()
        lines = np.arange(line, line + len(batch), dtype=np.int64)[filled.to_numpy()]
        writer.write(frame.filter(filled), lines)
        line += len(batch)
        written += len(lines)
    return written


def _next(rows: Iterator[Row]) -> list[Row]:
    with parsing():
        return list(islice(rows, BATCH_ROWS))


def _counted_from_1904(source: Source) -> Source:
    """The same source with serial numbers of days counted from 1904."""

    def changed(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: ["excel-1904" if form == "excel" else form for form in part]
                if key == "formats" and isinstance(part, list | tuple)
                else changed(part)
                for key, part in value.items()
            }
        if isinstance(value, list | tuple):
            return [changed(part) for part in value]
        return value

    return Source.model_validate(changed(source.model_dump(by_alias=True, exclude_unset=True)))
