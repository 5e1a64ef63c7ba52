"""What Prefect's runner serves, in a process of its own: every flow that has a schedule.

`python -m flows.serving WORKSPACE CRON`, started by `rapport schedule`, with PREFECT_API_URL set.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from uuid import UUID

from prefect import serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows.scheduled import scheduled_night
from flows.settings import read_settings
from flows.workspace import Workspace

UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


def deployments(workspace: Workspace, cron: str) -> list[RunnerDeployment]:
    """Every flow with a schedule of its own; one that closes months or refits would stand here."""
    root = workspace.root.resolve()
    night = scheduled_night.to_deployment(
        name=deployment_name(root),
        schedule=Cron(cron, timezone=read_settings(workspace).service.timezone),
        parameters={"workspace": str(root), "cron": cron},
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(night, RunnerDeployment)
    return [night]


def deployment_name(root: Path) -> str:
    """One deployment per workspace, named without anything a path might tell."""
    return hashlib.sha256(str(root).encode()).hexdigest()[:12]


async def close_lost_runs(root: Path) -> list[UUID]:
    """Say of runs that an earlier scheduler left under way that they are over.

    Only one scheduler has a workspace, so none of them can be alive; as "running" they would keep
    the next night waiting.
    """
    async with get_client() as client:
        runs = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(
                name=DeploymentFilterName(any_=[deployment_name(root)])
            ),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY))
            ),
        )
        for run in runs:
            lost = Crashed(message="The scheduler or its server was lost in mid-run.")
            await client.set_flow_run_state(run.id, lost)
    return [run.id for run in runs]


def main() -> None:
    """Serve until stopped."""
    workspace, cron = Workspace(Path(sys.argv[1])), sys.argv[2]
    asyncio.run(close_lost_runs(workspace.root.resolve()))
    serve(
        *deployments(workspace, cron),
        limit=1, pause_on_shutdown=False, print_starting_message=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
