"""One export file from bytes to rows ready to merge, with everything there is to say about it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from flows.errors import FileRefused
from flows.reading.cells import literal
from flows.reading.columns import refuse_missing_columns, tell_columns
from flows.reading.correct import Numbered, correct
from flows.reading.date_doubts import doubt_dates
from flows.reading.delimited import LONGEST_LINE, TextTable, recount
from flows.reading.describe import (
    drop_conditions,
    tell_alike,
    tell_answers,
    tell_broken_lines,
    tell_dropped,
    tell_identifiers,
    tell_records,
)
from flows.reading.export import Export, Prepared
from flows.reading.finding import Findings
from flows.reading.incoming import Rows, add_rows, create_views
from flows.reading.json_table import JSON_FORMATS
from flows.reading.judge import Verdict, judge
from flows.reading.plan import Part, RecordPlan
from flows.reading.prepare import prepare
from flows.reading.record import create_records, plan_lines, plan_records
from flows.reading.records import Records, keep_records
from flows.reading.refused_risk import point_to_refused_risks
from flows.reading.reshape import reshape
from schemas.export_format import Source
from schemas.instrument_types import Instrument
from schemas.shaping import is_reshaped, shaped_source
from schemas.tables import Bounds

KINDS = ("form", "appointment", "episode", "action")


@dataclass
class FileReading:
    """What came of one file.

    Attributes:
        findings: everything wrong or remarkable.
        risks: where refused rows answer a risk item; for the care team alone.
        records: all records; used + dropped + rejected add up to it.
        found: by kind, how many forms, appointments, episodes and actions the records carry.
        rejected: by kind, how many of them broke a rule.
        held: by kind, how many wait for a therapist to be declared.
        refused: the rule that refused the whole file; its records count as rejected.
        instant: newest version in the file, where the mapping declares a version column.
        retracts: a snapshot may call records vanished (no record of it was unreadable).
        tables: how many tables of the file were read.
        rows: by kind, the queries that give what is stored.
    """

    findings: Findings = field(default_factory=Findings)
    risks: Findings = field(default_factory=Findings)
    records: int = 0
    used: int = 0
    dropped: int = 0
    rejected_records: int = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    rejected: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    held: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    refused: str | None = None
    held_whole: str | None = None
    instant: str | None = None
    retracts: bool = True
    tables: int = 0
    rows: dict[str, Rows] = field(default_factory=lambda: {kind: Rows() for kind in KINDS})
    data_from: object = None
    data_to: object = None

    def refused_risks(self) -> Findings:
        """The pointers to refused risk answers, with lines counted as in the findings."""
        return replace(self.risks, places=self.findings.places, stride=self.findings.stride)


@dataclass(frozen=True)
class FileTask:
    """What is needed to read one file.

    Attributes:
        path: the bytes as delivered.
        source: the mapping's source.
        timezone: the clinic's.
        instruments: registry entry by the name the mapping uses.
        bounds: believable days.
        scratch: folder for the decoded text.
        prefix: of the views made, `<prefix>_<kind>` and `<prefix>_keys_<kind>`.
        with_text: keep answers as text too.
        workspace: folder of the workspace, where there is one.
        corrections: cells of this file known to be wrong.
    """

    path: Path
    source: Source
    timezone: str
    instruments: Mapping[str, Instrument | None]
    bounds: Bounds
    scratch: Path
    prefix: str
    with_text: bool = False
    workspace: Path | None = None
    corrections: Sequence[Numbered] = ()


def read_file(con: duckdb.DuckDBPyConnection, task: FileTask) -> FileReading:
    """Read one file into views of `con`; a file that cannot be read is refused, never raised.

    The connection must have the pseudonym macros installed.
    """
    reading = FileReading()
    _clear(con, task.prefix)
    # Decrypted and unpacked bytes lie here too: the folder is its owner's alone, and goes whatever happens.
    with tempfile.TemporaryDirectory(prefix=f"{task.prefix}-", dir=task.scratch) as folder:
        export = Export(
            task.path, task.source, Path(folder), reading.findings, task.workspace, task.corrections
        )
        try:
            for prepared in _corrected(export, prepare(export)):
                _read_prepared(con, task, prepared, reading)
            for kind, rows in reading.rows.items():
                create_views(con, task.prefix, kind, rows)
            _span(con, reading)
        except FileRefused as refusal:
            reading.findings.add(refusal.rule, refusal.line, refusal.column, **refusal.about)
            reading.refused = refusal.rule
            reading.used, reading.rejected_records = 0, reading.records - reading.dropped
            reading.retracts = False
    return reading


def _clear(con: duckdb.DuckDBPyConnection, prefix: str) -> None:
    """Drop what an earlier file left under the same prefix."""
    made = con.execute(
        "select 'view', view_name from duckdb_views() where starts_with(view_name, $of)"
        " union all"
        " select 'table', table_name from duckdb_tables() where starts_with(table_name, $of)",
        {"of": f"{prefix}_"},
    ).fetchall()
    for what, name in made:
        con.execute(f"drop {what} {name}")


def _corrected(export: Export, prepared: Sequence[Prepared]) -> Sequence[Prepared]:
    """The table with the cells that corrections.toml replaces; tables of an archive have theirs."""
    if export.source.read.format == "tables":
        return prepared
    entries, findings = export.corrections, export.findings
    return [replace(p, table=correct(p.table, entries, findings)) for p in prepared]


def _read_prepared(
    con: duckdb.DuckDBPyConnection, task: FileTask, prepared: Prepared, reading: FileReading
) -> None:
    con.execute(
        "create or replace temp table cell_line (row bigint, column_name varchar, line int)"
    )
    reading.findings.session_columns = {}
    if is_reshaped(prepared.source):
        task = replace(task, source=prepared.source)
        prepared = replace(prepared, table=_reshape(con, task, prepared.table, reading))
    reading.risks.session_columns = reading.findings.session_columns
    source = shaped_source(prepared.source)
    task = replace(task, source=source)
    _read_table(con, task, replace(prepared, source=source), reading)


def _reshape(
    con: duckdb.DuckDBPyConnection, task: FileTask, table: TextTable, reading: FileReading
) -> TextTable:
    """The table with one record for each form, where the mapping has `code` or `wide`."""
    source = task.source
    refuse_missing_columns(source, table.columns, table.header_line, reading.findings)
    plan = plan_lines(source, table.columns, task.timezone)
    create_records(con, plan, table)
    before = reading.dropped + reading.rejected_records
    table, malformed = _malformed(con, plan, table, task, reading)
    _put_lines(con, table, malformed)
    reading.dropped += tell_dropped(con, plan, reading.findings)
    reading.records += reading.dropped + reading.rejected_records - before
    tell_broken_lines(table, reading.findings)
    return reshape(con, plan, table, reading.findings)


def _put_lines(
    con: duckdb.DuckDBPyConnection, table: TextTable, malformed: np.ndarray
) -> np.ndarray:
    """The table `record_line` of the records that were split; their lines."""
    lines = np.delete(table.lines, malformed).astype(np.int32)
    con.register("line_frame", pl.DataFrame({"row": np.arange(len(lines)), "line": lines}))
    con.execute("create or replace table record_line as select * from line_frame")
    con.unregister("line_frame")
    return lines


def _read_table(
    con: duckdb.DuckDBPyConnection, task: FileTask, prepared: Prepared, reading: FileReading
) -> None:
    source, table = prepared.source, prepared.table
    header_line = table.header_line
    refuse_missing_columns(source, table.columns, header_line, reading.findings)
    plan = plan_records(
        source, table.columns, task.timezone, dict(task.instruments), task.with_text
    )
    create_records(con, plan, table)
    table, malformed = _malformed(con, plan, table, task, reading)
    reading.records += len(table.lines) + prepared.rejected
    reading.rejected_records += prepared.rejected
    reading.retracts = reading.retracts and not prepared.rejected
    lines = _put_lines(con, table, malformed)
    doubt_dates(con, plan.dates, reading.findings)
    if source.version is not None:
        _refuse_mixed_versions(con, plan)
    tell_columns(plan, header_line, reading.findings)
    reading.dropped += tell_records(con, plan, table, reading.findings)
    tell_identifiers(con, plan, header_line, reading.findings)
    verdicts = [_judge(con, part, task.bounds, reading) for part in plan.parts]
    for verdict in verdicts:
        tell_answers(con, verdict.part, verdict.found, reading.findings)
    _count_records(con, plan, verdicts, reading)
    records = keep_records(con, f"{task.prefix}_record{reading.tables}", lines)
    reading.tables += 1
    _add_rows(con, plan, verdicts, records, reading)
    tell_alike(con, plan, records, reading.findings)


def _malformed(
    con: duckdb.DuckDBPyConnection,
    plan: RecordPlan,
    table: TextTable,
    task: FileTask,
    reading: FileReading,
) -> tuple[TextTable, np.ndarray]:
    """Index of the records that did not split; the record count must agree with the engine's."""
    unsplit = con.execute(
        f"select place, is_too_large, {_dropped_by(plan, table.delimiter)} as dropped_by from ("
        "select line_byte_position - 1 as place, first(csv_line) as csv_line,"
        " bool_or(error_type = 'LINE SIZE OVER MAXIMUM') as is_too_large"
        " from reject_errors group by place) order by place"
    ).pl()
    con.execute("delete from reject_errors")
    con.execute("delete from reject_scans")
    loaded = con.execute("select count(*) from record").fetchone()
    expected = (loaded[0] if loaded else 0) + len(unsplit)
    if table.is_quoted_oddly or expected != len(table.starts):
        table = recount(table)
    if expected != len(table.starts):
        raise FileRefused("records-uncertain", counted=len(table.starts), split=expected)
    malformed = np.searchsorted(table.starts, unsplit["place"].to_numpy(), side="right") - 1
    lines = unsplit.with_columns(pl.Series("line", table.lines[malformed], dtype=pl.Int32))
    _tell_malformed(plan, table, task, lines, reading)
    return table, malformed


