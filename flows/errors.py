"""Every error a user may meet, each with its own exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

OK = 0
PARTLY_GREEN = 20
OVERDUE = 40
FILE_REFUSED = 30
ROWS_REFUSED = 31
LINES_REFUSED = 32
DISAGREEMENT = 50


class RapportError(Exception):
    """A fault shown to people as it is: what, where, what to do; never with a traceback.

    Args:
        faults: one sentence for each thing that is wrong, all of them.
        remedy: what to do about it.
    """

    exit_code = 1
    headline = "Rapport cannot go on"

    def __init__(self, faults: str | Sequence[str], remedy: str = "") -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        self.remedy = remedy
        super().__init__("; ".join(self.faults))


class SettingsError(RapportError):
    """rapport.toml says something it cannot say."""

    exit_code = 10
    headline = "rapport.toml has faults"


class MappingError(RapportError):
    """A clinic's mapping file says something it cannot say."""

    exit_code = 11
    headline = "The mapping has faults"


class InstrumentError(RapportError):
    """An instrument file says something it cannot say."""

    exit_code = 12
    headline = "An instrument file has faults"


class WorkspaceError(RapportError):
    """The workspace is missing, incomplete or not writable."""

    exit_code = 13
    headline = "The workspace cannot be used"


class SchedulerLost(RapportError):
    """What runs the nights does not stay alive."""

    exit_code = 16
    headline = "The schedule cannot be kept"


class CorrectionError(RapportError):
    """corrections.toml has faults, or does not fit what was delivered."""

    exit_code = 18
    headline = "corrections.toml has faults"


class AliasError(RapportError):
    """aliases.csv has faults."""

    exit_code = 19
    headline = "aliases.csv has faults"


class ObjectionError(RapportError):
    """objections.csv has faults, or names a patient whom nobody delivered."""

    exit_code = 21
    headline = "objections.csv has faults"


class NamesError(RapportError):
    """A list in names/ has faults."""

    exit_code = 22
    headline = "A list in names/ has faults"


class UnlikelyNight(RapportError):
    """The date of the night cannot be meant."""

    exit_code = 17
    headline = "No such night"


class MissingInbox(RapportError):
    """A clinic's inbox folder is not there."""

    exit_code = 13
    headline = "Nothing can arrive"


class WorkspaceBusy(RapportError):
    """Another run holds the warehouse."""

    exit_code = 14
    headline = "Another run is at work in this workspace"


class NothingPublished(RapportError):
    """A folder that should hold a published night holds none, or a part of one."""

    exit_code = 51
    headline = "There is nothing to verify"


class FileRefused(RapportError):
    """A whole file cannot be read; carries the findings that say why.

    Args:
        rule: id of the rule in schemas/rules.toml that the file breaks.
        line: physical text line, where one can be named.
        column: column name, where one can be named.
        about: values for the rule's message; never a patient's.
    """

    exit_code = FILE_REFUSED
    headline = "The file is refused"

    def __init__(
        self, rule: str, line: int | None = None, column: str | None = None, **about: Any
    ) -> None:
        self.rule = rule
        self.line = line
        self.column = column
        self.about: dict[str, Any] = about
        super().__init__(rule)


class StreetError(RapportError):
    """A stage after reading failed; nothing of tonight was published."""

    exit_code = 15
    headline = "The night was not published"


class CorruptArchive(RapportError):
    """An archived file no longer has the bytes it was landed with."""

    exit_code = PARTLY_GREEN
    headline = "The archive is damaged"
