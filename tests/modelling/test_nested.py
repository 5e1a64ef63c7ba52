"""Shares of variance in groups within groups: a published case, the matrix formula, and known truths."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import approx_fprime

from flows.modelling.nested import nested, shares
from tests.modelling.unequal import LEVELS, covered, unequal_ratings


def test_the_published_shares_of_casks_within_deliveries() -> None:
    """Davies & Goldsmith 1972, Statistical Methods in Research and Production, table 6.5: strength of
    chemical paste, two tests of each of three casks of ten deliveries. Restricted maximum likelihood
    by lme4 (`Pastes`): deliveries 1.6573, casks 8.4337, tests .6780.
    """
    strength = [
        62.8, 62.6, 60.1, 62.3, 62.7, 63.1, 60.0, 61.4, 57.5, 56.9, 61.1, 58.9, 58.7, 57.5, 63.9,
        63.1, 65.4, 63.7, 57.1, 56.4, 56.9, 58.6, 64.7, 64.5, 55.1, 55.1, 54.7, 54.2, 58.8, 57.5,
        63.4, 64.9, 59.3, 58.1, 60.5, 60.0, 62.5, 62.6, 61.0, 58.7, 56.9, 57.7, 59.2, 59.4, 65.2,
        66.0, 64.8, 64.1, 54.8, 54.8, 64.0, 64.0, 57.7, 56.8, 58.3, 59.3, 59.2, 59.2, 58.9, 56.6,
    ]  # fmt: skip
    places = range(len(strength))
    frame = pl.DataFrame({"value": strength, "a": [i // 6 for i in places],
                          "b": [i // 2 for i in places]})  # fmt: skip
    found = shares(nested(frame, ["a", "b"]))
    assert found is not None
    total = 1.6573 + 8.4337 + 0.6780
    published = [1.6573 / total, 8.4337 / total, 0.6780 / total]
    assert [share for share, _, _ in found] == pytest.approx(published, abs=0.00005)
    assert found[0][1] == 0 < found[0][2] < found[1][2] < 1


def test_the_likelihood_is_that_of_the_whole_matrix() -> None:
    frame = unequal_ratings(4, 5, (0.7, 0.25, 1.0)).sample(fraction=0.05, seed=1)
    values, y = nested(frame, LEVELS), frame["value"].to_numpy()

    def whole(ratios: list[float]) -> float:
        covariance = np.eye(len(y))
        for level, ratio in zip(reversed(LEVELS), ratios, strict=True):
            group = frame[level].to_numpy()
            covariance += ratio * (group[:, None] == group[None, :])
        precision, one = np.linalg.inv(covariance), np.ones(len(y))
        weight = one @ precision @ one
        rest = y - one @ precision @ y / weight
        return float(
            (len(y) - 1) * np.log(rest @ precision @ rest)
            + np.linalg.slogdet(covariance)[1]
            + np.log(weight)
        )

    somewhere, elsewhere = [0.5, 0.1, 0.3], [2.0, 0.0, 0.1]
    difference = values.deviance(np.array(somewhere))[0] - values.deviance(np.array(elsewhere))[0]
    assert difference == pytest.approx(whole(somewhere) - whole(elsewhere), abs=1e-8)
    at = np.array(somewhere)
    slopes = approx_fprime(at, lambda ratios: values.deviance(ratios)[0], 1e-7)
    assert values.deviance(at)[1] == pytest.approx(slopes, rel=1e-4)


def test_unequal_clinics_have_unbiased_shares_and_intervals_that_cover() -> None:
    """The long version is `make bench`; the moments of equal groups are .012 too low here."""
    found = covered(range(20), 12, (0.4, 0.25, 1.0))
    assert np.all(np.abs(found.mean - found.truth) < 3 * found.error)
    assert np.all(found.cover >= 0.85)


def test_the_order_of_rows_and_the_names_of_groups_do_not_matter() -> None:
    frame = unequal_ratings(9, 12, (0.5, 0.25, 1.0))
    other = frame.sample(fraction=1, shuffle=True, seed=3).with_columns(
        pl.format("c{}", 99 - pl.col("clinic_id")).alias("clinic_id"),
        # a patient's number may be used again under another therapist
        (pl.col("episode_id") - pl.col("episode_id").min().over("therapist_id")),
    )
    ours, theirs = shares(nested(frame, LEVELS)), shares(nested(other, LEVELS))
    assert ours is not None and theirs is not None
    assert np.array(ours) == pytest.approx(np.array(theirs), abs=2e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 3.0, 3.0, 3.0, 3.0, 3.0], None),
        ([1.0, 1.0, 2.0, 2.0, 9.0, 9.0], "all between"),
        ([1.0, 2.0, 1.0, 2.0, 1.0, 2.0], "all within"),
    ],
)
def test_extremes_end_and_stay_between_nothing_and_all(
    values: list[float], expected: str | None
) -> None:
    found = shares(nested(pl.DataFrame({"value": values, "a": [1, 1, 2, 2, 3, 3]}), ["a"]))
    if expected is None:
        assert found is None
        return
    assert found is not None
    (between, low, high), (within, _, _) = found
    assert 0 <= low <= between <= high <= 1
    assert (between > 0.999) == (expected == "all between")
    assert (within > 0.999) == (expected == "all within")
