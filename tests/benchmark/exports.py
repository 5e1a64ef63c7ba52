"""Files made for measuring speed, with their mappings: legal answers with no course behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import default_rng

HEAD = """
mapping = 1
[clinic]
id = "benchmark"
timezone = "Europe/Berlin"
[[source]]
name = "rows"
match = "rows_*"
delivery = "{delivery}"
key = ["episode", "session"]
[source.read]
format = "{format}"
[source.fields]
patient = {{ column = "patient" }}
therapist = {{ column = "therapist" }}
episode = {{ column = "episode" }}
session = {{ column = "session", type = "int" }}
answered_at = {{ column = "answered_at", formats = ["%Y-%m-%d"] }}
[source.missing]
"" = "blank"
"""
FORM = """[[source.form]]
instrument = "{instrument}"
respondent = "patient"
items = {{ columns = "{prefix}_{{}}", count = {count} }}
"""


@dataclass(frozen=True)
class Shape:
    """A kind of wide file.

    Attributes:
        name: printed.
        rows: of the file.
        forms: registry name, prefix of the columns, items, lowest and highest answer.
        first: number of the first row, so that a later file can go on where one ended.
    """

    name: str
    rows: int
    forms: tuple[tuple[str, str, int, int, int], ...]
    first: int = 0

    def mapping(self, delivery: str = "append", *, written: str = "csv") -> str:
        """The clinic's mapping file."""
        forms = "".join(
            FORM.format(instrument=name, prefix=prefix, count=count)
            for name, prefix, count, *_ in self.forms
        )
        return HEAD.format(delivery=delivery, format=written) + forms

    def frame(self, seed: int) -> pl.DataFrame:
        """The file's rows, ten sessions an episode."""
        rng = default_rng(seed)
        row = np.arange(self.first, self.first + self.rows)
        episode, session = row // 10, row % 10 + 1
        number = pl.Series(episode.astype(np.int64)).cast(pl.String)
        day = (19_000 + episode % 1_000 + 7 * session).astype(np.int32)
        frame = pl.DataFrame(
            {
                "patient": "p" + number.str.zfill(7),
                "therapist": "t" + pl.Series(episode % 500).cast(pl.String).str.zfill(3),
                "episode": "e" + number.str.zfill(7),
                "session": session,
                "answered_at": pl.Series(day).cast(pl.Date),
            }
        )
        for _, prefix, count, low, high in self.forms:
            # A level per row plus -1, 0 or 1, cut to the scale: one draw per answer, which is quick.
            level = rng.integers(low, high + 1, size=(self.rows, 1), dtype=np.int8)
            step = rng.integers(-1, 2, size=(self.rows, count), dtype=np.int8)
            answers = np.clip(level + step, low, high)
            frame = frame.hstack(
                [pl.Series(f"{prefix}_{k + 1}", answers[:, k].copy()) for k in range(count)]
            )
        return frame

    def write(self, path: Path, seed: int) -> Path:
        """Write the file."""
        self.frame(seed).write_csv(path)
        return path

    def write_again(self, path: Path, seed: int, share: float) -> Path:
        """Write the file as it is exported a night later: a share of the rows has changed."""
        _, prefix, _, low, high = self.forms[0]
        first = pl.col(f"{prefix}_1")
        changed = pl.int_range(pl.len()) % round(1 / share) == 0
        turned = pl.when(first == high).then(low).otherwise(first + 1)
        cell = pl.when(changed).then(turned).otherwise(first).alias(f"{prefix}_1")
        frame = self.frame(seed).with_columns(cell)
        frame.write_csv(path)
        return path


OQ45 = Shape("OQ-45.2", 1_000_000, (("OQ-45.2", "oq", 45, 0, 4),))
SIDE_BY_SIDE = Shape(
    "PHQ-9, GAD-7 and WAI-SR side by side",
    2_000_000,
    (("PHQ-9", "phq", 9, 0, 3), ("GAD-7", "gad", 7, 0, 3), ("WAI-SR", "wai", 12, 1, 5)),
)
PHQ9 = Shape("PHQ-9", 100_000, (("PHQ-9", "phq", 9, 0, 3),))
SHAPES = {"oq45": OQ45, "side_by_side": SIDE_BY_SIDE}
