"""objections.csv: patients who object to their risk of leaving being estimated, as the clinics know them.

The file holds ids as the clinics use them: it is readable by its owner alone, and no id of it is printed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from schemas.private_file import Faults, read_private

HEADER = ("clinic", "patient", "date", "by")


@dataclass(frozen=True)
class Objection:
    """One patient's objection.

    Attributes:
        line: of the file.
        clinic: whose number it is.
        patient: the number as delivered.
    """

    line: int
    clinic: str
    patient: str


def read_objections(path: Path) -> list[Objection]:
    """Read and check objections.csv; no file, no objections.

    Raises:
        Faults: with every fault and its line.
    """
    text = read_private(path)
    if text is None:
        return []
    reader = csv.reader(text.splitlines())
    if tuple(cell.strip() for cell in next(reader, ())) != HEADER:
        raise Faults([f"{path.name}:1: the header must be {','.join(HEADER)}"])
    faults: list[str] = []
    found: dict[tuple[str, str], Objection] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = reader.line_num
        if len(cells) != len(HEADER):
            faults.append(f"{line}: has {len(cells)} cells, not {len(HEADER)}")
            continue
        row = dict(zip(HEADER, (cell.strip() for cell in cells), strict=True))
        empty = [key for key in HEADER if not row[key]]
        faults += [f"{line}: {key}: is empty" for key in empty]
        same = (row["clinic"], row["patient"])
        if not empty and same in found:
            faults.append(f"{line}: line {found[same].line} says so already")
        found.setdefault(same, Objection(line, *same))
    if faults:
        raise Faults([f"{path.name}:{fault}" for fault in faults])
    return list(found.values())
