"""`rapport schedule`: keeps the night on its schedule, and keeps its server and runner alive."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

from flows.errors import SchedulerLost, SettingsError, WorkspaceBusy
from flows.prefect_server import Server, reached_server, start_child, stop_child
from flows.settings import read_settings
from flows.workspace import Workspace

LOOK_SECONDS = 1.0
STOP_SECONDS = 30
# A runner that ends so soon after its start, so many times on end, will not mend by itself.
SHORT_SECONDS = 60
MOST_SHORT_LIVES = 3


def keep_schedule(
    workspace: Workspace,
    cron: str | None,
    url: str | None,
    port: int | None,
    say: Callable[[str], None],
) -> None:
    """Run every night at its time until stopped.

    Args:
        workspace: whose nights.
        cron: schedule that takes the place of the one in rapport.toml.
        url: of a Prefect API; else PREFECT_API_URL; else a server of our own is started.
        port: of our own server; a free one where None.
        say: told when something was lost and is started again.

    Raises:
        SettingsError: when there is no schedule.
        WorkspaceBusy: when another scheduler has this workspace.
        WorkspaceError: when no server answers, or the port is in use.
        SchedulerLost: when what runs the nights does not stay alive.
    """
    workspace.check()
    schedule = cron or read_settings(workspace).schedule.cron
    if schedule is None:
        raise SettingsError("rapport.toml: schedule.cron: is not set", "Set it, or give --cron.")
    with (
        only_scheduler(workspace, schedule),
        stopped_by_signal() as stop,
        reached_server(workspace, url, port) as server,
    ):
        _keep_alive(workspace, schedule, server, stop, say)


@contextlib.contextmanager
def only_scheduler(workspace: Workspace, cron: str) -> Iterator[None]:
    """Hold the workspace's schedule; the lock goes with the process, however it ends."""
    path = workspace.root / "warehouse" / "schedule.json"
    handle = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise WorkspaceBusy(f"{path}: another scheduler has this workspace") from None
    handle.truncate(0)
    handle.write(json.dumps({"cron": cron, "pid": os.getpid()}) + "\n")
    handle.flush()
    try:
        yield
    finally:
        handle.close()


@contextlib.contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """An event that is set by a request to stop, so that children are ended in their order."""
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {sign: signal.signal(sign, lambda *_: stop.set()) for sign in signals}
    try:
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _keep_alive(
    workspace: Workspace,
    cron: str,
    server: Server,
    stop: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Run Prefect's runner until asked to stop; what was lost is started again.

    A run that is under way when the server is lost goes on: its work does not need the server.
    """
    short_lives = 0
    runner, started = _start_runner(workspace, cron, server), time.monotonic()
    try:
        while not stop.wait(LOOK_SECONDS):
            if server.is_lost():
                say("the Prefect server was lost; it is started again")
                server.start()
            if runner.poll() is None or not server.answers():
                continue
            short_lives = short_lives + 1 if time.monotonic() - started < SHORT_SECONDS else 0
            if short_lives >= MOST_SHORT_LIVES:
                raise SchedulerLost(
                    f"what runs the nights ended {short_lives} times soon after its start",
                    "warehouse/prefect-runner.log says why.",
                )
            say("what runs the nights has ended; it is started again")
            runner, started = _start_runner(workspace, cron, server), time.monotonic()
    finally:
        stop_child(runner, STOP_SECONDS)


def _start_runner(workspace: Workspace, cron: str, server: Server) -> subprocess.Popen[bytes]:
    root = str(workspace.root.resolve())
    return start_child(workspace, "prefect-runner.log", "flows.serving", root, cron, api=server.api)
