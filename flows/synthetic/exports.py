"""Write a clinic's records the way its own software exports them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import default_rng

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


def write_oq45_rows(path: Path, n_rows: int, seed: int) -> Path:
    """Write a plain wide CSV of n_rows OQ-45 forms (10 per episode) for measuring speed.

    Answers are legal and random round a level per row; there is no course behind them.
    """
    rng = default_rng(seed)
    row = np.arange(n_rows)
    episode, session = row // 10, row % 10 + 1
    day = 19_000 + episode % 1_000 + 7 * session
    # A level per row plus -1, 0 or 1, cut to the scale: one draw per answer, which is quick.
    level = rng.integers(0, 5, size=(n_rows, 1), dtype=np.int8)
    answers = np.clip(level + rng.integers(-1, 2, size=(n_rows, 45), dtype=np.int8), 0, 4)
    number = pl.Series(episode.astype(np.int64)).cast(pl.String)
    frame = pl.DataFrame(
        {
            "patient": "p" + number.str.zfill(7),
            "therapist": "t" + pl.Series(episode % 500).cast(pl.String).str.zfill(3),
            "episode": "e" + number.str.zfill(7),
            "session": session,
            "answered_at": pl.Series(day.astype(np.int32)).cast(pl.Date),
        }
    ).hstack([pl.Series(f"oq_{k + 1}", answers[:, k].copy()) for k in range(45)])
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_csv(path)
    return path
