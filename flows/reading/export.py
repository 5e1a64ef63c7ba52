"""A delivered file on its way to records of text, and what a reader of a file format makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.reading.correct import Numbered
from flows.reading.delimited import TextTable
from flows.reading.finding import Findings
from schemas.export_format import Source


@dataclass(frozen=True)
class Export:
    """One delivered file and all that a reader needs to know of it.

    Attributes:
        path: the bytes as delivered, or unpacked from what was delivered.
        source: the mapping's source.
        folder: scratch folder of this file alone; removed with everything in it once it is read.
        findings: takes what is remarkable.
        workspace: folder that `read.password_file` is relative to; None outside a workspace.
        corrections: cells of this file known to be wrong.
        asked: formats that asked for the password.
    """

    path: Path
    source: Source
    folder: Path
    findings: Findings
    workspace: Path | None = None
    corrections: Sequence[Numbered] = ()
    asked: list[str] = field(default_factory=list)

    def text(self, name: str = "records") -> Path:
        """Where a reader writes its records."""
        return self.folder / f"{name}.txt"


@dataclass(frozen=True)
class Prepared:
    """Records as text, and the part of the mapping's source that reads them.

    Attributes:
        source: the source, or the part of it that this table is for.
        table: the records.
        rejected: records of the file that are not in the table, each with a finding.
    """

    source: Source
    table: TextTable
    rejected: int = 0
