"""Linear and logistic regression, with a stated reason where there is no answer.

Coefficients are rounded: what is stored is what every prediction starts from, and the last binary
digits of a linear-algebra library decide nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DECIMALS = 12
STEPS_MOST = 100
# Steps shrink by their square: after one of this size the next is below any digit kept.
TOLERANCE = 1e-10
# A probability within 2e-9 of certainty is no estimate from thousands of rows: the data are separated.
PREDICTOR_MOST = 20.0
# Columns closer than this to a combination of those before them add nothing.
DEPENDENT = 1e-9


@dataclass(frozen=True)
class Term:
    """One coefficient; `centre` is the mean that was taken off its column before fitting."""

    name: str
    estimate: float
    standard_error: float | None
    centre: float | None


@dataclass(frozen=True)
class Fit:
    """One fitted model, or the reason why there is none."""

    model_id: str
    outcome: str
    data_to: date | None
    n: int
    n_events: int | None = None
    terms: Sequence[Term] = field(default=())
    residual_sd: float | None = None
    left_out: str | None = None
    why_not: str | None = None
    # Thresholds of cumulative sums: odds ratio, share of false alarms, threshold.
    limits: Sequence[tuple[float, float, float]] = field(default=())


@dataclass(frozen=True)
class Solution:
    """Coefficients in the order of the columns, the intercept first; or why there are none."""

    estimates: FloatArray
    errors: FloatArray
    residual_sd: float | None = None


class NoSolution(Exception):
    """There is no estimate; the text says why, in words for a page."""


def independent(columns: FloatArray) -> list[int]:
    """The columns, from the left, that are no combination of the intercept and those kept before.

    A factor that a clinic never exports is missing for the same patients as the next one: such
    twins are left out here instead of making the equations unsolvable.
    """
    n = columns.shape[0]
    kept: list[int] = []
    basis = [np.full(n, 1 / np.sqrt(max(n, 1)))]
    for number in range(columns.shape[1]):
        column = columns[:, number]
        size = float(np.linalg.norm(column))
        for _ in range(2):  # once more, because the first pass leaves rounding behind
            for vector in basis:
                column = column - (vector @ column) * vector
        rest = float(np.linalg.norm(column))
        if rest > DEPENDENT * size:
            kept.append(number)
            basis.append(column / rest)
    return kept


def linear(columns: FloatArray, y: FloatArray) -> Solution:
    """Least squares of y on an intercept and the given columns, which must be independent.

    Raises:
        NoSolution: with fewer rows than coefficients, or where y does not vary around them.
    """
    # Deferred: statsmodels takes longer to load than most commands take to run.
    from statsmodels.regression.linear_model import OLS

    n, k = columns.shape[0], columns.shape[1] + 1
    if n <= k:
        raise NoSolution("there are no more rows than coefficients")
    found = OLS(y, np.column_stack([np.ones(n), columns])).fit(method="qr")
    return Solution(
        _rounded(found.params), _rounded(found.bse), round(float(np.sqrt(found.scale)), DECIMALS)
    )


def logistic(columns: FloatArray, y: FloatArray, names: Sequence[str] = ()) -> Solution:
    """Maximum likelihood of y (0 or 1) on an intercept and the given columns.

    Args:
        columns: independent of each other and of the intercept.
        y: events.
        names: of the columns, to say which of them separates the outcome.

    Raises:
        NoSolution: where all outcomes are alike, a column separates them, or nothing converges.
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    if len(y) == 0 or not 0 < y.mean() < 1:
        raise NoSolution("every outcome is the same")
    x, events, n_alike = _alike(columns, y)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Separation is looked for below, where the column that does it can be named.
        warnings.simplefilter("ignore")
        try:
            # by coefficients: the last digit of a large deviance may go to and fro for ever
            found = GLM(np.column_stack([events, n_alike - events]), x, family=Binomial()).fit(
                maxiter=STEPS_MOST, tol=TOLERANCE, tol_criterion="params"
            )
        except np.linalg.LinAlgError:
            raise NoSolution("the equations have no single solution") from None
    predictor = x @ found.params
    if not np.isfinite(predictor).all() or np.abs(predictor).max() > PREDICTOR_MOST:
        raise NoSolution(
            f"the outcome is told without error by {_separating(found.params, columns, names)}"
        )
    if not found.converged:
        raise NoSolution(f"no convergence after {STEPS_MOST} steps")
    return Solution(_rounded(found.params), _rounded(found.bse))


def _alike(columns: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rows that are alike taken together, a column of ones first; events, and rows, of each.

    The likelihood is the same. The engine keeps its working arrays of every step until it is done: of
    millions of sessions, which are few when taken together, they would fill the machine.
    """
    rows = pl.DataFrame(columns, schema=[f"column_{k}" for k in range(columns.shape[1])])
    found = (
        rows.with_columns(y=y)
        .group_by(rows.columns, maintain_order=True)
        .agg(pl.col("y").sum(), pl.len().cast(pl.Float64).alias("n"))
    )
    x = np.column_stack([np.ones(found.height), found.select(rows.columns).to_numpy()])
    return x, found["y"].to_numpy(), found["n"].to_numpy()


def _separating(params: FloatArray, columns: FloatArray, names: Sequence[str]) -> str:
    """The column that does most to tell the outcomes apart."""
    if not names:
        return "one of the factors"
    reach = np.nan_to_num(np.abs(params[1:]), nan=np.inf) * columns.std(axis=0)
    return names[int(reach.argmax())]


def _rounded(values: FloatArray) -> FloatArray:
    return np.round(np.asarray(values, dtype=np.float64), DECIMALS) + 0.0
