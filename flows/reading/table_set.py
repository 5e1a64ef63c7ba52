"""The tables of one archive, each loaded as text with the line of every row."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import duckdb
import numpy as np
import polars as pl

from flows.errors import FileRefused, MappingError
from flows.reading import delimited
from flows.reading.archive import Archive
from flows.reading.cells import clean_name
from flows.reading.correct import Numbered, correct
from flows.reading.delimited import TextTable
from flows.reading.export import Export
from flows.reading.finding import Findings
from flows.warehouse import limit_resources

# From the lines of one table to those of the next; a table has fewer, an archive at most 15 that are read.
STRIDE = 1 << 27
MOST_TABLES = 15
# The engine keeps room for many rows of every column of a table.
MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class Loaded:
    """One table of the archive in the engine, as columns `line`, `c0`, `c1` and so on.

    Attributes:
        name: the engine's name of it.
        columns: cleaned header names.
        header_line: where they stand.
        malformed: rows that did not split into cells.
    """

    name: str
    columns: tuple[str, ...]
    header_line: int
    malformed: int

    def column(self, name: str) -> str:
        """The engine's column for a header name.

        Raises:
            FileRefused: when the table has none of that name, or several.
        """
        times = self.columns.count(clean_name(name))
        if times == 0:
            raise FileRefused("column-missing", self.header_line, name, nearest="")
        if times > 1:
            raise FileRefused("column-doubled", self.header_line, name, times=times)
        return f"c{self.columns.index(clean_name(name))}"


@dataclass
class TableSet:
    """Finds tables by pattern, and loads each once.

    Attributes:
        export: the archive as delivered.
        archive: the same, opened.
        con: an engine of its own, in which every cell is text.
        loaded: tables by file name.
        places: names of the tables in the order of loading.
    """

    export: Export
    archive: Archive
    con: duckdb.DuckDBPyConnection
    loaded: dict[str, Loaded] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit_resources(self.con, self.export.folder)

    def find(self, pattern: str) -> str:
        """The one member whose file name fits a pattern, with or without its ending.

        Raises:
            FileRefused: when none or several fit.
        """
        fits = []
        for member in self.archive.members:
            path = PurePosixPath(member)
            if any(fnmatch.fnmatchcase(name, pattern) for name in (path.name, path.stem)):
                fits.append(member)
        if not fits:
            raise FileRefused("table-not-found", names=pattern)
        if len(fits) > 1:
            raise FileRefused("table-ambiguous", counted=len(fits), names=pattern)
        return fits[0]

    def load(self, pattern: str) -> Loaded:
        """Read one table into the engine.

        Raises:
            FileRefused: when it is absent or cannot be read; the table is named.
        """
        member = self.find(pattern)
        if member in self.loaded:
            return self.loaded[member]
        place = len(self.places)
        if place >= MOST_TABLES:
            raise FileRefused("archive-too-large", counted=f"more than {MOST_TABLES} tables")
        self.places.append(f"table {PurePosixPath(member).name}")
        self.export.findings.divide(self.places, STRIDE)
        packed = self.archive.unpack(member, self.export.folder / f"table{place}.packed")
        told = Findings()
        try:
            text = self.export.folder / f"table{place}.txt"
            table = delimited.prepare(packed, self.export.source.read, text, told)
            table = correct(table, self._corrections(), told)
        except FileRefused as refusal:
            at = place * STRIDE + (refusal.line or 1)
            raise FileRefused(refusal.rule, at, refusal.column, **refusal.about) from None
        finally:
            packed.unlink(missing_ok=True)
        found = [replace(f, line=f.line and f.line + place * STRIDE) for f in told.single]
        self.export.findings.single += found
        offset = pl.col("line") + place * STRIDE
        self.export.findings.frames += [frame.with_columns(offset) for frame in told.frames]
        self.loaded[member] = self._create(table, place)
        table.path.unlink()
        return self.loaded[member]

    def _corrections(self) -> list[Numbered]:
        """Those of the table loaded last, as of a file of its own."""
        return [
            replace(entry, correction=entry.correction.model_copy(update={"part": None}))
            for entry in self.export.corrections
            if entry.correction.part == self.places[-1]
        ]

    def _create(self, table: TextTable, place: int) -> Loaded:
        """Load the text; rows that do not split are told and left out."""
        header_line = table.header_line + place * STRIDE
        delimited.refuse_too_wide(len(table.columns), header_line, MOST_COLUMNS)
        if table.is_quoted_oddly:
            table = delimited.recount(table)
        name = f"table{place}"
        try:
            self.con.execute(
                f"create table {name} as"
                f" select row_number() over () - 1 as row, * from {delimited.engine_read(table)}"
            )
        except duckdb.Error as error:
            what = f"the table cannot be split ({type(error).__name__})"
            raise MappingError(f"source {self.export.source.name}: {what}") from None
        return self._number(table, name, place)

    def _number(self, table: TextTable, name: str, place: int) -> Loaded:
        unsplit = self.con.execute(
            "select distinct line_byte_position - 1 as place from reject_errors order by 1"
        ).pl()["place"]
        self.con.execute("delete from reject_errors")
        self.con.execute("delete from reject_scans")
        malformed = np.searchsorted(table.starts, unsplit.to_numpy(), side="right") - 1
        lines = table.lines + place * STRIDE
        kept = np.delete(lines, malformed)
        count = self.con.execute(f"select count(*) from {name}").fetchone()
        if count is None or count[0] != len(kept):
            counted, split = len(lines), (count[0] if count else 0) + len(malformed)
            raise FileRefused("records-uncertain", int(lines[0]), counted=counted, split=split)
        broken = pl.Series("line", lines[malformed], dtype=pl.Int64)
        findings, expected, last = self.export.findings, len(table.columns), int(lines[-1])
        if table.ends_unfinished:
            is_cut = last in broken
            findings.add("record-truncated" if is_cut else "no-final-line-break", last)
            broken = broken.filter(broken != last)
        findings.add_lines("record-malformed", broken, expected=expected)
        self.con.register("numbered", pl.DataFrame({"row": np.arange(len(kept)), "line": kept}))
        self.con.execute(
            f"create or replace table {name} as"
            f" select line, t.* exclude (row) from {name} t join numbered using (row)"
        )
        self.con.unregister("numbered")
        header_line = table.header_line + place * STRIDE
        return Loaded(name, table.columns, header_line, len(malformed) + table.refused)
