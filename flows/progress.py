"""What a run says of itself: on the terminal, and in a file that can be read while it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flows.workspace import Workspace


class Progress:
    """Writes each step of a run to warehouse/run.json; subclasses show it too."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.run: dict[str, Any] = {}

    def begin(self, as_of: date) -> None:
        """A run begins."""
        self.run = {
            "as_of": as_of.isoformat(),
            "state": "running",
            "step": "open",
            "pid": os.getpid(),
            "started": _now(),
        }
        self._write()

    def step(self, name: str, detail: str = "") -> None:
        """A stage begins."""
        self.run |= {"step": f"{name} {detail}".strip(), "step_started": _now()}
        self._write()

    def advance(self, done: int, of: int) -> None:
        """So many of so many are done."""

    def say(self, sentence: str) -> None:
        """Something a person should know now."""

    def fail(self, headline: str, faults: Sequence[str]) -> None:
        """The run ended without publishing."""
        self.run |= {
            "state": "failed",
            "ended": _now(),
            "reason": f"{headline}: {'; '.join(faults)}",
        }
        self._write()

    def end(self, state: str, folder: Path) -> None:
        """The run is over."""
        self.run |= {"state": state, "ended": _now(), "folder": folder.name}
        self._write()

    def _write(self) -> None:
        path = self.workspace.progress
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(self.run, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
