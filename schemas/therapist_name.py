"""names/therapists.csv: what therapists are called, for the pages of their own folder and nowhere else.

The file holds ids as the clinics use them: it is readable by its owner alone, and no id of it is printed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from schemas.private_file import Faults, read_private

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
    text = read_private(path)
    if text is None:
        return []
    reader = csv.reader(text.splitlines())
    if tuple(next(reader, ())) != HEADER:
        raise Faults([f"{path.name}:1: the header must be {','.join(HEADER)}"])
    found: dict[tuple[str, str], TherapistName] = {}
    faults = []
    for cells in reader:
        row = [cell.strip() for cell in cells]
        if not any(row):
            continue
        if len(row) != len(HEADER) or not all(row):
            faults.append(
                f"{path.name}:{reader.line_num}: needs clinic, therapist and name, and no more"
            )
        elif (row[0], row[1]) in found:
            faults.append(f"{path.name}:{reader.line_num}: this therapist has a name already")
        else:
            found[row[0], row[1]] = TherapistName(*row)
    if faults:
        raise Faults(faults)
    return list(found.values())
