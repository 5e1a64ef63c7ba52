"""What goes with the alliance: numbers against other ways to compute them, and against a known truth."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from flows.modelling.alliance import (
    Needs,
    added_share,
    clinic_share,
    component_shares,
    estimated,
    product_sums,
    standardized_slope,
)
from tests.modelling.unequal import true_shares, unequal_ratings

RNG = np.random.default_rng(5)
NEEDS = Needs(therapists=10, courses=50, resamples=400)


def courses_of(sizes: NDArray[np.int64], per_therapist: int) -> pl.DataFrame:
    episode = np.repeat(np.arange(len(sizes)), sizes)
    return pl.DataFrame(
        {"episode_id": episode, "therapist_id": [f"t{e // per_therapist:02d}" for e in episode]}
    )


def centred(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return frame.with_columns(
        (pl.col(name) - pl.col(name).mean().over("episode_id")).alias(name) for name in names
    )


def test_the_lagged_slope_is_that_of_a_regression_with_one_constant_per_course() -> None:
    sizes = RNG.integers(3, 9, 60)
    frame = courses_of(sizes, 5)
    n, names = frame.height, ["alliance_before", "symptom_before", "log_session", "symptom"]
    level = RNG.normal(0, 3, 60)[frame["episode_id"].to_numpy()]
    a, s, t = RNG.normal(0, 1, n), RNG.normal(0, 2, n), RNG.normal(0, 1, n)
    y = level - 0.8 * a + 0.3 * s - 0.5 * t + RNG.normal(0, 1, n)
    frame = frame.with_columns(
        alliance_before=pl.Series(a), symptom_before=pl.Series(s), log_session=pl.Series(t),
        symptom=pl.Series(y),
    )  # fmt: skip
    dummies = (frame["episode_id"].to_numpy()[:, None] == np.arange(60)).astype(float)
    slope = sm.OLS(y, np.column_stack([a, s, t, dummies])).fit().params[0]
    within = centred(frame, names)
    spread = within["alliance_before"].std() / within["symptom"].std()  # pyright: ignore[reportOperatorIssue]
    sums = product_sums(within, names)
    found = standardized_slope(sums.sum(axis=0, keepdims=True))
    assert found[0] == pytest.approx(slope * spread, abs=1e-9)
    told = estimated(("m", "a", "o"), "standardized", sums, standardized_slope, NEEDS, n)
    assert told.low is not None and told.high is not None and told.estimate is not None
    assert told.low < told.estimate < told.high < 0
    assert (told.n, told.n_courses, told.n_therapists) == (n, 60, 12)


def test_permuting_the_alliance_within_patients_leaves_no_slope() -> None:
    sizes = np.full(200, 8)
    frame = courses_of(sizes, 10)
    n = frame.height
    a = RNG.normal(0, 1, n)
    frame = frame.with_columns(
        alliance_before=pl.Series(a), symptom_before=pl.Series(RNG.normal(0, 1, n)),
        log_session=pl.Series(RNG.normal(0, 1, n)), symptom=pl.Series(-a + RNG.normal(0, 1, n)),
    )  # fmt: skip
    shuffled = frame.with_columns(
        pl.col("alliance_before").shuffle(seed=1).over("episode_id").alias("alliance_before")
    )
    names = ["alliance_before", "symptom_before", "log_session", "symptom"]
    for data, is_there in ((frame, True), (shuffled, False)):
        sums = product_sums(centred(data, names), names)
        told = estimated(("m", "a", "o"), "standardized", sums, standardized_slope, NEEDS, n)
        assert told.low is not None and told.high is not None
        assert (told.high < 0) == is_there


def test_the_added_share_is_the_difference_of_two_r_squared() -> None:
    n = 300
    first, alliance = RNG.normal(15, 5, n), RNG.normal(4, 0.5, n)
    last = 0.5 * first - 3 * alliance + RNG.normal(0, 4, n)
    frame = courses_of(np.ones(n, dtype=int), 20).with_columns(
        one=pl.lit(1.0), first=pl.Series(first), last=pl.Series(last), early=pl.Series(alliance)
    )
    alone = sm.OLS(last, sm.add_constant(first)).fit().rsquared
    both = sm.OLS(last, sm.add_constant(np.column_stack([first, alliance]))).fit().rsquared
    sums = product_sums(frame, ["one", "first", "last", "early"])
    assert added_share(sums.sum(axis=0, keepdims=True))[0] == pytest.approx(both - alone, abs=1e-9)


def test_too_little_or_nothing_that_moves_is_said() -> None:
    frame = courses_of(np.ones(80, dtype=int), 20).with_columns(
        one=pl.lit(1.0), first=pl.lit(3.0), last=pl.lit(3.0), early=pl.lit(3.0)
    )
    sums = product_sums(frame, ["one", "first", "last", "early"])
    few = estimated(("m", "a", "o"), "share_early", sums, added_share, NEEDS, 80)
    assert (few.estimate, few.why_not) == (
        None, "it takes 10 therapists and 50 courses, and there are 4 and 80",
    )  # fmt: skip
    still = estimated(("m", "a", "o"), "share_early", sums, added_share, Needs(2, 10, 200), 80)
    assert (still.estimate, still.why_not) == (None, "ratings or scores never move")


def test_the_shares_of_the_alliance_add_up_and_lie_in_their_intervals() -> None:
    frame, truth = unequal_ratings(5, 30, (0.0, 0.4, 1.0)), true_shares((0.0, 0.4, 1.0))[1:]
    told = component_shares("m", "wai", frame, Needs(50, 1200, 400))
    assert [*told] == ["therapist", "patient", "session"]
    assert sum(one.estimate or 0 for one in told.values()) == pytest.approx(1, abs=0.0002)
    for one, share in zip(told.values(), truth, strict=True):
        assert one.low is not None and one.high is not None and one.why_not is None
        assert one.low <= share <= one.high
        assert one.model_id == f"m/{one.quantity.removeprefix('share_')}"
    few = component_shares("m", "wai", frame, Needs(5000, 1200, 400))["therapist"]
    assert (few.estimate, few.low, few.high) == (None, None, None)
    assert few.why_not is not None and "it takes 5000 therapists and 1200" in few.why_not
    still = component_shares("m", "wai", frame.with_columns(value=3.0), Needs(50, 1200, 400))
    assert still["patient"].why_not == "ratings or scores never move"


def test_the_share_of_clinics_lies_in_its_interval() -> None:
    frame, (truth, *_) = unequal_ratings(6, 30, (0.7, 0.25, 1.0)), true_shares((0.7, 0.25, 1.0))
    found = clinic_share("m", "wai", frame, Needs(10, 1200, 400))
    assert found.low is not None and found.high is not None and found.why_not is None
    assert found.low <= truth <= found.high < 0.5
    assert (found.model_id, found.n) == ("m/clinic", frame.height)
    assert found.n_courses == frame["episode_id"].n_unique()
    assert found.n_therapists == frame["therapist_id"].n_unique()


def test_few_clinics_cannot_be_told_apart() -> None:
    frame = unequal_ratings(7, 3, (0.7, 0.25, 1.0))
    found = clinic_share("m", "wai", frame, Needs(10, 1200, 400))
    assert (found.estimate, found.low, found.high) == (None, None, None)
    assert found.why_not == (
        "clinics cannot be told apart from their therapists: it takes 10 clinics and 1200 courses,"
        f" and there are 3 and {found.n_courses}"
    )
