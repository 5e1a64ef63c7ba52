"""Write a clinic's records the way its own software exports them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from flows.synthetic.alder import alder_files
from flows.synthetic.birch import birch_files
from flows.synthetic.cedar import cedar_files
from flows.synthetic.world import World

WRITERS: dict[str, Callable[[World, date | None, date], dict[str, bytes]]] = {
    "alder": alder_files,
    "birch": birch_files,
    "cedar": cedar_files,
}


def write_exports(
    world: World, clinic_id: str, folder: Path, from_date: date | None, to_date: date
) -> list[Path]:
    """Write what one clinic would export at the end of to_date, and return the files.

    Appended files hold what was entered or changed from from_date (None: from the beginning) to
    to_date, snapshots hold everything up to to_date; a file with nothing to hold is not written.
    What was corrected or entered after to_date is not in it. Raises KeyError for an unknown clinic.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, content in WRITERS[clinic_id](world, from_date, to_date).items():
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths
