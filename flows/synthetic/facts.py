"""Who the invented patients are: what a record may state beside their episodes."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.parameters import Parameters

FloatArray = NDArray[np.float64]
HOME_LANGUAGE = {"alder": "de", "birch": "en", "cedar": "en"}
RECORDED = (
    "sex", "age_band", "language", "interpreter_needed", "diagnosis_group", "previous_treatment",
    "employment",
)  # fmt: skip
OUT_OF_WORK = ("unemployed", "unable_to_work")


def add_facts(
    rng: Generator, episodes: pl.DataFrame, symptoms: FloatArray, p: Parameters
) -> pl.DataFrame:
    """Return the episodes with the facts of RECORDED (NULL = not recorded) and `referred_on`.

    Patients who are worse at intake are likelier to have been treated before and to be out of work;
    who comes back has been, and keeps sex and language.

    Args:
        rng: drawn from.
        episodes: with ids and `started_on`, one row each.
        symptoms: at intake, in PHQ-9 points, per episode.
        p: shares of the service.
    """
    f, n = p.facts, episodes.height
    worse = f.per_three_points * (symptoms - p.symptoms.intake_mean) / 3.0
    speaks_other = rng.random(n) < f.other_language
    sex = rng.choice(
        ["female", "other", "male"], n, p=[f.female, f.other_sex, 1.0 - f.female - f.other_sex]
    )
    employment = _pick(rng, n, f.employment)
    may_lose = (employment == "employed") & (rng.random(n) < _share(0.08, worse) - 0.08)
    frame = episodes.with_columns(
        sex=pl.Series(sex),
        age_band=pl.Series(_pick(rng, n, f.age_bands)),
        language=pl.when(pl.Series(speaks_other))
        .then(pl.Series(rng.choice(f.other_languages, n)))
        .otherwise(pl.col("clinic_id").replace_strict(HOME_LANGUAGE)),
        diagnosis_group=pl.Series(_pick(rng, n, f.diagnosis_groups)),
        previous_treatment=pl.Series(
            np.where(rng.random(n) < _share(f.previous_treatment, worse), "yes", "no")
        ),
        employment=pl.Series(np.where(may_lose, rng.choice(OUT_OF_WORK, n), employment)),
        needs=pl.Series(rng.random(n) < f.interpreter),
        referred_on=pl.col("started_on")
        - pl.duration(days=pl.Series(rng.integers(f.referral_days[0], f.referral_days[1], n))),
    )
    frame = _same_person(frame)
    missing = {name: pl.Series(rng.random(n) < f.not_recorded) for name in RECORDED}
    return frame.with_columns(
        pl.when(~missing[name]).then(pl.col(name)).alias(name) for name in RECORDED
    )


def _same_person(frame: pl.DataFrame) -> pl.DataFrame:
    """Sex and language go with the patient, and a later course of one has a treatment before it."""
    patient = ["clinic_id", "patient_id"]
    is_first = pl.col("episode_no") == pl.col("episode_no").min().over(patient)
    spoken = pl.col("language").first().over(patient, order_by="episode_no")
    is_home = spoken == pl.col("clinic_id").replace_strict(HOME_LANGUAGE)
    return frame.with_columns(
        sex=pl.col("sex").first().over(patient, order_by="episode_no"),
        language=spoken,
        interpreter_needed=pl.when(
            ~is_home & pl.col("needs").first().over(patient, order_by="episode_no")
        )
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no")),
        previous_treatment=pl.when(is_first).then("previous_treatment").otherwise(pl.lit("yes")),
    ).drop("needs")


def appointment_facts(
    appointments: pl.DataFrame, episodes: pl.DataFrame, p: Parameters
) -> pl.DataFrame:
    """Return the appointments with `mode` and `interpreter`, the same in every export."""
    turn = (pl.col("episode_no") * 89 + pl.col("appointment_no") * 37) % 1000
    needed = episodes.select("clinic_id", "episode_no", "interpreter_needed")
    joined = appointments.join(
        needed, on=["clinic_id", "episode_no"], how="left", maintain_order="left"
    )
    return joined.with_columns(
        mode=pl.when(turn < 1000 * p.facts.video)
        .then(pl.lit("video"))
        .otherwise(pl.lit("in_person")),
        # an interpreter who was asked for does not always come
        interpreter=pl.when(turn % 10 == 0).then(pl.lit("no")).otherwise("interpreter_needed"),
    ).drop("interpreter_needed")


def _pick(rng: Generator, n: int, shares: Mapping[str, float]) -> NDArray[np.str_]:
    weights = np.array(list(shares.values()))
    return rng.choice(list(shares), n, p=weights / weights.sum())


def _share(base: float, shift: FloatArray) -> FloatArray:
    odds = base / (1.0 - base) * np.exp(shift)
    return odds / (1.0 + odds)
