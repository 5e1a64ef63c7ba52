"""The Prefect server behind a schedule: somebody else's, or one of our own on loopback."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from flows.errors import WorkspaceError
from flows.settings import inherited_environment, prefect_api_url
from flows.workspace import Workspace

HOST = "127.0.0.1"
START_SECONDS = 90
STOP_SECONDS = 15
LINUX_PR_SET_PDEATHSIG = 1


class Server:
    """A Prefect API that answers.

    Args:
        workspace: keeps the data and the log of a server of our own.
        api: its URL.
        port: where our own listens; None where it is somebody else's.
    """

    def __init__(self, workspace: Workspace, api: str, port: int | None = None) -> None:
        self.workspace = workspace
        self.api = api
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start our own and wait until it answers; of somebody else's only ask.

        Raises:
            WorkspaceError: when it does not answer.
        """
        if self.port is None:
            if not self.answers():
                raise WorkspaceError(
                    f"{self.api}: no Prefect server answers", "Start it, or leave out --server."
                )
            return
        command = ["server", "start", "--host", HOST, "--port", str(self.port)]
        self._process = start_child(self.workspace, "prefect-server.log", "prefect", *command)
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.is_lost():
                raise WorkspaceError(
                    "the Prefect server ended while it was starting",
                    "warehouse/prefect-server.log says why.",
                )
            if time.monotonic() > end:
                raise WorkspaceError(
                    f"the Prefect server did not answer within {START_SECONDS} seconds"
                )
            time.sleep(0.3)

    def is_lost(self) -> bool:
        """True where our own has ended."""
        return self._process is not None and self._process.poll() is not None

    def answers(self) -> bool:
        """True where it says that it is well."""
        try:
            with urllib.request.urlopen(f"{self.api.rstrip('/')}/health", timeout=3) as reply:  # noqa: S310
                return reply.status == 200
        except (OSError, ValueError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        """Stop our own; somebody else's goes on."""
        if self._process is not None:
            stop_child(self._process, STOP_SECONDS)


@contextlib.contextmanager
def reached_server(workspace: Workspace, url: str | None, port: int | None) -> Iterator[Server]:
    """A server that answers: at the URL given, at PREFECT_API_URL, or one of our own.

    Raises:
        WorkspaceError: when none answers, or the port is in use.
    """
    api = url or prefect_api_url()
    if api is None:
        chosen = port or _free_port()
        if _is_taken(chosen):
            raise WorkspaceError(
                f"port {chosen} is in use", "Choose another with --port, or leave it out."
            )
        server = Server(workspace, f"http://{HOST}:{chosen}/api", chosen)
    else:
        server = Server(workspace, api)
    try:
        server.start()
        yield server
    finally:
        server.stop()


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


def start_child(
    workspace: Workspace, log_name: str, module: str, *words: str, api: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a Python module that ends with us, and writes what it says to a log in warehouse/."""
    # In our own process group, so that whoever ends the group ends it too; and should only we be
    # killed, the kernel ends it.
    with (workspace.root / "warehouse" / log_name).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", module, *words],
            env=inherited_environment() | prefect_environment(workspace, api),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent,
        )  # fmt: skip


def stop_child(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a child to end; make it end where it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(LINUX_PR_SET_PDEATHSIG, signal.SIGKILL)


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
