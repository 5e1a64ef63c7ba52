"""The command line: reads the words, calls one function, says what came of it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from flows import errors
from flows.errors import RapportError
from flows.workspace import Workspace

app = typer.Typer(
    name="rapport",
    help="Nightly outcome, alliance and dropout monitoring for outpatient psychotherapy.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WorkspaceOption = Annotated[
    Path, typer.Option("-w", "--workspace", metavar="DIR", help="The workspace to work in.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
DirectoryArgument = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="Folder to create; the same as -w DIR.")
]
HERE = Path()


@app.command(epilog="Example: rapport init my-service")
def init(
    directory: DirectoryArgument = None,
    name: Annotated[
        str, typer.Option(help="Name of the service, printed on every page.")
    ] = "My service",
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Create a commented workspace with its own pseudonymisation key."""
    from flows.init import make_workspace

    directory = directory or workspace
    make_workspace(Workspace(directory), name)
    if not quiet:
        out.print(
            f"{directory} is ready.\n"
            f"1. Put one mapping file per clinic into {directory}/clinics/ (docs/mapping.md)\n"
            f"2. Drop exports into {directory}/inbox/<clinic>/\n"
            f"3. rapport run -w {directory}\n"
            f"Back up {directory}/key now: a lost key gives every patient a new pseudonym.",
            markup=False,
        )


@app.command(epilog="Example: rapport demo /tmp/demo --small")
def demo(
    directory: DirectoryArgument = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another service.")] = 1,
    small: Annotated[
        bool, typer.Option("--small", help="Eight therapists, not thirty-eight.")
    ] = False,
    large: Annotated[
        bool,
        typer.Option("--large", help="86 therapists: enough for chances of leaving to be shown."),
    ] = False,
    workspace: WorkspaceOption = Path("rapport-demo"),
    quiet: QuietOption = False,
) -> None:
    """Make a workspace with three synthetic clinics, run two nights, print where the report is."""
    from flows.demo import make_demo
    from flows.terminal import progress_for

    if small and large:
        raise typer.BadParameter("name one of --small and --large")
    size = "small" if small else "large" if large else "full"
    space = Workspace(directory or workspace)
    with progress_for(space, err, quiet=quiet) as progress:
        outcome = make_demo(space, seed, size=size, progress=progress)
    _tell_outcome(outcome, quiet=quiet)


