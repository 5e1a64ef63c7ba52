"""Runs one night and kills itself, uncatchably, at a named point; run by test_kill.py.

Arguments: workspace, date, point as `module:function:before|after`, and which call of it.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
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


if __name__ == "__main__":
    root, night, point, nth = sys.argv[1:]
    arm(point, int(nth))
    nightly(Workspace(Path(root)), date.fromisoformat(night))
