"""One delivered file: which source it belongs to, read, and merged by the source's kind of delivery."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import FileRefused, MappingError
from flows.reading.correct import Numbered
from flows.reading.file import KINDS, FileReading, FileTask, read_file
from flows.reading.finding import Findings
from flows.reading.mapping_check import mapping_faults
from flows.reading.merge import (
    Merge,
    close_withdrawn,
    create_state,
    merge,
    retract_vanished,
    tell_two_people,
    withdraw,
)
from schemas.export_format import Mapping, Shrink, Source
from schemas.instrument import find
from schemas.instrument_types import Instrument
from schemas.shaping import shaped_source
from schemas.tables import Bounds


@dataclass(frozen=True)
class DeliveryRules:
    """Everything that decides how a clinic's files are read.

    Attributes:
        mapping: the clinic's mapping.
        instruments: the registry by id.
        earliest: first believable day.
        latest: the night; None in `rapport read`.
        workspace: its folder, where password files are looked for.
    """

    mapping: Mapping
    instruments: dict[str, Instrument]
    earliest: date
    latest: date | None
    workspace: Path | None = None

    def used(self) -> dict[str, Instrument | None]:
        """The registry's entry for every name the mapping uses."""
        sources = [shaped_source(source) for source in self.mapping.source]
        names = {form.instrument for source in sources for form in source.form}
        return {name: find(self.instruments, name) for name in sorted(names)}

    def check(self) -> None:
        """Compare the mapping with the registry, and try its patterns and formats out.

        Raises:
            MappingError: with every fault, each beginning with its dotted path.
        """
        faults = mapping_faults(self.mapping, self.used())
        if faults:
            raise MappingError(faults, "The mapping grammar is described in docs/mapping.md.")


@dataclass
class DeliveryTask:
    """One file being read."""

    source: Source | None
    reading: FileReading
    is_released: bool = False


@dataclass
class Accepted:
    """What the last accepted snapshot of a source was."""

    instant: str | None = None
    records: int | None = None


@dataclass
class State:
    """Where rows are merged to, and what was accepted so far.

    Attributes:
        tables: state table by kind.
        withdrawals: table of what was withdrawn.
        accepted: last accepted snapshot by source name.
        in_memory: the tables are made as the first rows come.
        tracks_order: keep where each row was last seen, for rows printed in file order.
    """

    tables: dict[str, str]
    withdrawals: str = "withdrawal"
    accepted: dict[str, Accepted] = field(default_factory=dict)
    in_memory: bool = False
    tracks_order: bool = False
    sequence: int = 0


def open_state(*, with_text: bool) -> State:
    """An empty state in memory."""
    tables = {kind: f"{kind}_version" for kind in KINDS}
    return State(tables, in_memory=True, tracks_order=with_text)


def find_source(mapping: Mapping, name: str, *, only_one_will_do: bool = False) -> Source:
    """The source whose pattern matches a file name.

    Raises:
        FileRefused: when none or several match.
    """
    fitting = [source for source in mapping.source if fnmatch.fnmatchcase(name, source.match)]
    if not fitting and only_one_will_do and len(mapping.source) == 1:
        fitting = list(mapping.source)
    if not fitting:
        expected = ", ".join(source.match for source in mapping.source)
        raise FileRefused("file-unmatched", expected=expected)
    if len(fitting) > 1:
        names = ", ".join(source.name for source in fitting)
        raise FileRefused("file-ambiguous", sources=names)
    return fitting[0]


def read_delivery(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    rules: DeliveryRules,
    scratch: Path,
    prefix: str,
    *,
    with_text: bool = False,
    name: str | None = None,
    corrections: Sequence[Numbered] = (),
) -> DeliveryTask:
    """Find the source of a file and read it into tables of `con` that begin with `prefix`.

    Args:
        con: a connection with the pseudonym macros installed.
        path: the bytes.
        rules: mapping, registry and believable days.
        scratch: folder for decoded text.
        prefix: of the tables.
        with_text: keep answers as text.
        name: the file's name where `path` is an archived copy.
        corrections: cells of this file known to be wrong.
    """
    try:
        source = find_source(rules.mapping, name or path.name, only_one_will_do=with_text)
    except FileRefused as refusal:
        reading = FileReading(refused=refusal.rule)
        reading.findings.add(refusal.rule, **refusal.about)
        return DeliveryTask(None, reading)
    task = FileTask(
        path=path,
        source=source,
        timezone=rules.mapping.clinic.timezone,
        instruments=rules.used(),
        bounds=Bounds(rules.earliest, rules.latest),
        scratch=scratch,
        prefix=prefix,
        with_text=with_text,
        corrections=corrections,
        workspace=rules.workspace,
    )
    return DeliveryTask(source, read_file(con, task))


