"""A workspace of two small clinics, and the street run on it in this process."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest

from flows.init import make_workspace
from flows.night import Outcome
from flows.nightly import nightly
from flows.workspace import Workspace

NIGHT = date(2026, 3, 10)
NEXT = date(2026, 3, 11)

MAPPING = """
mapping = 1
[clinic]
id = "{clinic}"
timezone = "Europe/Berlin"
[[source]]
name = "forms"
match = "forms_*.csv"
delivery = "append"
key = ["form"]
[source.read]
format = "csv"
[source.fields]
patient = {{ column = "patient" }}
therapist = {{ column = "therapist" }}
episode = {{ column = "episode" }}
session = {{ column = "session", type = "int" }}
answered_at = {{ column = "date", formats = ["%Y-%m-%d"] }}
ignore = ["form", "remark"]
[source.missing]
"" = "blank"
[[source.form]]
instrument = "PHQ-9"
respondent = "patient"
items = {{ columns = "q{{}}", count = 9 }}
[[source]]
name = "sessions"
match = "sessions_*.csv"
delivery = "append"
key = ["appointment"]
[source.read]
format = "csv"
[source.fields]
patient = {{ column = "patient" }}
therapist = {{ column = "therapist" }}
episode = {{ column = "episode" }}
session = {{ column = "session" }}
answered_at = {{ column = "date", formats = ["%Y-%m-%d"] }}
ignore = ["appointment"]
[source.missing]
"" = "blank"
[source.appointment]
status = {{ column = "status", map = {{ "seen" = "attended", "dna" = "no_show" }} }}
"""

FORMS = "form,patient,therapist,episode,session,date,remark," + ",".join(
    f"q{n}" for n in range(1, 10)
)
SESSIONS = "appointment,patient,therapist,episode,session,date,status"
CANARY = "Canary Cornelia"


def form(number: int, patient: str, session: int, day: str, answer: int, episode: str = "1") -> str:
    """One PHQ-9, all items answered alike."""
    return (
        f"{number},{patient},Canary Therapist,{episode},{session},{day},{CANARY} called,"
        + ",".join([str(answer)] * 9)
    )


def form_file(*lines: str) -> str:
    return "\n".join([FORMS, *lines, ""])


def first_forms(offset: int = 0) -> str:
    """Eight patients with three sessions each; answers go down."""
    return form_file(
        *(
            form(100 * p + s, f"{CANARY} {p + offset}", s, f"2026-02-{7 * s:02d}", 3 - s)
            for p in range(1, 9)
            for s in range(1, 4)
        )
    )


def first_sessions(offset: int = 0) -> str:
    lines = [
        f"{100 * p + s},{CANARY} {p + offset},Canary Therapist,1,{s},2026-02-{7 * s:02d},seen"
        for p in range(1, 9)
        for s in range(1, 4)
    ]
    return "\n".join([SESSIONS, *lines, ""])


def make_service(root: Path) -> Workspace:
    """A workspace of clinics north and south with their first deliveries in the inbox."""
    workspace = Workspace(root)
    make_workspace(workspace, "Test service", key=hashlib.sha256(b"test").digest())
    settings = workspace.settings.read_text(encoding="utf-8")
    settings = settings.replace("# settle_seconds = 2", "settle_seconds = 0")
    workspace.settings.write_text(settings, encoding="utf-8")
    for offset, clinic in enumerate(("north", "south")):
        (workspace.clinics / f"{clinic}.toml").write_text(
            MAPPING.format(clinic=clinic), encoding="utf-8"
        )
        drop(workspace, clinic, "forms_1.csv", first_forms(offset))
        drop(workspace, clinic, "sessions_1.csv", first_sessions(offset))
    return workspace


def drop(workspace: Workspace, clinic: str, name: str, content: str | bytes) -> Path:
    """Put a file into a clinic's inbox."""
    folder = workspace.inbox / clinic
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def run(workspace: Workspace, night: date = NIGHT) -> Outcome:
    """One night of the plain street."""
    return nightly(workspace, night)


def tree(
    folder: Path, *, without: tuple[str, ...] = ("audit.duckdb", "SHA256SUMS")
) -> dict[str, str]:
    """Hash of every file below a folder. The database of views is rebuilt, not compared: the
    engine stamps its own header into it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }


@pytest.fixture
def service(tmp_path: Path) -> Workspace:
    """A fresh service with two clinics."""
    return make_service(tmp_path / "service")


def copied(workspace: Workspace, root: Path) -> Workspace:
    """The same workspace once more, for a test to change."""
    return Workspace(shutil.copytree(workspace.root, root, symlinks=True))


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A service after its first night; nobody changes it."""
    workspace = make_service(tmp_path_factory.mktemp("first") / "service")
    outcome = run(workspace)
    assert outcome.is_new and not outcome.failed and not outcome.refused
    return workspace


@pytest.fixture
def begun(first_night: Workspace, tmp_path: Path) -> Workspace:
    """A service after its first night."""
    return copied(first_night, tmp_path / "service")
