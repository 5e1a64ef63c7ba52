"""How many rows a prediction model needs, by Riley et al. 2019 (Stat Med 38:1276-1296, doi 10.1002/sim.7992).

For an event: little overfitting (expected shrinkage), little optimism in the explained variation, and
a precise overall risk. The explained variation is taken from an expected C statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from statistics import NormalDist

import numpy as np

OPTIMISM = 0.05
Z_95 = 1.959964


@dataclass(frozen=True)
class SampleSize:
    """Rows needed by each criterion, and by all of them."""

    r_squared: float
    by_shrinkage: int
    by_optimism: int
    by_precision: int
    prevalence: float

    @property
    def rows(self) -> int:
        """What all three ask for."""
        return max(self.by_shrinkage, self.by_optimism, self.by_precision)

    @property
    def events(self) -> float:
        """Events among so many rows."""
        return self.rows * self.prevalence


def rows_needed(
    parameters: int,
    prevalence: float,
    r_squared: float,
    shrinkage: float = 0.9,
    margin: float = 0.05,
) -> SampleSize:
    """Rows needed for an event.

    Args:
        parameters: coefficients without the intercept.
        prevalence: share of rows with the event, between 0 and 1.
        r_squared: Cox and Snell's, as expected of the model.
        shrinkage: least expected; 1 would be no overfitting at all.
        margin: of error of the overall risk.
    """
    null = prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
    most = 1 - float(np.exp(2 * null))
    small_optimism = r_squared / (r_squared + OPTIMISM * most)
    return SampleSize(
        r_squared=r_squared,
        by_shrinkage=_by_shrinkage(parameters, r_squared, shrinkage),
        by_optimism=_by_shrinkage(parameters, r_squared, small_optimism),
        by_precision=ceil((Z_95 / margin) ** 2 * prevalence * (1 - prevalence)),
        prevalence=prevalence,
    )


def _by_shrinkage(parameters: int, r_squared: float, shrinkage: float) -> int:
    return ceil(parameters / ((shrinkage - 1) * log(1 - r_squared / shrinkage)))


def r_squared_of(c_statistic: float, prevalence: float) -> float:
    """Cox and Snell's R squared of a model with this C statistic.

    As Riley et al. 2021 (Stat Med 40:859-864, doi 10.1002/sim.8806): predictors normal among those
    with and without the event, with the same variance. Integrated, where they simulate.
    """
    distance = 2**0.5 * NormalDist().inv_cdf(c_statistic)
    grid = np.linspace(-10, 10 + distance, 20_001)
    without = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    with_event = np.exp(-((grid - distance) ** 2) / 2) / np.sqrt(2 * np.pi)
    logit = log(prevalence / (1 - prevalence)) + distance * grid - distance**2 / 2
    gain = prevalence * with_event * -np.logaddexp(0, -logit) + (
        1 - prevalence
    ) * without * -np.logaddexp(0, logit)
    fitted = float(gain.sum() * (grid[1] - grid[0]))
    null = prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
    return 1 - float(np.exp(-2 * (fitted - null)))
