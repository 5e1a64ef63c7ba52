"""Validate: one clinic's files become rows with findings, in the clinic's own scratch database.

Nothing here touches the warehouse but the last step, one short transaction for the whole clinic:
a clinic that fails leaves no trace, and the others do not notice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import MappingError
from flows.land import verified
from flows.passwords import password_part, refuse_locked_out
from flows.reading.cells import literal
from flows.reading.correct import Numbered
from flows.reading.delivery import (
    Accepted,
    DeliveryRules,
    DeliveryTask,
    State,
    merge_file,
    read_delivery,
)
from flows.reading.file import KINDS
from flows.reading.finding import Findings
from flows.reading.incoming import Pseudonyms
from flows.replay import WITHDRAWALS, apply_replay, drop_replay, replay_state
from flows.warehouse import STORAGE, limit_resources, transaction
from flows.workspace import Workspace
from schemas.export_format import Mapping as ClinicMapping
from schemas.export_format import read_mapping
from schemas.instrument_types import Instrument
from schemas.mapping_faults import MappingFaults

EARLIEST = date(1990, 1, 1)
# Raised where the same file would give other rows, or rows other ids: everything landed is read again.
READER = b"4"
# Refusals that leave the file where it is: nothing of it was landed.
NOT_LANDED = (
    "file-unmatched",
    "file-ambiguous",
    "file-not-plain",
    "file-name",
    "file-changing",
)


@dataclass(frozen=True)
class Pending:
    """A file to be read for a clinic: its name, and where its bytes are."""

    name: str
    sha256: str
    size: int
    outcome: str
    is_released: bool = False
    repeat: int = 0


@dataclass
class Delivered:
    """A file that was read, ready to be merged."""

    pending: Pending
    delivery_id: str
    prefix: str
    task: DeliveryTask


@dataclass
class ClinicNight:
    """Everything the night knows of one clinic."""

    clinic_id: str
    rules: DeliveryRules
    rules_hash: str
    files: list[Delivered] = field(default_factory=list)
    is_replay: bool = False
    corrections: Mapping[str, Sequence[Numbered]] = field(default_factory=dict)


def clinic_rules(
    workspace: Workspace, clinic_id: str, instruments: dict[str, Instrument], as_of: date
) -> tuple[DeliveryRules, str]:
    """The clinic's mapping with the instruments it uses, and the hash of both.

    Raises:
        MappingError: with every fault of the mapping.
    """
    path = workspace.clinics / f"{clinic_id}.toml"
    if not path.is_file():
        raise MappingError(
            f"clinics/{clinic_id}.toml: missing", "Write a mapping for this clinic's exports."
        )
    mapping = load_mapping(path)
    check_clinic(mapping, clinic_id)
    rules = DeliveryRules(mapping, instruments, EARLIEST, as_of, workspace.root)
    rules.check()
    parts = [READER, path.read_bytes(), *password_part(workspace, mapping)]
    if any(source.preset for source in mapping.source):
        parts.append(mapping.model_dump_json().encode())
    parts += [
        f"{name}={known.content_hash if known else 'unknown'}".encode()
        for name, known in rules.used().items()
    ]
    return rules, hashlib.sha256(b"\n".join(parts)).hexdigest()


def check_clinic(mapping: ClinicMapping, clinic_id: str) -> None:
    """See that a mapping is the clinic's whose name its file has.

    Raises:
        MappingError: when it is another's.
    """
    if mapping.clinic.id != clinic_id:
        raise MappingError(f"{clinic_id}.toml: clinic.id: is {mapping.clinic.id}, not {clinic_id}")


def load_mapping(path: Path) -> ClinicMapping:
    """Read a mapping file for people: every fault at once.

    Raises:
        MappingError: when the file is missing or has faults.
    """
    try:
        return read_mapping(path)
    except OSError as error:
        raise MappingError(f"{path}: cannot be read ({error.strerror})") from None
    except MappingFaults as faults:
        raise MappingError(
            faults.faults, "The mapping grammar is described in docs/mapping.md."
        ) from None


def delivery_id(clinic_id: str, pending: Pending, source: str | None, rules_hash: str) -> str:
    """Identity of one reading: whose file, which bytes, as what, under which rules, which time."""
    released = "released" if pending.is_released else ""
    text = "\x1f".join(
        (clinic_id, pending.sha256, source or "", rules_hash, released, str(pending.repeat))
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_clinic(
    workspace: Workspace, night: ClinicNight, files: Sequence[Pending], key: bytes
) -> Path:
    """Read files in order of arrival into the clinic's scratch database; its path."""
    workspace.scratch.mkdir(exist_ok=True)
    path = workspace.scratch / f"{night.clinic_id}.duckdb"
    path.unlink(missing_ok=True)
    con = duckdb.connect(str(path), config=STORAGE)
    try:
        limit_resources(con, workspace.scratch)
        Pseudonyms(key, night.clinic_id).install(con)
        for number, pending in enumerate(files):
            prefix = f"d{number}"
            bytes_at = verified(workspace, pending.sha256)
            task = read_delivery(
                con,
                bytes_at,
                night.rules,
                workspace.scratch,
                prefix,
                name=pending.name,
                corrections=night.corrections.get(pending.sha256, ()),
            )
            source = task.source.name if task.source else None
            identity = delivery_id(night.clinic_id, pending, source, night.rules_hash)
            task.is_released = pending.is_released
            night.files.append(Delivered(pending, identity, prefix, task))
            for table in ("record", "record_line"):
                con.execute(f"drop table if exists {table}")
    finally:
        con.close()
    return path


