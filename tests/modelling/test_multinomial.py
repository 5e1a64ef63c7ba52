"""Multinomial regression against published and exact coefficients."""

from math import log, sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest

from flows.modelling.fit import NoSolution
from flows.modelling.multinomial import chances, dummies, multinomial

COUNTS = [[50, 20, 10], [30, 40, 5]]  # outcome 0, 1, 2 without and with a sign


def table() -> tuple[np.ndarray, np.ndarray]:
    sign = np.repeat([0.0, 1.0], [sum(row) for row in COUNTS])
    outcome = np.concatenate([np.repeat([0, 1, 2], row) for row in COUNTS])
    return sign[:, None], outcome


def test_party_identification_is_the_published_one() -> None:
    """American National Election Study 1996, first equation, as in the manual of statsmodels."""
    from statsmodels.datasets import anes96

    data: Any = anes96.load()
    columns = data.exog[["logpopul", "selfLR", "age", "educ", "income"]].to_numpy(dtype=float)
    found = multinomial(columns, data.endog.to_numpy(dtype=int), 6, None)
    published = [-0.3734, -0.0115, 0.2977, -0.0249, 0.0825, 0.0052]
    assert np.round(found.estimates[:, 0], 4).tolist() == published
    assert np.round(found.errors[:, 0], 3).tolist() == [0.63, 0.034, 0.094, 0.007, 0.074, 0.018]
    assert found.log_likelihood == pytest.approx(-1461.9227, abs=1e-4)


def test_a_single_sign_has_the_logarithm_of_its_odds_ratio() -> None:
    found = multinomial(*table(), 2, None)
    without, with_sign = COUNTS
    for outcome in (1, 2):
        ratio = log(with_sign[outcome] * without[0] / (with_sign[0] * without[outcome]))
        cells = (with_sign[outcome], with_sign[0], without[outcome], without[0])
        assert found.estimates[1, outcome - 1] == pytest.approx(ratio, abs=1e-10)
        assert found.errors[1, outcome - 1] == pytest.approx(sqrt(sum(1 / n for n in cells)))
        assert found.estimates[0, outcome - 1] == pytest.approx(log(without[outcome] / without[0]))
    expected = [n / sum(with_sign) for n in with_sign]
    assert chances(np.array([[1.0, 1.0]]), found.estimates)[0] == pytest.approx(expected)


def test_a_wide_prior_leaves_what_the_data_know_and_holds_what_they_do_not() -> None:
    sign, outcome = table()
    plain, held = multinomial(sign, outcome, 2, None), multinomial(sign, outcome, 2, 5.0)
    assert np.abs(plain.estimates - held.estimates).max() < 0.02
    never = outcome.copy()
    never[(sign[:, 0] == 1) & (outcome == 2)] = 0
    found = multinomial(sign, never, 2, 5.0)
    assert -8 < found.estimates[1, 1] < -3
    assert found.errors[1, 1] > 1


def test_a_column_that_tells_an_outcome_without_error_has_a_finite_coefficient() -> None:
    drawn = np.random.default_rng(1)
    left = drawn.random(20_000) < 0.03
    columns = np.column_stack([left - left.mean(), drawn.normal(size=(20_000, 10))])
    outcome = np.where(left, 1, np.where(drawn.random(20_000) < 0.06, 2, 0))
    found = multinomial(columns, outcome, 2, 5.0)
    assert 8 < found.estimates[1, 0] < 25
    x = np.column_stack([np.ones(20_000), columns])
    chance = chances(x, found.estimates)[:, 1]
    assert chance[left].min() > 0.9 > 0.01 > chance[~left].max()


def test_an_outcome_that_never_happens_has_no_model() -> None:
    sign, outcome = table()
    with pytest.raises(NoSolution, match="not every outcome happens"):
        multinomial(sign, np.where(outcome == 2, 0, outcome), 2, 5.0)


def test_levels_have_a_column_each_but_the_first() -> None:
    assert dummies(pl.Series(["b", "a", "c"]), ["a", "b", "c"]).tolist() == [[1, 0], [0, 0], [0, 1]]


def test_rows_taken_in_blocks_give_what_they_give_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(4)
    columns = chance.normal(size=(400, 2))
    outcome = chance.integers(0, 3, size=400)
    whole = multinomial(columns, outcome, 2, 5.0)
    monkeypatch.setattr("flows.modelling.multinomial.BLOCK", 150)
    blocks = multinomial(columns, outcome, 2, 5.0)
    assert blocks.estimates == pytest.approx(whole.estimates, abs=1e-10)
    assert blocks.errors == pytest.approx(whole.errors, abs=1e-10)
