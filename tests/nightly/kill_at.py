"""A night that kills its process, uncatchably, at a point `module:function:before|after`; run by test_kill.py."""

from __future__ import annotations

import importlib
import os
import signal
from datetime import date
from pathlib import Path
from typing import Any

from flows.nightly import nightly
from flows.workspace import Workspace


def arm(point: str, nth: int) -> None:
    """Make the nth call of a function the last thing this process does."""
    module_name, function_name, moment = point.split(":")
    module = importlib.import_module(module_name)
    original = getattr(module, function_name)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if moment == "before" and calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if moment == "after" and calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, function_name, deadly)


def night_killed_at(root: Path, night: date, point: str, nth: int) -> None:
    """A night that ends, in a process of its own, at the nth call."""
    arm(point, nth)
    nightly(Workspace(root), night)
