"""The night as one readable body: land, validate, score, measure, report, publish."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from flows import ledger
from flows.errors import (
    InstrumentError,
    RapportError,
    SettingsError,
    StreetError,
    WorkspaceError,
)
from flows.land import archive, inbox_clinics, list_inbox, tidy
from flows.program import program_hash, program_version
from flows.progress import Progress
from flows.publish import publish, published_folder, remove_unfinished
from flows.reference import ReferenceFaults, Service, fill_reference, reference_faults
from flows.settings import Settings, read_settings
from flows.sql_files import BrokenTable, build
from flows.validate import ClinicNight, Pending, clinic_rules, merge_clinic, read_clinic
from flows.warehouse import open_warehouse, transaction
from flows.workspace import Workspace
from schemas.instrument import SHIPPED, InstrumentFaults, load_instruments
from schemas.instrument_types import Instrument

STAGES = ("score", "measure", "report")


@dataclass(frozen=True)
class Outcome:
    """What came of a night.

    Attributes:
        as_of: the night.
        revision: 1, or higher where new input came to a night already published.
        folder: where it is published.
        is_new: something was published now; False where the night stands as it was.
        failed: clinics whose night failed, with the reason.
        refused: files refused or held, with clinic and rule.
        left: files left in the inbox, with clinic and rule.
    """

    as_of: date
    revision: int
    folder: Path
    is_new: bool
    failed: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Night:
    """What the stages of one night share."""

    workspace: Workspace
    settings: Settings
    instruments: dict[str, Instrument]
    key: bytes
    as_of: date
    progress: Progress
    revision: int = 1
    failed: dict[str, str] = field(default_factory=dict)
    left: list[tuple[str, str, str]] = field(default_factory=list)


def nightly(workspace: Workspace, as_of: date, progress: Progress | None = None) -> Outcome:
    """Run one night: read what was dropped, compute, and publish.

    Args:
        workspace: whose night.
        as_of: the logical date; everything is decided as of it, never as of the clock.
        progress: told of every step.

    Raises:
        RapportError: settings, workspace or lock at fault, or a stage after reading failed.
    """
    workspace.check()
    settings = read_settings(workspace)
    instruments = read_instruments(workspace)
    progress = progress or Progress(workspace)
    night = Night(workspace, settings, instruments, workspace.key(), as_of, progress)
    with open_warehouse(workspace, as_of) as con:
        progress.begin(as_of)
        remove_unfinished(workspace)
        published = ledger.last_published(con, as_of)
        night.revision = ledger.begin(con, as_of)
        if ledger.is_past(con, as_of):
            progress.say(f"{as_of} lies before the newest night: nothing is landed")
        else:
            for clinic_id in all_clinics(workspace):
                progress.step("read", clinic_id)
                run_clinic(con, night, clinic_id)
        mark = fingerprint(con, night)
        if published and published.fingerprint == mark:
            ledger.fall_back(con, as_of, night.revision, published.revision)
            night.revision = published.revision
            folder = published_folder(workspace, as_of, published.revision)
            if folder.is_dir():
                return finish(con, night, folder, is_new=False)
        compute(con, night)
        progress.step("publish")
        folder = publish(con, workspace, as_of, night.revision, progress)
        ledger.mark_published(con, as_of, night.revision, mark)
        return finish(con, night, folder, is_new=True)


def read_instruments(workspace: Workspace) -> dict[str, Instrument]:
    """The shipped instruments and the workspace's own.

    Raises:
        InstrumentError: with every fault of every file.
    """
    try:
        return load_instruments([SHIPPED, workspace.instruments])
    except InstrumentFaults as faults:
        raise InstrumentError(faults.faults, "Mend the file in instruments/.") from None


def all_clinics(workspace: Workspace) -> list[str]:
    """Clinics that have a mapping or an inbox: one without the other is named, not passed over."""
    mapped = {path.stem for path in workspace.clinics.glob("*.toml")}
    return sorted(mapped | set(inbox_clinics(workspace)))


def run_clinic(con: duckdb.DuckDBPyConnection, night: Night, clinic_id: str) -> None:
    """Land, read and merge one clinic; whatever goes wrong costs only this clinic's night."""
    try:
        state = land_and_read(con, night, clinic_id)
        reason = None
    except WorkspaceError:
        raise
    except RapportError as error:
        state, reason = "failed", f"{error.headline}: {'; '.join(error.faults)}"
    except Exception as error:  # noqa: BLE001 - the others must have their night
        state, reason = "failed", internal_fault(error)
    if reason is not None:
        night.failed[clinic_id] = reason
        night.progress.say(f"clinic {clinic_id} failed: {reason}")
    ledger.enter_clinic(con, night.as_of, night.revision, clinic_id, state, reason)


