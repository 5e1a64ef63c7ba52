"""The night as one readable body: land, validate, score, measure, report, publish."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

import duckdb

from flows import ledger
from flows.aliases import enter_aliases, load_aliases
from flows.clinics import land_and_read
from flows.compute import compute
from flows.corrections import load_corrections
from flows.edge import edge_tables, load_names, load_supervision
from flows.errors import RapportError, StreetError, UnlikelyNight, WorkspaceError
from flows.land import list_inbox, tidy
from flows.night import Night, Outcome, all_clinics, mapping_files, read_instruments
from flows.objections import enter_objections, load_objections, standing_objections
from flows.program import program_hash
from flows.progress import Progress
from flows.publish import publish, published_folder, remove_unfinished
from flows.settings import Settings, read_settings
from flows.steps import PlainSteps
from flows.validate import EARLIEST
from flows.warehouse import open_warehouse
from flows.workspace import Workspace


def nightly(
    workspace: Workspace,
    as_of: date,
    progress: Progress | None = None,
    steps: PlainSteps | None = None,
    only_clinic: str | None = None,
) -> Outcome:
    """Run one night: read what was dropped, compute, and publish.

    Args:
        workspace: whose night.
        as_of: the logical date; everything is decided as of it, never as of the clock.
        progress: told of every step.
        steps: how steps are called: plainly, or as a scheduler's tasks.
        only_clinic: read this clinic alone; the others keep what they had.

    Raises:
        RapportError: settings, workspace or lock at fault, or a stage after reading failed.
    """
    workspace.check()
    settings = read_settings(workspace)
    refuse_unlikely(as_of, settings)
    instruments = read_instruments(workspace)
    progress = progress or Progress(workspace)
    key, steps = workspace.key(), steps or PlainSteps()
    night = Night(workspace, settings, instruments, key, as_of, progress, steps)
    clinics = chosen_clinics(workspace, only_clinic)
    with open_warehouse(workspace, as_of) as con:
        progress.begin(as_of)
        try:
            return run_street(con, night, clinics)
        except RapportError as error:
            progress.fail(error.headline, error.faults)
            raise
        except OSError as error:
            progress.fail("the disk", [error.strerror or "cannot be written"])
            raise StreetError(
                f"{error.filename or workspace.root}: {error.strerror}",
                "Free some space; the last green night stands, the next run goes on from here.",
            ) from None


def run_street(con: duckdb.DuckDBPyConnection, night: Night, clinics: list[str]) -> Outcome:
    """The stages in their order, each as one step."""
    as_of, workspace, progress = night.as_of, night.workspace, night.progress
    night.corrections, aliases = load_corrections(con, workspace), load_aliases(workspace)
    night.names = load_names(workspace)
    night.supervision = load_supervision(workspace, all_clinics(workspace))
    objections = load_objections(workspace, all_clinics(workspace))
    remove_unfinished(workspace)
    ledger.check_key(con, night.key)
    published = ledger.last_published(con, as_of)
    night.revision = ledger.begin(con, as_of)
    if ledger.is_past(con, as_of):
        progress.say(f"{as_of} lies before the newest night: nothing is landed")
        night.left += [
            (clinic_id, dropped.name, "night-past")
            for clinic_id in clinics
            for dropped in list_inbox(workspace, clinic_id, night.settings.inbox)
        ]
    else:
        ledger.enter_skipped(con, night.settings.schedule.cron, as_of)
        land_and_read(con, night, clinics)
        night.unknown_aliases = enter_aliases(con, aliases, night.key, as_of)
        enter_objections(con, objections, night.key, as_of)
    mark = fingerprint(con, night)
    if published and published.fingerprint == mark:
        ledger.fall_back(con, as_of, night.revision, published.revision)
        night.revision = published.revision
        folder = published_folder(workspace, as_of, published.revision)
        if folder.is_dir():
            return finish(con, night, folder, is_new=False)
    night.steps.call("score, measure, report", compute, con, night)
    progress.step("publish")
    folder = night.steps.call(
        "publish",
        publish,
        con,
        workspace,
        as_of,
        night.revision,
        progress,
        night.settings.service.language,
        edge_tables(con, night),
    )
    ledger.mark_published(con, as_of, night.revision, mark)
    return finish(con, night, folder, is_new=True)


def refuse_unlikely(as_of: date, settings: Settings) -> None:
    """A night ahead would hide every real night after it.

    Raises:
        UnlikelyNight: when the night lies ahead, or before there were any exports.
    """
    today = datetime.now(settings.service.zone).date()
    if not EARLIEST <= as_of <= today:
        raise UnlikelyNight(
            f"{as_of}: a night lies between {EARLIEST} and today, {today} at the service",
            "Mend --as-of, or the machine's clock.",
        )


def chosen_clinics(workspace: Workspace, only_clinic: str | None) -> list[str]:
    """All clinics, or the one asked for.

    Raises:
        WorkspaceError: when there is no such clinic.
    """
    clinics = all_clinics(workspace)
    if only_clinic is None:
        return clinics
    if only_clinic not in clinics:
        known = ", ".join(clinics) or "none"
        raise WorkspaceError(f"clinic {only_clinic}: there is none; there are {known}")
    return [only_clinic]


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
        *ledger.aliases(con),
        *(f"{row.clinic}/{row.id}={row.name}" for row in night.names),
        *(f"{row.supervisor}: {row.clinic}/{row.therapist}" for row in night.supervision),
        *standing_objections(con),
        *(f"{clinic}: {reason}" for clinic, reason in sorted(night.failed.items())),
        *(
            p.name + hashlib.sha256(p.read_bytes()).hexdigest()
            for p in mapping_files(night.workspace)
        ),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def finish(con: duckdb.DuckDBPyConnection, night: Night, folder: Path, *, is_new: bool) -> Outcome:
    """Empty the inbox of what is published, and say what came of the night."""
    night.progress.step("tidy")
    tidy(night.workspace, ledger.landed_files(con, night.as_of))
    refused = ledger.refused(con, night.as_of, night.revision)
    night.progress.end("partly green" if night.failed else "green", folder)
    return Outcome(
        night.as_of, night.revision, folder, is_new, night.failed, refused, night.left,
        night.unknown_aliases,
    )  # fmt: skip