def _refuse_mixed_versions(con: duckdb.DuckDBPyConnection, plan: RecordPlan) -> None:
    found = con.execute(
        "select version_kind, count(*), min(line)"
        " from record join record_line l on l.row = record.rowid"
        " where dropped_by is null and version_kind is not null group by all"
    ).fetchall()
    if len(found) > 1:
        kinds = ", ".join(f"{n} of {kind}" for kind, n, _ in sorted(found))
        column = plan.grammar.source.version
        raise FileRefused("version-mixed", max(line for *_, line in found), column, kinds=kinds)


def _dropped_by(plan: RecordPlan, delimiter: str) -> str:
    """Which drop rule fits a record that did not split: a footer often has a single cell."""
    read = plan.grammar.source.read
    line = f"string_split(rtrim(csv_line, chr(10) || chr(13)), {literal(delimiter)})"
    cases = [
        f"when regexp_full_match(trim({line}[{plan.grammar.place(rule.column)}], chr(34)),"
        f" {literal(rule.matches)}, 's') then {place}"
        for place, rule in enumerate(read.drop, start=1)
        if rule.column is not None and rule.matches is not None
    ]
    return f"case {' '.join(cases)} end" if cases else "null::integer"


def _tell_malformed(
    plan: RecordPlan, table: TextTable, task: FileTask, lines: pl.DataFrame, reading: FileReading
) -> None:
    footers = lines.filter(pl.col("dropped_by").is_not_null())
    for (place,), rows in footers.group_by("dropped_by", maintain_order=True):
        condition = drop_conditions(plan)[int(str(place)) - 1]
        reading.findings.add_lines("record-dropped", rows["line"], condition=condition)
    reading.dropped += len(footers)
    unread = lines.filter(pl.col("dropped_by").is_null())
    too_large = unread.filter("is_too_large")["line"]
    reading.findings.add_lines("record-too-large", too_large, highest=LONGEST_LINE >> 20)
    broken = unread.filter(~pl.col("is_too_large"))["line"]
    last_line = int(table.lines[-1])
    if table.ends_unfinished and last_line in broken:
        reading.findings.add("record-truncated", last_line)
        if task.source.delivery != "append":
            reading.held_whole = "file-truncated"
            reading.findings.add("file-truncated", last_line)
    elif table.ends_unfinished and last_line not in lines["line"]:
        reading.findings.add("no-final-line-break", last_line)
    others = broken.filter(broken != last_line) if table.ends_unfinished else broken
    rule = "record-not-json" if task.source.read.format in JSON_FORMATS else "record-malformed"
    reading.findings.add_lines(rule, others, expected=len(table.columns))
    reading.retracts = reading.retracts and unread.is_empty()
    reading.rejected_records += len(unread)


