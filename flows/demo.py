"""A whole service to look at: three synthetic clinics, two nights, nothing to configure."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from flows.errors import WorkspaceError
from flows.init import make_workspace
from flows.night import Outcome
from flows.nightly import nightly
from flows.progress import Progress
from flows.synthetic.exports import WRITERS, write_exports
from flows.synthetic.world import simulate, write_truth
from flows.workspace import Workspace

# A Tuesday: on a weekend the second night would have little to show. Fixed, so that the demo of one
# program version is the same everywhere and at any time.
DEMO_NIGHT = date(2026, 11, 17)
Size = Literal["small", "full", "large"]
# What the demonstration service expects of its clinics.
PROTOCOL = "".join(
    f'\n[[protocol]]\nclinic = "{clinic}"\ninstrument = "{instrument}"\nevery = {every}\n'
    for clinic, instrument, every in [
        ("alder", "OQ-45.2", '"session"'),
        ("alder", "WAI-SR", '"session"'),
        ("alder", "WAI-SRT", "3"),
        ("birch", "PHQ-9", '"session"'),
        ("birch", "GAD-7", '"session"'),
        ("birch", "WAI-SR", '"session"'),
        ("birch", "WAI-SRT", "3"),
        ("cedar", "CORE-10", '"session"'),
        ("cedar", "ORS", '"session"'),
        ("cedar", "SRS", '"session"'),
    ]
)
# Without it the demonstration would have no page of a therapist to look at.
AGREEMENT = (
    '\n[governance]\ntherapist_agreement = { reference = "demonstration", date = 2026-01-01 }\n'
    '[governance.patient_risk]\nsafety_owner = "demonstration"\nlegal_basis = "demonstration"\n'
    'impact_assessment = { reference = "demonstration", date = 2026-01-01 }\n'
)
SERVICE = "Demonstration service (synthetic patients)"
MAPPINGS = Path(__file__).with_name("synthetic") / "mappings"


def make_demo(workspace: Workspace, seed: int, *, size: Size, progress: Progress) -> Outcome:
    """Make the demonstration workspace and run two nights on it; a finished one stays as it is.

    Args:
        workspace: an empty or new folder, or one that this function made.
        seed: of the synthetic clinics, and of the pseudonymisation key.
        size: eight therapists, thirty-eight, or enough for chances of leaving to be shown.
        progress: told of every step.

    Raises:
        WorkspaceError: when the folder holds something else.
    """
    mark = workspace.root / ".demo"
    wanted = f"seed {seed}, {size}\n"
    if mark.is_file() and mark.read_text(encoding="utf-8") != wanted:
        raise WorkspaceError(
            f"{workspace.root}: holds a demonstration with {mark.read_text(encoding='utf-8').strip()}",
            "Name another folder, or remove this one.",
        )
    if not mark.is_file() and workspace.root.is_dir() and any(workspace.root.iterdir()):
        raise WorkspaceError(f"{workspace.root}: is not empty", "Name a new folder for the demo.")
    first, second = DEMO_NIGHT - timedelta(days=1), DEMO_NIGHT
    key = hashlib.sha256(f"demonstration {seed}".encode()).digest()
    if not mark.is_file():
        make_workspace(workspace, SERVICE, key=key, more_settings=PROTOCOL + AGREEMENT)
        mark.write_text(wanted, encoding="utf-8")
    if not (workspace.published / first.isoformat()).is_dir():
        progress.step("simulate")
        _deliver(workspace, seed, size, None, first)
        nightly(workspace, first, progress)
    if not (workspace.published / second.isoformat()).is_dir():
        _deliver(workspace, seed, size, second, second)
    return nightly(workspace, second, progress)


def _deliver(
    workspace: Workspace, seed: int, size: Size, from_date: date | None, to_date: date
) -> None:
    world = simulate(seed, DEMO_NIGHT, small=size == "small", large=size == "large")
    for clinic_id in WRITERS:
        mapping = (MAPPINGS / f"{clinic_id}.toml").read_bytes()
        (workspace.clinics / f"{clinic_id}.toml").write_bytes(mapping)
        write_exports(world, clinic_id, workspace.inbox / clinic_id, from_date, to_date)
    truth = workspace.root / "truth"
    truth.mkdir(exist_ok=True)
    write_truth(world, truth)