def merge_file(
    con: duckdb.DuckDBPyConnection,
    task: DeliveryTask,
    state: State,
    prefix: str,
    as_of: date,
    rules: DeliveryRules,
    delivery_id: str = "",
) -> dict[str, dict[str, int]]:
    """Merge what was read; by kind, how many rows were new, superseding, unchanged, rejected, held."""
    reading, source = task.reading, task.source
    counts: dict[str, dict[str, int]] = {
        kind: {"new": 0, "superseding": 0, "unchanged": 0} for kind in KINDS
    }
    if source is not None and reading.refused is None:
        if task.is_released:
            reading.held_whole = None
        stale = _settle_snapshot(source, reading, state, is_released=task.is_released)
        for kind in KINDS:
            if not _has(con, f"{prefix}_{kind}"):
                continue
            job = Merge(
                kind, f"{prefix}_{kind}", state.tables[kind], rules.mapping.clinic.id, source.name,
                delivery_id, as_of, versioned=source.version is not None, stale=stale,
                repeats=reading.rows[kind].repeats, withdrawals=state.withdrawals,
            )  # fmt: skip
            if state.in_memory:
                create_state(con, job)
            if reading.held_whole is not None:
                row = con.execute(f"select count(*) from {job.incoming}").fetchone()
                reading.held[kind] += int(row[0]) if row else 0
                continue
            merged = merge(con, job, reading.findings)
            reading.rejected[kind] += merged.pop("rejected")
            counts[kind] = merged
            if stale:
                continue
            _take_back(con, job, prefix, reading)
            _tell_people(con, job, source, reading.findings)
            if state.tracks_order and kind == "form":
                _remember_order(con, job, state.sequence)
        state.sequence += 1
    for kind in KINDS:
        counts[kind] |= {"rejected": reading.rejected[kind], "held": reading.held[kind]}
    return counts


def _take_back(
    con: duckdb.DuckDBPyConnection, job: Merge, prefix: str, reading: FileReading
) -> None:
    """Retract what a snapshot no longer has, and what its own system calls entered in error."""
    keys, withdrawn = (f"{prefix}_{what}_{job.kind}" for what in ("keys", "withdrawn"))
    if reading.retracts and _has(con, keys):
        retract_vanished(con, job, keys, reading.findings)
    if job.versioned:
        close_withdrawn(con, job, reading.findings)
    if _has(con, withdrawn):
        withdraw(con, job, withdrawn)


def _tell_people(
    con: duckdb.DuckDBPyConnection, job: Merge, source: Source, findings: Findings
) -> None:
    if job.kind == "episode" and source.episode is not None and source.episode.sex is not None:
        tell_two_people(con, job, " / ".join(source.episode.sex.columns), findings)


def _settle_snapshot(
    source: Source, reading: FileReading, state: State, *, is_released: bool
) -> bool:
    """Hold a short snapshot; True where it restates an older state than the last accepted one."""
    if source.delivery != "snapshot" or reading.held_whole is not None:
        return False
    last = state.accepted.setdefault(source.name, Accepted())
    if last.instant is not None and reading.instant is not None and reading.instant < last.instant:
        reading.findings.add("snapshot-older")
        return True
    records = reading.records - reading.dropped
    shrink = source.shrink or Shrink()
    if last.records and not is_released:
        share = records / last.records
        about: dict[str, Any] = {"records": records, "before": last.records}
        if share < shrink.hold:
            reading.held_whole = "file-shrunk"
            reading.findings.add("file-shrunk", share=f"{shrink.hold:.0%}", **about)
            return False
        if share < shrink.warn:
            reading.findings.add("file-shrinking", **about)
    last.instant = max(filter(None, (last.instant, reading.instant)), default=None)
    last.records = records
    return False


def _has(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    name = table.rsplit(".", maxsplit=1)[-1]
    row = con.execute(
        "select count(*) from duckdb_views() where view_name = $name", {"name": name}
    ).fetchone()
    return bool(row and row[0])


def _remember_order(con: duckdb.DuckDBPyConnection, job: Merge, sequence: int) -> None:
    con.execute(
        "create table if not exists form_seen"
        " (row_id varchar, sequence integer, line integer, place bigint, part integer)"
    )
    con.execute(f"delete from form_seen where row_id in (select row_id from {job.incoming})")
    con.execute(
        f"insert into form_seen select row_id, {sequence}, max(line), max(row), max(part) from {job.incoming}"
        " group by row_id"
    )