def _judge(
    con: duckdb.DuckDBPyConnection, part: Part, bounds: Bounds, reading: FileReading
) -> Verdict:
    if part.instrument is not None:
        scales = [part.instrument.scales[name] for name in (part.form.scores if part.form else ())]
        bounds = Bounds(
            bounds.earliest, bounds.latest, part.instrument.answer_min, part.instrument.answer_max,
            tuple((scale.range_min, scale.range_max) for scale in scales),
        )  # fmt: skip
    verdict = judge(con, part, bounds, reading.findings)
    point_to_refused_risks(con, verdict, reading.risks)
    reading.found[part.kind] += verdict.found
    reading.rejected[part.kind] += len(verdict.rejected)
    reading.held[part.kind] += len(verdict.held)
    return verdict


def _count_records(
    con: duckdb.DuckDBPyConnection,
    plan: RecordPlan,
    verdicts: list[Verdict],
    reading: FileReading,
) -> None:
    """A record is used where something it carries is used or held, rejected where nothing is."""
    if not any(len(verdict.rejected) for verdict in verdicts):
        all_rejected = 0
    else:
        for number, verdict in enumerate(verdicts):
            con.register(f"refused_{number}", verdict.rejected.to_frame("row"))
        good = " or ".join(
            f"({v.part.prefix}_here and rowid not in (select row from refused_{n} where row is not null))"
            for n, v in enumerate(verdicts)
        )
        here = " or ".join(f"{v.part.prefix}_here" for v in verdicts)
        row = con.execute(
            f"select count(*) from record where dropped_by is null and ({here}) and not ({good})"
        ).fetchone()
        all_rejected = int(row[0]) if row else 0
        for number in range(len(verdicts)):
            con.unregister(f"refused_{number}")
    reading.rejected_records += all_rejected
    reading.used = reading.records - reading.dropped - reading.rejected_records


def _add_rows(
    con: duckdb.DuckDBPyConnection,
    plan: RecordPlan,
    verdicts: list[Verdict],
    records: Records,
    reading: FileReading,
) -> None:
    for kind, rows in reading.rows.items():
        same = [verdict for verdict in verdicts if verdict.part.kind == kind]
        if not same:
            continue
        add_rows(con, plan, same, records, rows)
        if plan.grammar.source.delivery == "snapshot":
            # With a record that has no key nothing may be called vanished.
            reading.retracts = reading.retracts and rows.without_key == 0
        else:
            rows.keys.clear()
    if plan.grammar.source.version is not None:
        row = con.execute(
            f"select max(version_order) from {records.table} where dropped_by is null"
        ).fetchone()
        newest = row[0] if row else None
        reading.instant = max(filter(None, (reading.instant, newest)), default=None)


def _span(con: duckdb.DuckDBPyConnection, reading: FileReading) -> None:
    """First and last day that accepted rows speak about."""
    days = [query for rows in reading.rows.values() for query in rows.days]
    if days:
        row = con.execute(f"select min(day), max(day) from ({' union all '.join(days)})").fetchone()
        reading.data_from, reading.data_to = row or (None, None)
