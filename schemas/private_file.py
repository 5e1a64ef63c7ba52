"""Files of the workspace that name patients or hold what they said: their owner alone may read them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path


class Faults(ValueError):
    """Everything wrong with one file.

    Args:
        faults: one sentence each, beginning with the file's name and the place in it.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def read_private(path: Path) -> str | None:
    """The text of a private file; None where there is none.

    Raises:
        Faults: where it cannot be read, or others may read it.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Faults([f"{name}: cannot be read ({type(error).__name__})"]) from None
    if path.stat().st_mode & 0o077:
        raise Faults([f"{name}: others may read it: chmod 600 {name}"])
    return text


def read_private_list(path: Path, header: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    """The rows of a private list with their lines, cells without space around them; no file, no rows.

    Raises:
        Faults: for another header, and for every row with an empty cell or another number of cells.
    """
    text = read_private(path)
    if text is None:
        return []
    reader = csv.reader(text.splitlines())
    if next(reader, []) != list(header):
        raise Faults([f"{path.name}:1: the header must be {','.join(header)}"])
    rows, faults = [], []
    needed = f"{', '.join(header[:-1])} and {header[-1]}"
    for cells in reader:
        row = tuple(cell.strip() for cell in cells)
        if not any(row):
            continue
        if len(row) != len(header) or not all(row):
            faults.append(f"{path.name}:{reader.line_num}: needs {needed}, and no more")
        rows.append((reader.line_num, row))
    if faults:
        raise Faults(faults)
    return rows
