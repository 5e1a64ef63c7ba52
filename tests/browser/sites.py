"""What is looked at: the small demonstration, and a made-up service with hostile names."""

from __future__ import annotations

import fcntl
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.demo import make_demo
from flows.progress import Progress
from flows.workspace import Workspace
from reports.attachments import attachments
from reports.pages import AUDIENCES
from reports.render import render
from tests.reports.fixture_tables import make_tables

DEMO = (
    "demo/managers/index.html",
    "demo/managers/clinic-alder.html",
    "demo/managers/clinic-birch.html",
    "demo/managers/clinic-cedar.html",
    "demo/managers/over-time.html",
    "demo/managers/over-time.outcome.html",
    "demo/managers/changed.html",
    "demo/managers/alliance.html",
    "demo/managers/data-quality.html",
    "demo/managers/on-track.html",
    "demo/managers/endings.html",
    "demo/managers/model-card.html",
    "demo/managers/methods.html",
    "demo/public/index.html",
    "demo/public/notice.html",
    "demo/auditors/index.html",
    "demo/auditors/scores.html",
    "demo/auditors/review.html",
    "demo/auditors/review.clinic-alder.html",
    "demo/auditors/review.clinic-birch.html",
    "demo/auditors/review.clinic-cedar.html",
)
# Made like those of the service, and not looked at one by one.
ALIKE = (
    "demo/managers/mend-alder.html",
    "demo/managers/mend-birch.html",
    "demo/managers/mend-cedar.html",
    "demo/managers/clinic-alder.over-time.html",
    "demo/managers/clinic-birch.over-time.html",
    "demo/managers/clinic-cedar.over-time.html",
)
SECTION = re.compile(r"demo/managers/(clinic-\w+\.)?over-time\.[\w-]+\.html")
# The small demonstration has too few therapists for pages of their own.
THERAPIST = (
    f"made-up/managers/{next(r['page'] for r in make_tables()['therapist'] if r['has_page'])}.html"
)
MADE_UP = (
    "made-up/managers/index.html",
    "made-up/managers/over-time.html",
    "made-up/managers/over-time.outcome.html",
    "made-up/managers/over-time.endings.html",
    "made-up/managers/on-track.phq9.html",
    "made-up/managers/changed.html",
    "made-up/managers/clinic-birch.html",
    "made-up/managers/alliance.html",
    "made-up/managers/data-quality.html",
    "made-up/managers/on-track.html",
    "made-up/managers/methods.html",
    "made-up/public/index.html",
    "made-up/public/notice.html",
    "made-up/auditors/index.html",
    "made-up/auditors/scores.html",
    "made-up/auditors/review.html",
    "made-up/auditors/review.clinic-birch.html",
    "made-up/care_team/therapist-ab12cd/index.html",
    "made-up/care_team/therapist-ab12cd/open-courses.html",
    "made-up/care_team/therapist-ab12cd/worklist.html",
    "made-up/care_team/supervisor-lead/index.html",
    "made-up/care_team/supervisor-lead/therapist-ab12cd.figures.html",
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
    for audience in AUDIENCES:
        keep = partial(_write, building / "made-up" / audience)
        for name, text in render(audience, tables, keep=keep):
            keep(name, text)
        for name, held in attachments(audience, tables):
            (building / "made-up" / audience / name).write_bytes(held)
    outcome = make_demo(sites.workspace, 1, size="small", progress=Progress(sites.workspace))
    (building / "demo").symlink_to(outcome.folder, target_is_directory=True)
    building.rename(sites.folder)


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