def internal_fault(error: BaseException) -> str:
    """Kind and place of an unforeseen error; its own text may hold what a patient said."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/flows/" in f.filename]
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    return f"an unforeseen {type(error).__name__} at {at}; please report it"


def land_and_read(con: duckdb.DuckDBPyConnection, night: Night, clinic_id: str) -> str:
    """The state of the clinic's night: read or nothing new."""
    rules, rules_hash = clinic_rules(night.workspace, clinic_id, night.instruments, night.as_of)
    clinic = ClinicNight(clinic_id, rules, rules_hash)
    again = ledger.readings_under_other_rules(con, clinic_id, rules_hash)
    fresh = land_new(con, night, clinic)
    clinic.is_replay = bool(again)
    files = again + fresh
    if not files:
        return "nothing new"
    scratch = read_clinic(night.workspace, clinic, files, night.key)
    try:
        merge_clinic(con, clinic, scratch, night.as_of, night.revision)
    finally:
        scratch.unlink(missing_ok=True)
    return "read"


def land_new(con: duckdb.DuckDBPyConnection, night: Night, clinic: ClinicNight) -> list[Pending]:
    """Archive what lies in the inbox; the files among it that were not read under these rules."""
    fresh: list[Pending] = []
    stay = ledger.Staying(con, night.as_of, night.revision, clinic.clinic_id, clinic.rules_hash)
    stay.clear()
    for dropped in list_inbox(night.workspace, clinic.clinic_id, night.settings.inbox):
        problem, about = dropped.problem, {"kind": dropped.kind}
        if problem is None:
            problem, about = ledger.unmatched(clinic.rules.mapping, dropped.name)
        if problem is not None:
            stay.enter(dropped.path, problem, about)
            night.left.append((clinic.clinic_id, dropped.name, problem))
            continue
        landed = archive(night.workspace, dropped)
        if landed is None:
            stay.enter(dropped.path, "file-changing", {})
            night.left.append((clinic.clinic_id, dropped.name, "file-changing"))
            continue
        pending = Pending(landed.name, landed.sha256, landed.size, "new")
        known = landed.sha256 in {other.sha256 for other in fresh}
        if known or ledger.was_read(con, clinic.clinic_id, landed.sha256, clinic.rules_hash):
            ledger.enter_unchanged(con, night.as_of, night.revision, clinic.clinic_id, pending)
        elif not ledger.is_landed(con, clinic.clinic_id, landed.sha256):
            fresh.append(pending)
    return fresh


def service_of(night: Night) -> Service:
    """What the settings say, in the words of the reference tables."""
    names = {}
    for clinic_id in all_clinics(night.workspace):
        try:
            rules, _ = clinic_rules(night.workspace, clinic_id, night.instruments, night.as_of)
            names[clinic_id] = rules.mapping.clinic.name or clinic_id
        except RapportError:
            names[clinic_id] = clinic_id
    settings = night.settings
    return Service(
        name=settings.service.name,
        clinics=names,
        revision=night.revision,
        program_version=program_version(),
        thresholds=settings.thresholds,
        protocol=[
            {"clinic": p.clinic, "instrument": p.instrument, "every": p.sessions()}
            for p in settings.protocol
        ],
        outcome_preference=settings.outcome.preference,
        disabled_instruments=settings.instruments.disabled,
    )


def compute(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Score, measure and report, in one transaction.

    Raises:
        StreetError: naming the stage; the text of the engine's error is kept out, it may hold cells.
    """
    service = service_of(night)
    if faults := reference_faults(service, night.instruments):
        raise SettingsError([f"rapport.toml: {fault}" for fault in faults])
    stage = "reference"
    try:
        with transaction(con):
            fill_reference(con, night.instruments, service, night.as_of)
            for stage in STAGES:
                night.progress.step(stage)
                build(con, stage)
    except (BrokenTable, ReferenceFaults) as error:
        raise StreetError(f"{stage}: {error}") from None
    except duckdb.Error as error:
        raise StreetError(f"{stage}: {internal_fault(error)}") from None


def fingerprint(con: duckdb.DuckDBPyConnection, night: Night) -> str:
    """Hash of everything the pages depend on: program, rules, what was read, who failed."""
    parts = [
        program_hash(),
        night.as_of.isoformat(),
        hashlib.sha256(night.workspace.settings.read_bytes()).hexdigest(),
        *(
            f"{i.id}={i.content_hash}"
            for i in sorted(night.instruments.values(), key=lambda i: i.id)
        ),
        *ledger.readings(con, night.as_of),
        *(f"{clinic}: {reason}" for clinic, reason in sorted(night.failed.items())),
        *(
            p.name + hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(night.workspace.clinics.glob("*.toml"))
        ),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def finish(con: duckdb.DuckDBPyConnection, night: Night, folder: Path, *, is_new: bool) -> Outcome:
    """Empty the inbox of what is published, and say what came of the night."""
    night.progress.step("tidy")
    tidy(night.workspace, ledger.landed_files(con, night.as_of))
    refused = ledger.refused(con, night.as_of, night.revision)
    night.progress.end("partly green" if night.failed else "green", folder)
    return Outcome(night.as_of, night.revision, folder, is_new, night.failed, refused, night.left)
