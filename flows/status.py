"""What stands, what runs, what was refused and who is late: from files alone, never the database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.errors import WorkspaceError
from flows.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """The state of a workspace as plain values."""

    content: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """The state in words."""
        run, night = self.content["run"], self.content["night"]
        if run is None:
            yield "No night was ever run here."
        elif run["state"] == "running":
            yield f"Running: night {run['as_of']}, now at {run['step']} (since {run['step_started']})."
        elif run["state"] == "interrupted":
            yield f"Interrupted: night {run['as_of']} stopped at {run['step']}. Run it again; nothing is lost."
        else:
            yield f"Last run: night {run['as_of']}, {run['state']}, ended {run['ended']}."
        if night is None:
            yield "Nothing is published yet."
            return
        yield f"Published: night {night['as_of']}, revision {night['revision']}: {night['state_text']}"
        for clinic in self.content["clinics"]:
            late = " LATE" if clinic["is_late"] else ""
            through = clinic["data_through"] or "no data yet"
            yield f"  {clinic['clinic_id']}: {clinic['state']}, data through {through}{late}"
        for delivery in self.content["deliveries"]:
            yield (
                f"  {delivery['clinic_id']}/{delivery['file_name']}: {delivery['outcome']},"
                f" {delivery['n_records']} records, {delivery['n_rejected']} rejected"
            )
        for refused in self.content["refused"]:
            yield f"  not used: {refused['clinic_id']}/{refused['file']} [{refused['rule']}]"
        for clinic_id, names in self.content["waiting"].items():
            yield f"  waiting in inbox/{clinic_id}: {len(names)} files"


def read_status(workspace: Workspace) -> Status:
    """Read the state of a workspace.

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
        }
    )


def _json(path: Any) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _run(workspace: Workspace) -> dict[str, Any] | None:
    run = _json(workspace.progress)
    if run is not None and run["state"] == "running" and not _alive(int(run["pid"])):
        run["state"] = "interrupted"
    return run


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _waiting(workspace: Workspace) -> dict[str, list[str]]:
    if not workspace.inbox.is_dir():
        return {}
    folders = sorted(p for p in workspace.inbox.iterdir() if p.is_dir())
    found = {f.name: sorted(p.name for p in f.iterdir() if p.name[0] != ".") for f in folders}
    return {name: files for name, files in found.items() if files}
