"""Regression against published coefficients, and a stated reason wherever there is no answer."""

import tracemalloc
from math import log, sqrt
from typing import Any

import numpy as np
import pytest

from flows.modelling.fit import NoSolution, independent, linear, logistic


def test_logistic_regression_is_the_published_one() -> None:
    """Spector & Mazzeo 1980 in Greene, Econometric Analysis, logit of the grade."""
    from statsmodels.datasets import spector

    data: Any = spector.load()
    columns = data.exog[["GPA", "TUCE", "PSI"]].to_numpy(dtype=float)
    found = logistic(columns, data.endog.to_numpy(dtype=float))
    assert np.round(found.estimates, 3).tolist() == [-13.021, 2.826, 0.095, 2.379]
    assert np.round(found.errors, 3).tolist() == [4.931, 1.263, 0.142, 1.065]


def test_rows_that_are_alike_count_each() -> None:
    """One yes-no column has its log odds ratio, and Woolf's error, in closed form."""
    exposed = np.array([1.0] * 30 + [0.0] * 70)
    y = np.array([1.0] * 12 + [0.0] * 18 + [1.0] * 14 + [0.0] * 56)
    found = logistic(exposed[:, None], y)
    assert found.estimates == pytest.approx([log(14 / 56), log((12 / 18) / (14 / 56))], abs=1e-9)
    errors = [sqrt(1 / 14 + 1 / 56), sqrt(1 / 12 + 1 / 18 + 1 / 14 + 1 / 56)]
    assert found.errors == pytest.approx(errors, abs=1e-9)
    shuffled = np.random.default_rng(1).permutation(100)
    again = logistic(exposed[shuffled][:, None], y[shuffled])
    assert again.estimates == pytest.approx(found.estimates, abs=1e-9)


def test_many_rows_that_are_alike_take_no_more_room_than_they_have() -> None:
    """The engine keeps its working arrays of every step: a separated outcome takes a hundred."""
    n = 200_000
    columns = np.column_stack([np.arange(n) % 5 == level for level in range(4)]).astype(float)
    y = (np.arange(n) % 5 > 1).astype(float)
    tracemalloc.start()
    with pytest.raises(NoSolution, match="told without error"):
        logistic(columns, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * columns.nbytes


def test_least_squares_is_the_certified_one() -> None:
    """Longley 1967 as certified by NIST, Statistical Reference Datasets."""
    from statsmodels.datasets import longley

    data: Any = longley.load()
    found = linear(data.exog.to_numpy(dtype=float), data.endog.to_numpy(dtype=float))
    certified = [-3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683,
                 -1.03322686717359, -0.511041056535807e-01, 1829.15146461355]  # fmt: skip
    assert found.estimates == pytest.approx(certified, rel=1e-7)
    assert found.errors[0] == pytest.approx(890420.383607373, rel=1e-7)
    assert found.residual_sd == pytest.approx(304.854073561965, rel=1e-7)


def test_a_column_that_tells_the_outcome_is_named() -> None:
    y = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    columns = np.column_stack([np.array([1.0, 2, 1, 2, 1, 2, 1, 2]), y * 2 + 1])
    with pytest.raises(NoSolution, match="told without error by severity"):
        logistic(columns, y, ["chance", "severity"])


def test_a_level_without_events_is_separation_and_not_a_large_coefficient() -> None:
    y = np.array([1.0, 0] * 20 + [0.0] * 10)
    level = np.array([0.0] * 40 + [1.0] * 10)
    with pytest.raises(NoSolution, match="told without error by rare"):
        logistic(level[:, None], y, ["rare"])


@pytest.mark.parametrize("event", [0.0, 1.0])
def test_outcomes_that_are_all_alike_have_no_model(event: float) -> None:
    with pytest.raises(NoSolution, match="every outcome is the same"):
        logistic(np.arange(5.0)[:, None], np.full(5, event))
    with pytest.raises(NoSolution, match="every outcome is the same"):
        logistic(np.empty((0, 1)), np.empty(0))


def test_too_few_rows_have_no_model() -> None:
    with pytest.raises(NoSolution, match="no more rows than coefficients"):
        linear(np.arange(2.0)[:, None], np.arange(2.0))


def test_twins_constants_and_sums_of_others_are_left_out() -> None:
    a, b = np.array([0.0, 1, 0, 1, 1, 0]), np.array([0.0, 0, 1, 1, 0, 1])
    columns = np.column_stack([a, np.full(6, 7.0), b, 1 - a, a + b, np.zeros(6)])
    assert independent(columns) == [0, 2]