def merge_clinic(
    con: duckdb.DuckDBPyConnection, night: ClinicNight, scratch: Path, as_of: date, revision: int
) -> None:
    """Merge a clinic's scratch database into the warehouse in one transaction."""
    con.execute(f"attach {literal(str(scratch))} as scratch (read_only)")
    try:
        with transaction(con):
            state = replay_state(con) if night.is_replay else _warehouse_state(con, night)
            for delivered in night.files:
                counts = merge_file(
                    con, delivered.task, state, f"scratch.{delivered.prefix}", as_of, night.rules,
                    delivered.delivery_id,
                )  # fmt: skip
                _record(con, night, delivered, counts, as_of, revision)
            if night.is_replay:
                locked = [d for d in night.files if d.task.reading.refused == "password-wrong"]
                refuse_locked_out(con, night.clinic_id, [d.pending.sha256 for d in locked])
                apply_replay(con, night.clinic_id, as_of)
    finally:
        con.execute("detach scratch")
        drop_replay(con)


def _warehouse_state(con: duckdb.DuckDBPyConnection, night: ClinicNight) -> State:
    accepted = {
        source: Accepted(instant, records)
        for source, instant, records in con.execute(
            """
            select source_name, max(instant),
                   arg_max(n_records - n_dropped, sequence) as records
            from landed.delivery_record
            where clinic_id = $clinic and is_snapshot and state = 'read' and not is_stale
            group by source_name order by source_name""",
            {"clinic": night.clinic_id},
        ).fetchall()
    }
    tables = {kind: f"valid.{kind}_version" for kind in KINDS}
    return State(tables, WITHDRAWALS, accepted)


