"""`rapport schedule`: keeps the night on its schedule, with its own Prefect server if need be."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from flows.errors import SettingsError, WorkspaceBusy, WorkspaceError
from flows.settings import (
    Settings,
    inherited_environment,
    prefect_api_url,
    read_settings,
    set_environment,
)
from flows.workspace import Workspace

HOST = "127.0.0.1"
START_SECONDS = 90
LINUX_PR_SET_PDEATHSIG = 1


def keep_schedule(
    workspace: Workspace, cron: str | None, server: str | None, port: int | None
) -> None:
    """Run every night at its time until stopped.

    Args:
        workspace: whose nights.
        cron: schedule that takes the place of the one in rapport.toml.
        server: URL of a Prefect API; else PREFECT_API_URL; else a server of our own is started.
        port: of our own server; a free one where None.

    Raises:
        SettingsError: when there is no schedule.
        WorkspaceBusy: when another scheduler has this workspace.
        WorkspaceError: when no server answers, or the port is in use.
    """
    workspace.check()
    settings = read_settings(workspace)
    schedule = cron or settings.schedule.cron
    if schedule is None:
        raise SettingsError("rapport.toml: schedule.cron: is not set", "Set it, or give --cron.")
    with only_scheduler(workspace, schedule), reached_server(workspace, server, port) as api:
        _serve(workspace, settings, schedule, api)


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
def reached_server(workspace: Workspace, server: str | None, port: int | None) -> Iterator[str]:
    """The URL of a Prefect API that answers; a server of our own is stopped again."""
    api = server or prefect_api_url()
    if api is not None:
        if not _answers(api):
            raise WorkspaceError(
                f"{api}: no Prefect server answers", "Start it, or leave out --server."
            )
        yield api
        return
    chosen = port or _free_port()
    if _is_taken(chosen):
        raise WorkspaceError(
            f"port {chosen} is in use", "Choose another with --port, or leave it out."
        )
    api = f"http://{HOST}:{chosen}/api"
    process = _start_server(workspace, chosen)
    try:
        _await(process, api)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def prefect_environment(workspace: Workspace, api: str | None = None) -> dict[str, str]:
    """Settings of Prefect that keep a user's own profile and the network out of it."""
    home = workspace.root / "warehouse" / "prefect"
    home.mkdir(mode=0o700, exist_ok=True)
    environment = {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_RUNNER_SERVER_ENABLE": "false",
    }
    return environment | ({"PREFECT_API_URL": api} if api else {})


def _start_server(workspace: Workspace, port: int) -> subprocess.Popen[bytes]:
    log = (workspace.root / "warehouse" / "prefect-server.log").open("wb")
    # In our own process group, so that whoever ends the group ends it too; and should only we be
    # killed, the kernel ends it.
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
        env=inherited_environment() | prefect_environment(workspace),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent,
    )  # fmt: skip


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(LINUX_PR_SET_PDEATHSIG, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], api: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise WorkspaceError(
                "the Prefect server ended while it was starting",
                "warehouse/prefect-server.log says why.",
            )
        if _answers(api):
            return
        time.sleep(0.3)
    raise WorkspaceError(f"the Prefect server did not answer within {START_SECONDS} seconds")


def _answers(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api.rstrip('/')}/health", timeout=3) as reply:  # noqa: S310
            return reply.status == 200
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _serve(workspace: Workspace, settings: Settings, cron: str, api: str) -> None:
    """Hand the flow to Prefect's runner; returns when the runner is stopped."""
    set_environment(prefect_environment(workspace, api))
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    from flows.scheduled import scheduled_night

    scheduled_night.serve(
        name=_deployment_name(workspace),
        schedule=Cron(cron, timezone=settings.service.timezone),
        parameters={"workspace": str(workspace.root.resolve()), "cron": cron},
        limit=1,
        global_limit=1,
        pause_on_shutdown=False,
        print_starting_message=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _deployment_name(workspace: Workspace) -> str:
    """One deployment per workspace, named without anything a path might tell."""
    import hashlib

    return hashlib.sha256(str(Path(workspace.root).resolve()).encode()).hexdigest()[:12]
