"""A night killed at any point and started again ends as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from flows.workspace import Workspace
from tests.nightly.conftest import NEXT, NIGHT, copied, drop, form, form_file, run, tree
from tests.nightly.kill_at import night_killed_at

# Processes of their own that need not import everything again.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["tests.nightly.kill_at", "great_expectations", "altair", "prefect"]
)

# Every stage, and the instants at which the order of writing matters.
POINTS = [
    ("flows.clinics:archive:after", 1),
    ("flows.clinics:archive:after", 2),
    ("flows.clinics:read_clinic:after", 2),
    ("flows.validate:_record:after", 2),
    ("flows.clinics:merge_clinic:after", 1),
    ("flows.compute:build:before", 1),
    ("flows.compute:build_scores:after", 1),
    ("flows.compute:build:after", 2),
    ("flows.publish:_write_pages:after", 1),
    ("flows.publish:_write_audit:after", 1),
    ("flows.publish:_sync_tree:after", 1),
    ("flows.publish:_move_current:before", 1),
    ("flows.publish:_move_current:after", 1),
    ("flows.ledger:mark_published:after", 1),
    ("flows.nightly:tidy:after", 1),
]


@pytest.fixture(scope="module")
def undisturbed(
    first_night: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, dict[str, str]]:
    """A service with new files for its second night, and what that looks like when nobody kills it."""
    root = tmp_path_factory.mktemp("undisturbed")
    before = copied(first_night, root / "before")
    drop(before, "north", "forms_2.csv", form_file(form(901, "new", 1, "2026-03-01", 1)))
    drop(before, "south", "forms_2.csv", form_file(form(101, "other", 1, "2026-03-01", 2)))
    after = copied(before, root / "after")
    run(after, NEXT)
    return before, tree(after.published)


@pytest.mark.parametrize(
    ("point", "nth"), POINTS, ids=[f"{p.split(':', 1)[1]}:{n}" for p, n in POINTS]
)
def test_killed_and_started_again_is_as_undisturbed(
    undisturbed: tuple[Workspace, dict[str, str]], tmp_path: Path, point: str, nth: int
) -> None:
    template, expected = undisturbed
    workspace = copied(template, tmp_path / "service")
    killed = PROCESSES.Process(target=night_killed_at, args=(workspace.root, NEXT, point, nth))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    # Before the new night is in its place the old one stands whole, afterwards the new one.
    assert workspace.current.resolve().name in (NIGHT.isoformat(), NEXT.isoformat())
    assert (workspace.current / "managers" / "index.html").is_file()
    run(workspace, NEXT)
    assert tree(workspace.published) == expected
    assert [p for p in workspace.inbox.rglob("*") if p.is_file()] == []
    assert [p.name for p in workspace.scratch.iterdir()] == []
