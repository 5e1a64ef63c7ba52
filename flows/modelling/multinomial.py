"""Multinomial logistic regression by Newton's method, with a stated penalty.

An outcome that never happens in some level of a factor would send its coefficient to infinity. A
normal prior with mean 0 and a wide, stated standard deviation keeps it finite and leaves what the
data know untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.modelling.fit import DECIMALS, STEPS_MOST, FloatArray, NoSolution

IntArray = NDArray[np.int64]

TOLERANCE = 1e-11
# Rows whose products are held at a time: of millions of sessions they are as large as the rows.
BLOCK = 100_000
# Far more than a coefficient is ever off where the columns do not tell the outcome.
STEP_MOST = 3.0


@dataclass(frozen=True)
class MultinomialSolution:
    """Coefficients (term, outcome), the intercept first, and their standard errors."""

    estimates: FloatArray
    errors: FloatArray
    log_likelihood: float


def multinomial(
    columns: FloatArray, outcome: IntArray, n_outcomes: int, prior_sd: float | None
) -> MultinomialSolution:
    """Fit the chances of outcomes 1..n_outcomes against 0 on an intercept and the given columns.

    Args:
        columns: independent of each other and of the intercept.
        outcome: 0 for what all others are compared with.
        n_outcomes: how many others there are.
        prior_sd: of every coefficient but the intercepts; None for plain maximum likelihood.

    Raises:
        NoSolution: where an outcome never happens, or nothing converges.
    """
    happened = np.bincount(outcome, minlength=n_outcomes + 1)
    if not happened.all():
        raise NoSolution("not every outcome happens")
    x = np.column_stack([np.ones(len(outcome)), columns])
    penalty = np.zeros(x.shape[1]) if prior_sd is None else np.full(x.shape[1], prior_sd**-2)
    penalty[0] = 0.0
    beta = np.zeros((x.shape[1], n_outcomes))
    beta[0] = np.log(happened[1:] / happened[0])
    wanted = np.eye(n_outcomes + 1)[outcome][:, 1:]
    for _ in range(STEPS_MOST):
        chance = chances(x, beta)[:, 1:]
        slope = x.T @ (wanted - chance) - penalty[:, None] * beta
        information = _information(x, chance, penalty)
        try:
            step = np.linalg.solve(information, slope.T.ravel()).reshape(n_outcomes, -1).T
        except np.linalg.LinAlgError:
            raise NoSolution("the equations have no single solution") from None
        size = float(np.abs(step).max())
        # where a column tells an outcome without error, a whole step would go far beyond the prior
        beta = beta + step / max(1.0, size / STEP_MOST)
        if not np.isfinite(beta).all():
            break
        if size < TOLERANCE:
            return _solution(x, beta, penalty, outcome)
    raise NoSolution(f"no convergence after {STEPS_MOST} steps")


def chances(x: FloatArray, beta: FloatArray) -> FloatArray:
    """Chance of every outcome, 0 first, by row; x has its column of ones."""
    predictor = np.column_stack([np.zeros(x.shape[0]), x @ beta])
    raised = np.exp(predictor - predictor.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _information(x: FloatArray, chance: FloatArray, penalty: FloatArray) -> FloatArray:
    """Second derivatives, outcome by outcome, of the penalised likelihood."""
    k, n = x.shape[1], chance.shape[1]
    whole = np.zeros((n * k, n * k))
    for begin in range(0, len(x), BLOCK):
        rows, shares = x[begin : begin + BLOCK], chance[begin : begin + BLOCK]
        for a in range(n):
            for b in range(n):
                weight = shares[:, a] * ((a == b) - shares[:, b])
                part = whole[a * k : (a + 1) * k, b * k : (b + 1) * k]
                part += (rows * weight[:, None]).T @ rows
    return whole + np.diag(np.tile(penalty, n))


def _solution(
    x: FloatArray, beta: FloatArray, penalty: FloatArray, outcome: IntArray
) -> MultinomialSolution:
    chance = chances(x, beta)
    spread = np.linalg.inv(_information(x, chance[:, 1:], penalty))
    errors = np.sqrt(np.diag(spread)).astype(np.float64).reshape(beta.shape[1], -1).T
    likelihood = float(np.log(chance[np.arange(len(outcome)), outcome]).sum())
    return MultinomialSolution(
        np.round(beta, DECIMALS) + 0.0, np.round(errors, DECIMALS) + 0.0, likelihood
    )


def dummies(values: pl.Series, levels: Sequence[str]) -> FloatArray:
    """One column for every level but the first."""
    return np.column_stack([(values == level).cast(pl.Float64).to_numpy() for level in levels[1:]])
