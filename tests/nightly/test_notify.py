"""Who is told of what; and that no patient is in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.errors import StreetError
from flows.notify import tell_failure, tell_outcome
from flows.workspace import Workspace
from tests.nightly.conftest import drop, run

Calls = list[tuple[str, str]]


@pytest.fixture
def webhook() -> Iterator[tuple[int, Calls]]:
    """A loopback server that remembers what it was sent."""
    calls: Calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            calls.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            calls.append((self.path, ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, calls
    server.shutdown()


def configure(
    workspace: Workspace, port: int, heartbeat: str, on: str = '["failed", "partly green"]'
) -> None:
    text = workspace.settings.read_text(encoding="utf-8")
    text = text.replace(
        "[notify]",
        f'[notify]\nurls = ["json://127.0.0.1:{port}/told"]\non = {on}\nheartbeat = "{heartbeat}"',
    )
    workspace.settings.write_text(text, encoding="utf-8")


def test_a_green_night_is_a_heartbeat_and_no_message(
    service: Workspace, webhook: tuple[int, Calls]
) -> None:
    port, calls = webhook
    configure(service, port, f"http://127.0.0.1:{port}/alive")
    assert tell_outcome(service, run(service)) == []
    assert calls == [("/alive", "")]


def test_a_partly_green_night_is_told_without_a_patient_and_beats_not(
    service: Workspace, webhook: tuple[int, Calls]
) -> None:
    port, calls = webhook
    beat = service.root / "alive"
    configure(service, port, str(beat), '["partly green", "refused"]')
    (service.clinics / "south.toml").write_text("mapping = 1\n", encoding="utf-8")
    drop(service, "north", "forms_2.csv", "")
    assert tell_outcome(service, run(service)) == []
    assert not beat.exists()
    [(path, body)] = calls
    message = json.loads(body)["message"]
    assert path == "/told"
    assert "clinic south failed" in message and "forms_2.csv is not used [file-empty]" in message
    assert "Canary" not in body


def test_a_failed_night_is_told(service: Workspace, webhook: tuple[int, Calls]) -> None:
    port, calls = webhook
    configure(service, port, str(service.root / "alive"))
    assert tell_failure(service, "The night was not published: disk full") == []
    assert "disk full" in calls[0][1]


def test_nobody_to_reach_is_said_and_costs_no_night(service: Workspace) -> None:
    configure(service, 1, "http://127.0.0.1:1/alive", '["refused"]')
    drop(service, "north", "forms_2.csv", "")
    outcome = run(service)
    problems = tell_outcome(service, outcome)
    assert len(problems) == 2
    assert outcome.is_new


def test_a_full_disk_is_one_sentence_and_the_old_night_stands(
    begun: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begun.current.resolve()
    drop(begun, "north", "forms_2.csv", "")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(begun.published))

    from tests.nightly.conftest import NEXT

    with monkeypatch.context() as patched:
        patched.setattr("flows.publish._write_audit", full)
        with pytest.raises(StreetError, match="No space left"):
            run(begun, NEXT)
    assert begun.current.resolve() == first
    assert json.loads(begun.progress.read_text(encoding="utf-8"))["state"] == "failed"
    assert run(begun, NEXT).is_new
