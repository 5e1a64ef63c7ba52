"""A night killed at any point and started again ends as if nothing had happened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.workspace import Workspace
from tests.nightly.conftest import NEXT, NIGHT, drop, form, form_file, make_service, run, tree

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


def prepared(root: Path) -> Workspace:
    """A service after its first night, with new files for the second."""
    workspace = make_service(root)
    run(workspace)
    drop(workspace, "north", "forms_2.csv", form_file(form(901, "new", 1, "2026-03-01", 1)))
    drop(workspace, "south", "forms_2.csv", form_file(form(101, "other", 1, "2026-03-01", 2)))
    return workspace


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A prepared service to copy, and what its second night looks like when nobody kills it."""
    root = tmp_path_factory.mktemp("undisturbed")
    prepared(root / "before")
    shutil.copytree(root / "before", root / "after", symlinks=True)
    workspace = Workspace(root / "after")
    run(workspace, NEXT)
    return root / "before", tree(workspace.published)


@pytest.mark.parametrize(
    ("point", "nth"), POINTS, ids=[f"{p.split(':', 1)[1]}:{n}" for p, n in POINTS]
)
def test_killed_and_started_again_is_as_undisturbed(
    undisturbed: tuple[Path, dict[str, str]], tmp_path: Path, point: str, nth: int
) -> None:
    template, expected = undisturbed
    shutil.copytree(template, tmp_path / "service", symlinks=True)
    workspace = Workspace(tmp_path / "service")
    killed = subprocess.run(
        [sys.executable, "-m", "tests.nightly.kill_at", str(workspace.root), NEXT.isoformat(), point, str(nth)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    # Before the new night is in its place the old one stands whole, afterwards the new one.
    assert workspace.current.resolve().name in (NIGHT.isoformat(), NEXT.isoformat())
    assert (workspace.current / "managers" / "index.html").is_file()
    run(workspace, NEXT)
    assert tree(workspace.published) == expected
    assert [p for p in workspace.inbox.rglob("*") if p.is_file()] == []
    assert [p.name for p in workspace.scratch.iterdir()] == []