@app.command(epilog="Example: rapport run --as-of 2026-11-17 -w my-service")
def run(
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DATE", help="The night's date; today where the service is."
        ),
    ] = None,
    clinic: Annotated[
        str | None, typer.Option(help="Read this clinic alone; the others keep what they had.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Run one night now: read the inboxes, compute, publish. Needs no server."""
    from flows.nightly import nightly
    from flows.notify import tell_failure, tell_outcome
    from flows.terminal import progress_for

    space = Workspace(workspace)
    night = _night(space, as_of)
    try:
        with progress_for(space, err, quiet=quiet) as progress:
            outcome = nightly(space, night, progress, only_clinic=clinic)
    except RapportError as error:
        tell_failure(space, f"{error.headline}: {'; '.join(error.faults)}")
        raise
    _tell_outcome(outcome, quiet=quiet)
    for problem in tell_outcome(space, outcome):
        err.print(problem, markup=False)
    if outcome.failed:
        raise typer.Exit(errors.PARTLY_GREEN)
    if outcome.refused or outcome.left:
        raise typer.Exit(errors.FILE_REFUSED)


@app.command(epilog='Example: rapport schedule --cron "0 3 * * *" -w my-service')
def schedule(
    cron: Annotated[
        str | None, typer.Option(help="Five fields; instead of schedule.cron in rapport.toml.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Prefect API; else PREFECT_API_URL; else one is started."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Of the server that is started.")] = None,
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Run every night at its time until stopped (Ctrl-C, or a signal to end)."""
    from flows.calendar import is_cron
    from flows.schedule import keep_schedule

    if cron is not None and not is_cron(cron):
        raise typer.BadParameter(
            f"{cron} is not a cron expression of five fields", param_hint="--cron"
        )
    if not quiet:
        err.print(f"Scheduling nights of {workspace}; stop with Ctrl-C.", markup=False)
    keep_schedule(
        Workspace(workspace), cron, server, port, lambda text: err.print(text, markup=False)
    )


@app.command(
    epilog='Example: rapport release 3f9a12 --why "discharged patients removed, checked by phone"'
)
def release(
    delivery: Annotated[
        str,
        typer.Argument(metavar="DELIVERY", help="Its id (or the first digits), or its file name."),
    ],
    why: Annotated[str, typer.Option(help="The reason; kept in the ledger.")],
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Release a held file: the next night reads it as it is."""
    from flows import ledger
    from flows.warehouse import open_warehouse

    space = Workspace(workspace)
    today = _night(space, None)
    with open_warehouse(space, today) as con:
        name = ledger.release(con, delivery, why, today)
    if not quiet:
        out.print(f"{name} is released; the next night reads it.", markup=False)


@app.command(epilog="Example: rapport check new_export.csv --clinic alder -w my-service")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exported files.")],
    clinic: Annotated[str | None, typer.Option(help="Use this clinic's mapping.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="M.toml", help="Use this mapping file.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Say what tonight would say of these files, and write nothing.

    Exit code 0 only when no row and no file would be refused or held.
    """
    from flows.checking import check_files

    found = check_files(Workspace(workspace), files, clinic, mapping)
    if not quiet:
        for line in found.lines():
            out.print(line, markup=False)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@app.command(epilog="Example: rapport read export.csv --mapping clinics/alder.toml --rows rows.csv")
def read(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Exported files, in order of arrival.")
    ],
    mapping: Annotated[Path, typer.Option(metavar="M.toml", help="The mapping file to try.")],
    rows: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write the canonical rows here.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(metavar="OUT.json", help="Write the findings here.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Show the canonical long rows that Rapport makes of files; ids as in the file, nothing stored.

    Without --rows the rows go to standard output.
    """
    from flows.checking import read_files
    from flows.reading.canonical import as_plain_csv

    reading = read_files(Workspace(workspace), files, mapping, rows, findings)
    if rows is None:
        sys.stdout.write(as_plain_csv(reading.rows))
    elif not quiet:
        rejects = reading.findings.filter(reading.findings["severity"] == "reject").height
        err.print(
            f"{reading.rows.height} rows, {reading.findings.height} findings ({rejects} rejects)"
        )
    if not quiet and findings is None:
        for row in reading.findings.iter_rows(named=True):
            err.print(_finding_line(row), markup=False)


@app.command(epilog="Example: rapport inspect export.csv --draft clinics/alder.toml")
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An exported file.")],
    draft: Annotated[
        Path | None, typer.Option(metavar="M.toml", help="Write a mapping to edit here.")
    ] = None,
    dictionary: Annotated[
        Path | None, typer.Option(metavar="D.csv", help="REDCap's data dictionary.")
    ] = None,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Say what a file looks like, and draft a mapping; answer codes are counted, ids never shown."""
    from flows.inspecting.report import inspect_file
    from flows.night import read_instruments

    instruments = read_instruments(Workspace(workspace))
    for line in inspect_file(file, instruments, dictionary, draft):
        out.print(line, markup=False)


@app.command(epilog="Example: rapport score forms.jsonl > scored.jsonl")
def score(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Forms as JSON lines; - for input.")],
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Score single forms, one JSON line each, as the night would; nothing is stored.

    Exit code 32 when a line has faults; the others are scored all the same.
    """
    from flows.night import read_instruments
    from flows.score_lines import score_file

    tally = score_file(file, read_instruments(Workspace(workspace)), sys.stdout.write)
    if tally.faulty:
        if not quiet:
            numbers = ", ".join(map(str, tally.faulty[:20]))
            err.print(f"{len(tally.faulty)} of {tally.lines} lines have faults: {numbers}")
        raise typer.Exit(errors.LINES_REFUSED)


@app.command(epilog="Example: rapport status --json -w my-service")
def status(
    workspace: WorkspaceOption = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell of the last run, the last green night, what was refused and which clinic is late.

    Reads files only: works while a night runs. Exit code 40 when a scheduled night is overdue.
    """
    from flows.status import read_status

    found = read_status(Workspace(workspace), datetime.now(UTC))
    if as_json:
        sys.stdout.write(
            json.dumps(found.content, indent=1, ensure_ascii=False, default=str) + "\n"
        )
    else:
        for line in found.lines():
            out.print(line, markup=False)
    if found.content["overdue"]:
        raise typer.Exit(errors.OVERDUE)


@app.command(epilog="Example: rapport verify published/2026-11-17")
def verify(
    night: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="A published night; the workspace's newest."),
    ] = None,
    patients: Annotated[int, typer.Option(min=1, help="So many at most are drawn.")] = 2000,
    seed: Annotated[
        int | None, typer.Option(help="Draws the patients; the night's date where none is given.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    quiet: QuietOption = False,
) -> None:
    """Compute the figures of a published night a second time, and say which do not agree.

    Reads the night's folder alone, and writes nothing. Exit code 50 when a figure disagrees.
    """
    from flows.night import read_instruments
    from flows.verify.command import verify_night

    space = Workspace(workspace)
    found = verify_night(night or space.current, read_instruments(space), patients, seed)
    if not quiet or not found.is_good:
        for line in found.lines():
            out.print(line, markup=False)
    if not found.is_good:
        raise typer.Exit(errors.DISAGREEMENT)


def _finding_line(row: dict[str, Any]) -> str:
    where = ":".join(
        str(part) for part in (row["file"], row["line"], row["column_name"]) if part is not None
    )
    return f"{row['severity']:<6} {where}: {row['message']} [{row['rule']}]"


def _night(workspace: Workspace, as_of: str | None) -> date:
    """The date asked for, or today's at the service's own place."""
    if as_of is not None:
        try:
            return date.fromisoformat(as_of)
        except ValueError:
            raise typer.BadParameter(
                f"{as_of} is not a date like 2026-11-17", param_hint="--as-of"
            ) from None
    from flows.settings import read_settings

    workspace.check()
    return datetime.now(ZoneInfo(read_settings(workspace).service.timezone)).date()


def _tell_outcome(outcome: Any, *, quiet: bool) -> None:
    for clinic_id, reason in sorted(outcome.failed.items()):
        err.print(f"clinic {clinic_id} failed: {reason}", markup=False)
    for clinic_id, name, rule in outcome.refused:
        err.print(f"clinic {clinic_id}: {name} is not used [{rule}]", markup=False)
    for clinic_id, name, rule in outcome.left:
        if (clinic_id, name, rule) not in outcome.refused:
            err.print(f"clinic {clinic_id}: {name} stays in the inbox [{rule}]", markup=False)
    for line in outcome.alias_lines():
        err.print(line, markup=False)
    if quiet:
        return
    state = "partly green" if outcome.failed else "green"
    revision = f", revision {outcome.revision}" if outcome.revision > 1 else ""
    news = "" if outcome.is_new else " (nothing new: it stands as published)"
    out.print(f"Night {outcome.as_of}{revision} is {state}{news}.")
    out.print(f"Report: {outcome.front_page.resolve()}", markup=False)


def main() -> None:
    """Run the command line; errors for people end in a sentence and their own exit code."""
    try:
        app()
    except RapportError as error:
        err.print(f"{error.headline}:", markup=False)
        for fault in error.faults:
            err.print(f"  {fault}", markup=False)
        if error.remedy:
            err.print(error.remedy, markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("Interrupted; nothing was lost, the next run goes on from here.")
        sys.exit(130)


if __name__ == "__main__":
    main()
