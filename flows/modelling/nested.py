"""Variance between groups within groups by restricted maximum likelihood, with likelihood intervals.

Clinics, therapists and courses are of very unequal size. Moments are exact only where groups are alike,
and resampling a few clinics covers the truth too seldom. In nested groups the likelihood comes from
means and their weights, level by level, so that no matrix is needed (Searle, Casella & McCulloch 1992,
Variance Components, ch. 6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.modelling.fit import FloatArray

# What twice the log likelihood ratio of one quantity passes by chance in one of twenty cases.
CHI_SQUARE_95 = 3.841459
# A variance of groups so many times that of single values: there is nothing within them.
RATIO_MOST = 1e6
STARTS = (0.1, 1.0)
# Of the deviance: shares are then found to the fifth decimal.
TOLERANCE = 1e-8
NEAR = 1e-5

# A share with the ends of its interval.
Share = tuple[float, float, float]


@dataclass(frozen=True)
class Nested:
    """Values as means of the innermost groups, and the group that each group lies in, level by level."""

    sizes: FloatArray
    means: FloatArray
    within: float
    outer: Sequence[NDArray[np.int64]]

    def deviance(self, ratios: FloatArray) -> tuple[float, FloatArray]:
        """Minus twice the restricted log likelihood, but for a constant, and its slopes.

        Args:
            ratios: variance between groups over that within the innermost ones, the innermost first.
        """
        means, variances, steps = self.means, 1 / self.sizes, []
        square, log_det = self.within, 0.0
        for groups, ratio in zip(self.outer, ratios, strict=True):
            weights = 1 / (variances + ratio)
            total = np.bincount(groups, weights)
            centre = np.bincount(groups, weights * means) / total
            away = means - centre[groups]
            square += float((weights * away**2).sum())
            log_det += float(np.log(total).sum() - np.log(weights).sum())
            steps.append((groups, weights, total, away))
            means, variances = centre, 1 / total
        degrees = self.sizes.sum() - 1
        slopes = _slopes(steps, degrees / square)
        return degrees * float(np.log(square)) + log_det, slopes


def _slopes(steps: Sequence[tuple[Any, ...]], by_square: float) -> FloatArray:
    """Slope of the deviance on every ratio, from the outermost level back to the innermost."""
    found = np.zeros(len(steps))
    n_outermost = len(steps[-1][2])
    on_mean, on_variance = np.zeros(n_outermost), np.zeros(n_outermost)
    for level, (groups, weights, total, away) in reversed(list(enumerate(steps))):
        on_weight = (
            by_square * away**2
            + 1 / total[groups]
            - 1 / weights
            + on_mean[groups] * away / total[groups]
            - on_variance[groups] / total[groups] ** 2
        )
        on_mean = 2 * by_square * weights * away + on_mean[groups] * weights / total[groups]
        on_variance = -(weights**2) * on_weight
        found[level] = on_variance.sum()
    return found


def nested(frame: pl.DataFrame, levels: Sequence[str]) -> Nested:
    """Values by their groups.

    Args:
        frame: with `value` and the levels.
        levels: names of columns, the outermost first; a group is told by its name within its outer ones.
    """
    value = pl.col("value").cast(pl.Float64)
    groups = (
        frame.group_by(levels, maintain_order=True)
        .agg(n=pl.len(), mean=value.mean(), within=((value - value.mean()) ** 2).sum())
        .sort(levels)
    )
    outer = []
    for depth in range(len(levels) - 1, 0, -1):
        inner = groups.select(levels[: depth + 1]).unique(maintain_order=True)
        place = pl.struct(levels[:depth]).rle_id()
        outer.append(inner.select(place).to_series().to_numpy().astype(np.int64))
    n_outermost = groups[levels[0]].n_unique()
    return Nested(
        groups["n"].to_numpy().astype(float),
        groups["mean"].to_numpy() - float(groups["mean"].mean()),  # pyright: ignore[reportArgumentType]
        float(groups["within"].sum()),
        [*outer, np.zeros(n_outermost, dtype=np.int64)],
    )


def shares(values: Nested) -> list[Share] | None:
    """Shares of the variance between groups of every level and within the innermost, with 95 % intervals.

    An interval holds every share that the data do not speak against by the likelihood ratio.

    Returns:
        One for every level, the outermost first, and the last within; None where nothing varies.
    """
    if values.within + float(np.ptp(values.means)) == 0:
        return None
    k = len(values.outer)
    # from one start in some hundred services the search ends too early
    found_from = [_lowest(values.deviance, np.full(k, start)) for start in STARTS]
    ratios, best = min(found_from, key=lambda one: one[1])
    parts = np.append(1.0, ratios)
    found: list[Share] = []
    for which, share in enumerate((parts / parts.sum()).tolist()):

        def excess(at: float, which: int = which) -> float:
            return _given(values, parts, which, at) - best - CHI_SQUARE_95

        low, high = 0.0 if which else NEAR, 1 - NEAR
        low, high = _crossing(excess, low, share), _crossing(excess, high, share)
        found.append((share, min(low, share), max(high, share)))
    return [*found[:0:-1], found[0]]


def _given(values: Nested, parts: FloatArray, which: int, share: float) -> float:
    """The lowest deviance where one part has this share of all; the first of the others is the unit."""
    unit, *others = [part for part in range(len(parts)) if part != which]

    def deviance(ratios: FloatArray) -> tuple[float, FloatArray]:
        odds = share / (1 - share)
        made = np.ones(len(parts))
        made[others] = ratios
        made[which] = odds * (1 + ratios.sum())
        value, slopes = values.deviance(made[1:] / made[0])
        on_made = np.append(-(slopes * made[1:]).sum() / made[0], slopes) / made[0]
        return value, on_made[others] + odds * on_made[which]

    start = parts[others] / max(parts[unit], parts.sum() / RATIO_MOST)
    return _lowest(deviance, start)[1]


def _lowest(
    deviance: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray
) -> tuple[FloatArray, float]:
    # Deferred: scipy's optimizers take longer to load than most commands take to run.
    from scipy.optimize import minimize

    if not len(start):
        return start, deviance(start)[0]
    bounds = [(0, RATIO_MOST)] * len(start)
    options = {"ftol": TOLERANCE, "maxiter": 100}
    found: Any = minimize(deviance, start, method="SLSQP", jac=True, bounds=bounds, options=options)
    return found.x, float(found.fun)


def _crossing(excess: Callable[[float], float], edge: float, share: float) -> float:
    """Where the excess passes zero between the edge and the share; the edge where it does not."""
    from scipy.optimize import brentq

    if abs(edge - share) <= NEAR or excess(edge) <= 0:
        return edge
    near = min(max(share, NEAR), 1 - NEAR)
    if excess(near) >= 0:
        return near
    return float(brentq(excess, edge, near, xtol=NEAR))  # pyright: ignore[reportArgumentType]
