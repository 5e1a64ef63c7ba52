"""The night comes by itself: a really scheduled run on a real server, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.prefect_server import prefect_environment
from flows.schedule import only_scheduler
from flows.workspace import Workspace
from tests.command_line.test_commands import rapport
from tests.nightly.conftest import drop, first_forms, make_service, tree

PATIENCE_SECONDS = 240


def in_a_moment(seconds: int = 75) -> tuple[str, datetime]:
    """A cron expression for the minute that begins in about so many seconds."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"{at.minute} {at.hour} * * *", at.replace(second=0, microsecond=0)


def start(workspace: Workspace, *words: str) -> subprocess.Popen[str]:
    """`rapport schedule` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "schedule", "-w", str(workspace.root), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if happened():
            return
        time.sleep(0.5)
    pytest.fail(f"it did not happen; {process.poll()=}")


def processes_of(workspace: Workspace) -> list[str]:
    """Command lines of processes that know of this workspace."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(workspace.root).encode() in text:
                found.append((entry / "cmdline").read_text(encoding="utf-8", errors="replace"))
    return found


def pids_of(workspace: Workspace, words: str) -> list[int]:
    """Processes of this workspace whose command line holds these words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                around = (entry / "environ").read_bytes()
            except OSError:
                continue
            if words in line and str(workspace.root).encode() in around:
                found.append(int(entry.name))
    return sorted(found)


def ended(workspace: Workspace) -> bool:
    """True once a run has said that it is over."""
    if not workspace.progress.exists():
        return False
    return "ended" in json.loads(workspace.progress.read_text(encoding="utf-8"))


def gone(workspace: Workspace) -> bool:
    end = time.monotonic() + 30
    while processes_of(workspace) and time.monotonic() < end:
        time.sleep(0.5)
    return not processes_of(workspace)


@pytest.mark.usefixtures("waits_for_the_clock")
def test_a_scheduled_night_is_published_and_stopping_leaves_no_process(service: Workspace) -> None:
    cron, at = in_a_moment()
    process = start(service, "--cron", cron)
    try:
        wait_for(lambda: ended(service), process)
        # The run's own process reports to the server before it is gone.
        time.sleep(10)
        second = rapport("schedule", "--cron", cron, "-w", service.root)
        assert (second.returncode, "another scheduler" in second.stderr) == (14, True)
        summary = json.loads((service.current / "night.json").read_text(encoding="utf-8"))
        assert summary["night"]["as_of"] == at.date().isoformat()
        assert summary["night"]["state"] == "green"
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert gone(service), processes_of(service)
    assert "Traceback" not in output
    assert "Canary" not in output
    logs = [p for p in (service.root / "warehouse" / "prefect").rglob("*") if p.is_file()]
    assert logs
    assert [p for p in logs if b"Canary" in p.read_bytes()] == []


@pytest.mark.usefixtures("waits_for_the_clock")
def test_a_scheduler_killed_in_mid_run_leaves_no_orphan_and_an_unharmed_workspace(
    tmp_path: Path,
) -> None:
    workspace = make_service(tmp_path / "service")
    # Many files keep the night busy for long enough to be killed in it.
    for number in range(40):
        drop(workspace, "north", f"forms_{100 + number}.csv", first_forms(10 * number))
    cron, _ = in_a_moment()
    process = start(workspace, "--cron", cron)
    wait_for(workspace.progress.exists, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert gone(workspace), processes_of(workspace)
    with only_scheduler(workspace, cron):
        pass
    night = datetime.now(UTC).date().isoformat()
    after = rapport("run", "--as-of", night, "-w", workspace.root)
    assert after.returncode == 0, after.stderr
    untouched = make_service(tmp_path / "untouched")
    for number in range(40):
        drop(untouched, "north", f"forms_{100 + number}.csv", first_forms(10 * number))
    assert rapport("run", "--as-of", night, "-w", untouched.root).returncode == 0
    assert tree(workspace.published) == tree(untouched.published)


@pytest.mark.usefixtures("waits_for_the_clock")
def test_a_server_and_a_runner_lost_in_mid_run_cost_nothing_but_a_sentence(tmp_path: Path) -> None:
    workspace = make_service(tmp_path / "service")
    for number in range(40):
        drop(workspace, "north", f"forms_{100 + number}.csv", first_forms(10 * number))
    cron, at = in_a_moment()
    process = start(workspace, "--cron", cron)
    try:
        wait_for(workspace.progress.exists, process)
        for pid in pids_of(workspace, "server start"):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: ended(workspace), process)
        summary = json.loads((workspace.current / "night.json").read_text(encoding="utf-8"))
        assert summary["night"]["as_of"] == at.date().isoformat()
        wait_for(lambda: len(pids_of(workspace, "server start")) > 0, process)
        (runner,) = pids_of(workspace, "flows.serving")
        os.kill(runner, signal.SIGKILL)
        wait_for(lambda: pids_of(workspace, "flows.serving") not in ([], [runner]), process)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line for line in output.splitlines() if "again" in line] == [
        "the Prefect server was lost; it is started again",
        "what runs the nights has ended; it is started again",
    ]
    assert "Traceback" not in output
    assert gone(workspace), processes_of(workspace)


@pytest.mark.usefixtures("waits_for_the_clock")
def test_after_an_outage_only_the_newest_missed_night_lands(service: Workspace) -> None:
    # The runs of three nights that the server had planned while nobody was there to run them.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    nights = [today - timedelta(days=days) for days in (2, 1, 0)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = start(service, "--cron", "0 0 * * *", "--port", port)
    try:
        states = plan_late_runs(service, f"http://127.0.0.1:{port}/api", nights, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert states == ["Skipped", "Skipped", "Completed"]
    published = sorted(path.name for path in service.published.iterdir() if path.is_dir())
    assert published == [nights[-1].date().isoformat(), "current"]


def plan_late_runs(
    workspace: Workspace, api: str, nights: list[datetime], process: subprocess.Popen[str]
) -> list[str]:
    """Plan runs in the past on the scheduler's server; how each ended, once all have."""
    program = Path(__file__).with_name("late_runs.py")
    wait_for(lambda: len(pids_of(workspace, "flows.serving")) > 0, process)
    words = [sys.executable, str(program), str(workspace.root), *(n.isoformat() for n in nights)]
    done = subprocess.run(
        words, env=dict(os.environ) | prefect_environment(workspace, api), text=True,
        capture_output=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_without_a_schedule_there_is_nothing_to_keep(service: Workspace) -> None:
    result = rapport("schedule", "-w", service.root)
    assert (result.returncode, "schedule.cron" in result.stderr) == (10, True)


def test_a_server_that_does_not_answer_is_one_sentence(service: Workspace) -> None:
    result = rapport(
        "schedule", "--cron", "0 3 * * *", "--server", "http://127.0.0.1:9/api", "-w", service.root
    )
    assert (result.returncode, "no Prefect server answers" in result.stderr) == (13, True)
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_one_sentence(service: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = rapport("schedule", "--cron", "0 3 * * *", "--port", port, "-w", service.root)
    assert (result.returncode, f"port {port} is in use" in result.stderr) == (13, True)


def test_status_tells_an_overdue_night_by_its_exit_code(service: Workspace) -> None:
    text = service.settings.read_text(encoding="utf-8").replace(
        '# cron = "0 3 * * *"', 'cron = "0 3 * * *"'
    )
    service.settings.write_text(text, encoding="utf-8")
    before = rapport("status", "-w", service.root)
    assert (before.returncode, "OVERDUE" in before.stdout) == (40, True)
    assert rapport("run", "-w", service.root).returncode == 0
    after = rapport("status", "--json", "-w", service.root)
    assert after.returncode == 0
    assert json.loads(after.stdout)["overdue"] is None