def _record(
    con: duckdb.DuckDBPyConnection,
    night: ClinicNight,
    delivered: Delivered,
    counts: dict[str, dict[str, int]],
    as_of: date,
    revision: int,
) -> None:
    """Enter one delivery with its counts and findings in the ledger, both sums checked."""
    reading, source = delivered.task.reading, delivered.task.source
    pending, forms = delivered.pending, counts["form"]
    state = "refused" if reading.refused else "held" if reading.held_whole else "read"
    if reading.refused:
        reading.used, reading.rejected_records = 0, reading.records - reading.dropped
    check_sums(delivered, counts)
    identity = {"id": delivered.delivery_id, "clinic": night.clinic_id}
    _supersede(con, night, delivered, as_of, state)
    sequence = con.execute(
        "select coalesce(max(sequence), 0) + 1 from landed.delivery_record where clinic_id = ?",
        [night.clinic_id],
    ).fetchone()
    row = {
        "delivery_id": delivered.delivery_id,
        "clinic_id": night.clinic_id,
        "source_name": source.name if source else None,
        "file_name": pending.name,
        "sha256": pending.sha256,
        "size_bytes": pending.size,
        "rules_hash": night.rules_hash,
        "as_of": as_of,
        "revision": revision,
        "sequence": sequence[0] if sequence else 1,
        "repeat": pending.repeat,
        "state": state,
        "reason": reading.refused or reading.held_whole,
        "is_snapshot": bool(source and source.delivery == "snapshot"),
        "is_stale": is_stale(delivered),
        "instant": reading.instant,
        "n_records": reading.records,
        "n_used": reading.used,
        "n_dropped": reading.dropped,
        "n_rejected": reading.rejected_records,
        "forms_found": reading.found["form"],
        **{f"forms_{outcome}": n for outcome, n in forms.items()},
        "data_from": reading.data_from,
        "data_to": reading.data_to,
    }
    _insert(con, "landed.delivery_record", row)
    for kind, n in counts.items():
        part = {"delivery_id": delivered.delivery_id, "kind": kind, "found": reading.found[kind]}
        _insert(con, "landed.part_count", part | n)
    outcome = pending.outcome if state == "read" else state
    arrival = {
        "as_of": as_of, "revision": revision, "clinic_id": night.clinic_id,
        "file_name": pending.name, "sha256": pending.sha256,
        "delivery_id": delivered.delivery_id, "outcome": outcome, "reason": row["reason"],
    }  # fmt: skip
    _insert(con, "landed.arrival_record", arrival)
    of = {**identity, "name": pending.name, "as_of": as_of}
    enter_findings(con, reading.findings, of)
    enter_findings(con, reading.refused_risks(), of, "refused_risk_record")


def enter_findings(
    con: duckdb.DuckDBPyConnection,
    findings: Findings,
    of: dict[str, Any],
    table: str = "finding_record",
) -> None:
    """Enter the findings of one delivery; `of` gives its id, clinic, file name and night."""
    con.register("finding_frame", findings.frame())
    columns = "*, $id as delivery_id, $clinic as clinic_id, $name as file_name, $as_of as as_of"
    con.execute(f"insert into finding.{table} by name select {columns} from finding_frame", of)
    con.unregister("finding_frame")


def check_sums(delivered: Delivered, counts: dict[str, dict[str, int]]) -> None:
    """Nothing is lost between the file and the warehouse, or this clinic's night fails."""
    reading = delivered.task.reading
    parts = reading.used + reading.dropped + reading.rejected_records
    if reading.records != parts:
        raise AssertionError(f"{reading.records} records, {parts} accounted for")
    for kind, n in counts.items():
        if reading.refused is None and reading.found[kind] != sum(n.values()):
            raise AssertionError(
                f"{reading.found[kind]} of {kind}, {sum(n.values())} accounted for"
            )


def is_stale(delivered: Delivered) -> bool:
    """True where a snapshot restates an older state than one read before."""
    return any(f.rule == "snapshot-older" for f in delivered.task.reading.findings.single)


def _supersede(
    con: duckdb.DuckDBPyConnection,
    night: ClinicNight,
    delivered: Delivered,
    as_of: date,
    state: str,
) -> None:
    """Findings of an earlier reading of the same bytes, or of an older snapshot, are history."""
    source = delivered.task.source
    replaces_source = bool(
        source and source.delivery == "snapshot" and state == "read" and not is_stale(delivered)
    )
    con.execute(
        """
        update landed.delivery_record set superseded_on = $as_of
        where superseded_on is null and clinic_id = $clinic
          and (sha256 = $sha or ($snapshot and source_name = $source))""",
        {
            "as_of": as_of,
            "clinic": night.clinic_id,
            "sha": delivered.pending.sha256,
            "snapshot": replaces_source,
            "source": source.name if source else "",
        },
    )


def _insert(con: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(row)
    places = ", ".join(f"${name}" for name in row)
    con.execute(f"insert into {table} ({columns}) values ({places})", row)
