"""The clinics' part of a night: land, read and merge; one that fails costs only its own night."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from flows import ledger
from flows.corrections import corrections_hash, corrections_of
from flows.edge import put_numbers_aside
from flows.errors import MissingInbox, RapportError, WorkspaceError
from flows.land import Landed, archive, list_inbox
from flows.night import Night, internal_fault
from flows.steps import attempt
from flows.validate import ClinicNight, Pending, clinic_rules, merge_clinic, read_clinic
from schemas.export_format import Source


@dataclass(frozen=True)
class Reading:
    """A clinic whose files are known and wait to be read."""

    clinic: ClinicNight
    files: list[Pending]


def land_and_read(con: duckdb.DuckDBPyConnection, night: Night, clinics: list[str]) -> None:
    """Land, read and merge the clinics; whatever goes wrong with one costs only its own night."""
    readings: dict[str, Reading] = {}
    for clinic_id in clinics:
        night.progress.step("land", clinic_id)
        found = attempt(lambda clinic_id: prepare_clinic(con, night, clinic_id), clinic_id)
        if isinstance(found, Exception):
            enter(con, night, clinic_id, found)
        elif found.files:
            readings[clinic_id] = found
        else:
            enter(con, night, clinic_id, "nothing new")
    night.progress.step("read", ", ".join(readings))
    scratch = night.steps.each(
        "read",
        lambda reading: read_clinic(night.workspace, reading.clinic, reading.files, night.key),
        list(readings.values()),
    )
    for (clinic_id, reading), path in zip(readings.items(), scratch, strict=True):
        night.progress.step("merge", clinic_id)
        merged = path
        if not isinstance(path, Exception):
            merged = attempt(partial(merge_and_clear, con, night, reading), path)
        enter(con, night, clinic_id, merged if isinstance(merged, Exception) else "read")


def merge_and_clear(
    con: duckdb.DuckDBPyConnection, night: Night, reading: Reading, scratch: Path
) -> None:
    """Merge a clinic's scratch database, and leave nothing of it behind."""
    try:
        merge_clinic(con, reading.clinic, scratch, night.as_of, night.revision)
        if night.settings.privacy.patient_numbers:
            put_numbers_aside(night.workspace, reading.clinic.clinic_id, scratch)
    finally:
        scratch.unlink(missing_ok=True)


def enter(
    con: duckdb.DuckDBPyConnection, night: Night, clinic_id: str, result: str | Exception
) -> None:
    """Enter how a clinic's night went, and name it where it failed."""
    if isinstance(result, WorkspaceError):
        raise result
    state, reason = (result, None) if isinstance(result, str) else ("failed", told(result))
    if reason is not None:
        night.failed[clinic_id] = reason
        night.progress.say(f"clinic {clinic_id} failed: {reason}")
    ledger.enter_clinic(con, night.as_of, night.revision, clinic_id, state, reason)


def told(error: Exception) -> str:
    """What is said of an error: its own sentences where it is one for people."""
    if isinstance(error, RapportError):
        return f"{error.headline}: {'; '.join(error.faults)}"
    return internal_fault(error)


def prepare_clinic(con: duckdb.DuckDBPyConnection, night: Night, clinic_id: str) -> Reading:
    """Land a clinic's files; which of them, and of those landed before, are to be read."""
    rules, rules_hash = clinic_rules(night.workspace, clinic_id, night.instruments, night.as_of)
    if not (night.workspace.inbox / clinic_id).is_dir():
        raise MissingInbox(
            f"inbox/{clinic_id}: the folder is missing; is a share not mounted, or is the clinic new?"
        )
    corrections = corrections_of(con, clinic_id, night.corrections)
    if corrections:
        both = f"{rules_hash} {corrections_hash(corrections)}"
        rules_hash = hashlib.sha256(both.encode()).hexdigest()
    rules_hash = ledger.rules_in_force(con, clinic_id, rules_hash)
    clinic = ClinicNight(clinic_id, rules, rules_hash, corrections=corrections)
    again = ledger.readings_under_other_rules(con, clinic_id, rules_hash)
    fresh = land_new(con, night, clinic)
    clinic.is_replay = bool(again)
    released = [] if again else ledger.released_unread(con, clinic_id, rules_hash)
    return Reading(clinic, again + fresh + released)


def land_new(con: duckdb.DuckDBPyConnection, night: Night, clinic: ClinicNight) -> list[Pending]:
    """Archive what lies in the inbox; the files among it that were not read under these rules."""
    fresh: list[Pending] = []
    stay = ledger.Staying(con, night.as_of, night.revision, clinic.clinic_id, clinic.rules_hash)
    stay.clear()
    for dropped in list_inbox(night.workspace, clinic.clinic_id, night.settings.inbox):
        problem, about = dropped.problem, {"kind": dropped.kind}
        source, landed = None, None
        if problem is None:
            source, problem, about = ledger.source_of(clinic.rules.mapping, dropped.name)
        if source is not None:
            landed = archive(night.workspace, dropped)
            problem = None if landed else "file-changing"
        if source is None or landed is None:
            stay.enter(dropped.name, problem or "file-changing", about)
            night.left.append((clinic.clinic_id, dropped.name, problem or "file-changing"))
            continue
        fresh += as_news(con, night, clinic, source, landed, fresh)
    return fresh


def as_news(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    clinic: ClinicNight,
    source: Source,
    landed: Landed,
    fresh: list[Pending],
) -> list[Pending]:
    """The landed file where it has to be read; known bytes are recorded as a no-op."""
    pending = Pending(landed.name, landed.sha256, landed.size, "new")
    twice = [p for p in fresh if p.sha256 == landed.sha256]
    same_source = [p for p in twice if ledger.source_of(clinic.rules.mapping, p.name)[0] is source]
    times = ledger.times_read(con, clinic.clinic_id, source, landed.sha256, clinic.rules_hash)
    if same_source or times is None:
        ledger.enter_unchanged(con, night.as_of, night.revision, clinic.clinic_id, pending)
        return []
    if times == 0 and ledger.is_landed(con, clinic.clinic_id, source, landed.sha256):
        return []  # landed under other rules: it is among those read again
    return [replace(pending, repeat=times)]
