"""Run by a test: plans runs in the past on a Prefect server, waits for them, prints how each ended.

`python late_runs.py WORKSPACE START...` with PREFECT_API_URL set.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.states import Scheduled

from flows.scheduled import FLOW_NAME
from flows.serving import deployment_name


async def main(root: Path, starts: list[datetime]) -> list[str]:
    """States of the runs, in the order of their starts."""
    async with get_client() as client:
        name = f"{FLOW_NAME}/{deployment_name(root.resolve())}"
        while True:
            try:
                deployment = await client.read_deployment_by_name(name)
                break
            except Exception:  # noqa: BLE001 - the runner has not made it yet
                await asyncio.sleep(1)
        runs = [
            await client.create_flow_run_from_deployment(
                deployment.id, state=Scheduled(scheduled_time=start)
            )
            for start in starts
        ]
        while True:
            states = [(await client.read_flow_run(run.id)).state for run in runs]
            if all(state is not None and state.is_final() for state in states):
                return [str(state.name) for state in states if state is not None]
            await asyncio.sleep(1)


if __name__ == "__main__":
    planned = [datetime.fromisoformat(word) for word in sys.argv[2:]]
    sys.stdout.write(" ".join(asyncio.run(main(Path(sys.argv[1]), planned))))
