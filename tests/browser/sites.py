"""What is looked at: the small demonstration, and a made-up service with hostile names."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path

from flows.demo import make_demo
from flows.progress import Progress
from flows.workspace import Workspace
from reports.render import render_audit, render_care_team, render_site
from tests.reports.fixture_tables import make_tables

DEMO = (
    "demo/reports/index.html",
    "demo/reports/clinic-alder.html",
    "demo/reports/clinic-birch.html",
    "demo/reports/clinic-cedar.html",
    "demo/reports/alliance.html",
    "demo/reports/data-quality.html",
    "demo/reports/on-track.html",
    "demo/reports/endings.html",
    "demo/reports/model-card.html",
    "demo/reports/methods.html",
    "demo/audit/scores.html",
    "demo/audit/review.html",
)
# The small demonstration has too few therapists for pages of their own.
THERAPIST = (
    f"made-up/reports/{next(r['page'] for r in make_tables()['therapist'] if r['has_page'])}.html"
)
MADE_UP = (
    "made-up/reports/index.html",
    "made-up/reports/clinic-birch.html",
    "made-up/reports/alliance.html",
    "made-up/reports/data-quality.html",
    "made-up/reports/on-track.html",
    "made-up/reports/methods.html",
    "made-up/audit/scores.html",
    "made-up/audit/review.html",
    "made-up/care_team/therapist-ab12cd.html",
    THERAPIST,
)
PAGES = DEMO + MADE_UP


@dataclass(frozen=True)
class Sites:
    """A folder with both sites in it, and the demonstration's workspace."""

    folder: Path
    workspace: Workspace

    def path(self, page: str) -> Path:
        """The file of a page of `PAGES`."""
        return self.folder / page


def build_sites(shared: Path) -> Sites:
    """Build both sites once, however many processes ask for them at the same time."""
    sites = Sites(shared / "sites", Workspace(shared / "workspace"))
    with (shared / "sites.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not sites.folder.is_dir():
            _build(sites)
    return sites


def _build(sites: Sites) -> None:
    building = sites.folder.with_name("sites.building")
    tables = make_tables()
    folders = (
        ("reports", render_site(tables)),
        ("audit", render_audit(tables)),
        ("care_team", render_care_team(tables)),
    )
    for folder, pages in folders:
        (building / "made-up" / folder).mkdir(parents=True)
        for path, text in pages:
            (building / "made-up" / folder / path).write_text(text, encoding="utf-8")
    outcome = make_demo(sites.workspace, 1, small=True, progress=Progress(sites.workspace))
    (building / "demo").symlink_to(outcome.folder, target_is_directory=True)
    building.rename(sites.folder)
