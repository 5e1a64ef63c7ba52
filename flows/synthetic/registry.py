"""Who works where, who treats whom, and the ids the clinics give them."""

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.diary import Diary
from flows.synthetic.parameters import Parameters

IntArray = NDArray[np.int64]


def hire_therapists(p: Parameters, small: bool) -> tuple[pl.DataFrame, IntArray]:
    """Return therapists (clinic_id, therapist_id, name) and each one's clinic as a number."""
    rows: list[tuple[str, str, str | None]] = []
    home: list[int] = []
    for code, (clinic_id, clinic) in enumerate(p.clinics.items()):
        names = p.names.get(clinic_id, [])
        letter = clinic_id[0].upper() if clinic_id == "cedar" else clinic_id[0]
        for k in range(clinic.therapists_small if small else clinic.therapists):
            rows.append((clinic_id, f"{letter}{k + 1:02d}", names[k] if names else None))
            home.append(code)
    frame = pl.DataFrame(rows, schema=["clinic_id", "therapist_id", "name"], orient="row")
    return frame, np.array(home)


def assign_therapists(
    rng: Generator, home: IntArray, p: Parameters, small: bool
) -> tuple[IntArray, IntArray]:
    """Draw each episode's first therapist, and the colleague (same clinic) a few are handed to."""
    first: list[IntArray] = []
    colleague: list[IntArray] = []
    for code, clinic in enumerate(p.clinics.values()):
        pool = np.flatnonzero(home == code)
        n = len(pool) * p.service.episodes_per_therapist_small if small else clinic.episodes
        shares = rng.gamma(6.0, 1.0, len(pool))  # caseloads differ
        mine = rng.choice(len(pool), n, p=shares / shares.sum())
        first.append(pool[mine])
        colleague.append(pool[(mine + rng.integers(1, len(pool), n)) % len(pool)])
    return np.concatenate(first), np.concatenate(colleague)


def give_ids(rng: Generator, diary: Diary, clinic: IntArray, p: Parameters) -> pl.DataFrame:
    """Number patients and episodes per clinic in order of admission, and write the numbers its way.

    A few episodes belong to a patient who was here before, at least 60 days after the earlier end.
    """
    order = np.lexsort((diary.start_day, clinic))
    number = np.zeros(len(order), dtype=np.int64)
    number[order] = np.arange(len(order)) - np.searchsorted(clinic[order], clinic[order]) + 1
    patient = number.copy()
    for code in range(len(p.clinics)):
        back, earlier = _returns(rng, diary, np.flatnonzero(clinic == code), p)
        patient[back] = number[earlier]
    frame = pl.DataFrame(
        {
            "clinic_id": pl.Series(list(p.clinics))[clinic],
            "patient_no": patient,
            "episode_no": number,
            "course_no": 1 + (patient != number),
        }
    )
    return frame.select("clinic_id", *_as_written(), "episode_no")


def _returns(
    rng: Generator, diary: Diary, mine: IntArray, p: Parameters
) -> tuple[IntArray, IntArray]:
    by_end = mine[np.argsort(diary.end_day[mine], kind="stable")]
    back = mine[rng.random(len(mine)) < p.service.returning_share]
    before = np.searchsorted(diary.end_day[by_end] + 60, diary.start_day[back])
    back, before = back[before > 0], before[before > 0]
    earlier = by_end[(rng.random(len(back)) * before).astype(np.int64)]
    # Once each and never a chain: two overlapping treatments of one person would be an error.
    earlier, once = np.unique(earlier, return_index=True)
    back = back[once]
    free = ~np.isin(earlier, back)
    return back[free], earlier[free]


def _as_written() -> tuple[pl.Expr, pl.Expr]:
    """Alder pads with zeros, Birch numbers a patient's courses, Cedar puts letters in front."""

    def zeros(column: str, width: int) -> pl.Expr:
        return pl.col(column).cast(pl.String).str.zfill(width)

    is_alder, is_birch = pl.col("clinic_id") == "alder", pl.col("clinic_id") == "birch"
    patient = (
        pl.when(is_alder)
        .then(zeros("patient_no", 5))
        .when(is_birch)
        .then(zeros("patient_no", 4))
        .otherwise(pl.format("CX-{}", zeros("patient_no", 4)))
    )
    episode = (
        pl.when(is_alder)
        .then(zeros("episode_no", 6))
        .when(is_birch)
        .then(pl.format("{}-{}", zeros("patient_no", 4), "course_no"))
        .otherwise(pl.format("E{}", zeros("episode_no", 5)))
    )
    return patient.alias("patient_id"), episode.alias("episode_id")
