"""names/therapists.csv: what therapists are called, for the pages of their own folder and nowhere else.

The file holds ids as the clinics use them: it is readable by its owner alone, and no id of it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from schemas.private_file import Faults, read_private_list

HEADER = ("clinic", "therapist", "name")


@dataclass(frozen=True)
class TherapistName:
    """What one therapist is called: clinic, id as delivered, name."""

    clinic: str
    id: str
    name: str


def read_therapist_names(path: Path) -> list[TherapistName]:
    """Read and check names/therapists.csv; no file, no names.

    Raises:
        Faults: with every fault and its line.
    """
    found: dict[tuple[str, str], TherapistName] = {}
    faults = []
    for line, (clinic, therapist, name) in read_private_list(path, HEADER):
        if (clinic, therapist) in found:
            faults.append(f"{path.name}:{line}: this therapist has a name already")
        found[clinic, therapist] = TherapistName(clinic, therapist, name)
    if faults:
        raise Faults(faults)
    return list(found.values())
