"""Ratings of an invented service whose clinics, caseloads and courses are of very unequal size."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.modelling.fit import FloatArray
from flows.modelling.nested import nested, shares

LEVELS = ["clinic_id", "therapist_id", "episode_id"]


@dataclass(frozen=True)
class Covered:
    """Of clinics, therapists, patients and sessions: true share, mean found, its error, and cover."""

    truth: FloatArray
    mean: FloatArray
    error: FloatArray
    cover: FloatArray


def unequal_ratings(seed: int, n_clinics: int, sds: tuple[float, float, float]) -> pl.DataFrame:
    """One clinic in five has twelve to twenty therapists, the others two to four.

    Args:
        seed: of chance.
        n_clinics: how many.
        sds: standard deviation between clinics, their therapists, and their patients; between
            sessions it is .8.
    """
    chance = np.random.default_rng(seed)
    is_large = np.arange(n_clinics) % 5 == 0
    therapists = np.where(
        is_large, chance.integers(12, 21, n_clinics), chance.integers(2, 5, n_clinics)
    )
    clinic = np.repeat(np.arange(n_clinics), therapists)
    courses = chance.choice([2, 5, 20], len(clinic))
    therapist = np.repeat(np.arange(len(clinic)), courses)
    ratings = chance.integers(1, 12, len(therapist))
    course = np.repeat(np.arange(len(therapist)), ratings)
    of_clinic, of_therapist, of_course = (
        chance.normal(0, sd, n)
        for sd, n in zip(sds, (n_clinics, len(clinic), len(therapist)), strict=True)
    )
    therapist_of = therapist[course]
    clinic_of = clinic[therapist_of]
    value = (
        of_clinic[clinic_of]
        + of_therapist[therapist_of]
        + of_course[course]
        + chance.normal(0, 0.8, len(course))
    )
    return pl.DataFrame(
        {"clinic_id": clinic_of, "therapist_id": therapist_of, "episode_id": course, "value": value}
    )


def covered(seeds: Iterable[int], n_clinics: int, sds: tuple[float, float, float]) -> Covered:
    """The shares found in so many services, and how often their intervals hold the truth."""
    found = [shares(nested(unequal_ratings(seed, n_clinics, sds), LEVELS)) for seed in seeds]
    told, truth = np.array(found), np.array(true_shares(sds))
    holds = (told[:, :, 1] <= truth) & (truth <= told[:, :, 2])
    error = told[:, :, 0].std(axis=0, ddof=1) / len(told) ** 0.5
    return Covered(truth, told[:, :, 0].mean(axis=0), error, holds.mean(axis=0))


def true_shares(sds: tuple[float, float, float]) -> list[float]:
    """Of clinics, therapists, patients and sessions."""
    variances = [sd**2 for sd in (*sds, 0.8)]
    return [variance / sum(variances) for variance in variances]
