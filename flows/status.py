"""What stands, what runs, what was refused and who is late: from files alone, never the database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flows.calendar import newest_due
from flows.errors import WorkspaceError
from flows.settings import read_settings
from flows.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """The state of a workspace as plain values."""

    content: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """The state in words."""
        yield self._run_line()
        if self.content["overdue"]:
            yield f"OVERDUE: the night of {self.content['overdue']} should be published by now."
        night = self.content["night"]
        if night is None:
            yield "Nothing is published yet."
            return
        yield f"Published: night {night['as_of']}, revision {night['revision']}: {night['state_text']}"
        yield from self._clinic_lines()

    def _run_line(self) -> str:
        run = self.content["run"]
        if run is None:
            return "No night was ever run here."
        night = f"night {run.get('as_of')}"
        return {
            "running": f"Running: {night}, now at {run.get('step')} (since {run.get('step_started')}).",
            "interrupted": f"Interrupted: {night} stopped at {run.get('step')}. Run it again; nothing is lost.",
            "failed": f"Failed: {night}: {run.get('reason')}",
            "unreadable": "What the last run said of itself cannot be read; run a night again.",
        }.get(run["state"], f"Last run: {night}, {run['state']}, ended {run.get('ended')}.")

    def _clinic_lines(self) -> Iterator[str]:
        for clinic in self.content["clinics"]:
            late = " LATE" if clinic["is_late"] else ""
            yield f"  {clinic['clinic_id']}: {clinic['state']}, {clinic['state_text']}{late}"
        for delivery in self.content["deliveries"]:
            yield (
                f"  {delivery['clinic_id']}/{delivery['file_name']}: {delivery['outcome']},"
                f" {delivery['n_records']} records, {delivery['n_rejected']} rejected"
            )
        for refused in self.content["refused"]:
            yield (
                f"  not used: {refused['clinic_id']}/{refused['file']} [{refused['rule']}],"
                f" delivery {refused['delivery_id']}"
            )
        for clinic_id, names in self.content["waiting"].items():
            yield f"  waiting in inbox/{clinic_id}: {len(names)} files"


def read_status(workspace: Workspace, now: datetime) -> Status:
    """Read the state of a workspace.

    Args:
        workspace: whose.
        now: decides whether a scheduled night is overdue.

    Raises:
        WorkspaceError: when there is no workspace.
    """
    if not workspace.settings.is_file():
        raise WorkspaceError(
            f"{workspace.root.resolve()}: there is no rapport.toml here",
            "Make a workspace with `rapport init DIR`, or name one with -w DIR.",
        )
    summary = _json(workspace.current / "night.json") or {}
    return Status(
        {
            "run": _run(workspace),
            "night": summary.get("night"),
            "clinics": summary.get("clinics", []),
            "deliveries": summary.get("deliveries", []),
            "refused": summary.get("refused", []),
            "waiting": _waiting(workspace),
            "overdue": _overdue(workspace, summary.get("night"), now),
        }
    )


def _json(path: Path) -> dict[str, Any] | None:
    """A small file of our own; an empty dictionary where it is damaged, None where it is not there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _run(workspace: Workspace) -> dict[str, Any] | None:
    run = _json(workspace.progress)
    if run is None:
        return None
    if "state" not in run:
        return {"state": "unreadable"}
    if run["state"] == "running" and not _alive(run.get("pid")):
        run["state"] = "interrupted"
    return run


def _alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _overdue(workspace: Workspace, night: dict[str, Any] | None, now: datetime) -> str | None:
    """The newest scheduled night that should be published and is not; NULL without a schedule."""
    settings = read_settings(workspace)
    kept = _json(workspace.root / "warehouse" / "schedule.json") or {}
    cron = settings.schedule.cron or kept.get("cron")
    if cron is None:
        return None
    allowed = now - timedelta(hours=settings.schedule.grace_hours)
    due = newest_due(allowed, cron, settings.service.timezone).isoformat()
    return due if night is None or night["as_of"] < due else None


def _waiting(workspace: Workspace) -> dict[str, list[str]]:
    if not workspace.inbox.is_dir():
        return {}
    folders = sorted(p for p in workspace.inbox.iterdir() if p.is_dir())
    found = {f.name: sorted(p.name for p in f.iterdir() if p.name[0] != ".") for f in folders}
    return {name: files for name, files in found.items() if files}
