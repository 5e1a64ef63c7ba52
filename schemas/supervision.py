"""names/supervisors.csv: who supervises whom, for the folders of supervisors and nowhere else.

The file holds ids as the clinics use them: it is readable by its owner alone, and no id of it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from schemas.private_file import Faults, read_private_list

HEADER = ("supervisor", "clinic", "therapist")
# A code becomes the name of a folder.
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Supervision:
    """One therapist whom one supervisor oversees: the supervisor's code, clinic, id as delivered."""

    supervisor: str
    clinic: str
    therapist: str


def read_supervision(path: Path, clinics: Collection[str]) -> list[Supervision]:
    """Read and check names/supervisors.csv, in its own order; no file, nobody.

    Raises:
        Faults: with every fault and its line.
    """
    found: dict[Supervision, int] = {}
    faults = []
    for line, cells in read_private_list(path, HEADER):
        row = Supervision(*cells)
        here = f"{path.name}:{line}"
        if not CODE.fullmatch(row.supervisor):
            faults.append(
                f"{here}: supervisor: a code of small letters, digits and hyphens, for it names a folder"
            )
        if row.clinic not in clinics:
            faults.append(f"{here}: clinic: there is none of this id")
        if row in found:
            faults.append(f"{here}: the same stands in line {found[row]}")
        found.setdefault(row, line)
    if faults:
        raise Faults(faults)
    return list(found)
