"""The night as a Prefect flow: the same street, its steps run as tasks, on a real server.

Imported by a scheduled run and by `rapport schedule`; nothing else needs Prefect.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.calendar import newest_due, night_of
from flows.errors import RapportError
from flows.night import Outcome
from flows.nightly import nightly
from flows.notify import tell_failure, tell_outcome
from flows.progress import Progress
from flows.settings import Settings, read_settings
from flows.steps import PlainSteps, attempt
from flows.workspace import Workspace

FLOW_NAME = "rapport-night"
NIGHT_TIMEOUT_SECONDS = 6 * 3600
READ_TIMEOUT_SECONDS = 3 * 3600
IO_RETRIES = 2
IO_RETRY_SECONDS = 10


def is_io_fault(_task: Any, _run: Any, state: State) -> bool:
    """Only what a second try may mend is tried again: a disk or share that did not answer."""
    result = state.result(raise_on_failure=False)
    return isinstance(result, OSError)


def as_task(step: Callable[..., Any], **options: Any) -> Any:
    """A Prefect task whose result is not kept anywhere."""
    return cast("Any", task)(step, cache_policy=NO_CACHE, persist_result=False, **options)


class TaskSteps(PlainSteps):
    """Runs each step as a Prefect task; several clinics are read at the same time."""

    def call(self, name: str, step: Callable[..., Any], *arguments: Any) -> Any:
        """One step. It shares the open database, so it is not repeated by itself."""
        # The arguments stay in a closure: what a task is handed is known to the server.
        return as_task(lambda: step(*arguments), name=name)()

    def each(
        self, name: str, step: Callable[[Any], Any], items: Sequence[Any]
    ) -> list[Any | Exception]:
        """The same step for each of several clinics; an input or output fault is tried again."""
        work = as_task(
            lambda place: step(items[place]),
            name=name,
            retries=IO_RETRIES,
            retry_delay_seconds=IO_RETRY_SECONDS,
            retry_condition_fn=is_io_fault,
            timeout_seconds=READ_TIMEOUT_SECONDS,
        )
        futures = [work.submit(place) for place in range(len(items))]
        return [attempt(lambda future: future.result(), future) for future in futures]


def run_name() -> str:
    """Service and date: what a person looks for in a list of runs."""
    parameters = flow_run.parameters
    workspace = Workspace(Path(parameters["workspace"]))
    settings = read_settings(workspace)
    night = scheduled_night_of(settings, parameters.get("cron"))
    return f"{settings.service.name} {night.isoformat()}"


def scheduled_night_of(settings: Settings, cron: str | None) -> Any:
    """The night this run was scheduled for: never the clock's date."""
    start = flow_run.scheduled_start_time or datetime.now(UTC)
    timezone = settings.service.timezone
    schedule = cron or settings.schedule.cron
    if schedule is None:
        return start.astimezone(settings.service.zone).date()
    return night_of(start, schedule, timezone)


@flow(
    name=FLOW_NAME,
    flow_run_name=run_name,
    timeout_seconds=NIGHT_TIMEOUT_SECONDS,
    persist_result=False,
    validate_parameters=True,
)
def scheduled_night(workspace: str, cron: str | None = None) -> State:
    """Run the night of the scheduled start.

    Args:
        workspace: path of the workspace; the only thing a run is told.
        cron: the schedule, where it is not the one in rapport.toml.
    """
    _die_with_parent()
    space = Workspace(Path(workspace))
    try:
        settings = read_settings(space)
        night = scheduled_night_of(settings, cron)
        if _is_overtaken(settings, cron, night):
            return Completed(
                name="Skipped", message=f"{night}: a newer night is due; only that one lands"
            )
        outcome = nightly(space, night, Progress(space), TaskSteps())
    except RapportError as error:
        # Without the traceback: its frames hold nothing a person needs, and might hold a cell.
        message = f"{error.headline}: {'; '.join(error.faults)}"
        tell_failure(space, message)
        return Failed(message=message)
    tell_outcome(space, outcome)
    _leave_artifact(outcome)
    state = "partly green" if outcome.failed else "green"
    return Completed(message=f"{night} is {state}")


def _is_overtaken(settings: Settings, cron: str | None, night: Any) -> bool:
    """After an outage the server hands out every missed start; only the newest night lands."""
    schedule = cron or settings.schedule.cron
    if schedule is None:
        return False
    return night < newest_due(datetime.now(UTC), schedule, settings.service.timezone)


def _leave_artifact(outcome: Outcome) -> None:
    lines = [
        f"# Night {outcome.as_of}, revision {outcome.revision}",
        f"[Report]({outcome.front_page.resolve().as_uri()})",
        "Partly green" if outcome.failed else "Green",
        *(f"- clinic {clinic} failed: {why}" for clinic, why in sorted(outcome.failed.items())),
        *(f"- {clinic}: {name} is not used ({rule})" for clinic, name, rule in outcome.refused),
        *(f"- {line}" for line in outcome.alias_lines()),
    ]
    create_markdown_artifact(
        key="night", markdown="\n\n".join(lines), description=str(outcome.as_of)
    )


def _die_with_parent() -> None:
    """End when the scheduler that started this run is gone: no orphan goes on writing."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
