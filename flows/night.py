"""What the stages of one night share, and what comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.errors import InstrumentError
from flows.land import inbox_clinics
from flows.progress import Progress
from flows.published import front_page
from flows.reading.correct import Numbered
from flows.settings import Settings
from flows.steps import PlainSteps
from flows.workspace import Workspace
from schemas.instrument import SHIPPED, InstrumentFaults, load_instruments
from schemas.instrument_types import Instrument
from schemas.supervision import Supervision
from schemas.therapist_name import TherapistName


@dataclass(frozen=True)
class Outcome:
    """What came of a night.

    Attributes:
        as_of: the night.
        revision: 1, or higher where new input came to a night already published.
        folder: where it is published.
        is_new: something was published now; False where the night stands as it was.
        failed: clinics whose night failed, with the reason.
        refused: files refused or held, with clinic and rule.
        left: files left in the inbox, with clinic and rule.
        unknown_aliases: lines of aliases.csv whose number nobody has delivered yet.
    """

    as_of: date
    revision: int
    folder: Path
    is_new: bool
    failed: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)
    unknown_aliases: list[int] = field(default_factory=list)

    @property
    def front_page(self) -> Path:
        """The page to open first."""
        return front_page(self.folder)

    def alias_lines(self) -> list[str]:
        """What is said of aliases that lead nowhere: perhaps they are misspelt."""
        return [
            f"aliases.csv:{line}: nobody has delivered this number yet"
            for line in self.unknown_aliases
        ]


@dataclass
class Night:
    """What the stages of one night share."""

    workspace: Workspace
    settings: Settings
    instruments: dict[str, Instrument]
    key: bytes
    as_of: date
    progress: Progress
    steps: PlainSteps
    names: Sequence[TherapistName] = ()
    supervision: Sequence[Supervision] = ()
    corrections: Mapping[str, Sequence[Numbered]] = field(default_factory=dict)
    revision: int = 1
    failed: dict[str, str] = field(default_factory=dict)
    left: list[tuple[str, str, str]] = field(default_factory=list)
    unknown_aliases: list[int] = field(default_factory=list)


def read_instruments(workspace: Workspace) -> dict[str, Instrument]:
    """The shipped instruments and the workspace's own.

    Raises:
        InstrumentError: with every fault of every file.
    """
    try:
        return load_instruments([SHIPPED, workspace.instruments])
    except InstrumentFaults as faults:
        raise InstrumentError(faults.faults, "Mend the file in instruments/.") from None


def all_clinics(workspace: Workspace) -> list[str]:
    """Clinics that have a mapping or an inbox: one without the other is named, not passed over."""
    mapped = {path.stem for path in mapping_files(workspace)}
    return sorted(mapped | set(inbox_clinics(workspace)))


def mapping_files(workspace: Workspace) -> list[Path]:
    """The clinics' mapping files; an editor's lock or a folder is none."""
    found = sorted(workspace.clinics.glob("*.toml"))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def internal_fault(error: BaseException) -> str:
    """Kind and place of an unforeseen error; its own text may hold what a patient said."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/flows/" in f.filename]
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    return f"an unforeseen {type(error).__name__} at {at}; please report it"
