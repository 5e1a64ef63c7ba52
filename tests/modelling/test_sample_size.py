"""Sample sizes of prediction models against the published worked examples."""

import numpy as np
import pytest

from flows.modelling.sample_size import r_squared_of, rows_needed


def test_worked_example_of_the_package() -> None:
    """pmsampsize, binary outcome: 24 parameters, R squared .288, prevalence .174."""
    needed = rows_needed(24, 0.174, 0.288)
    assert (needed.by_shrinkage, needed.by_optimism, needed.by_precision) == (623, 662, 221)
    assert needed.rows == 662
    assert needed.events == pytest.approx(115.188)
    assert needed.events / 24 == pytest.approx(4.8, abs=0.01)


@pytest.mark.parametrize(
    ("c_statistic", "prevalence", "parameters", "r_squared", "rows"),
    [(0.89, 0.174, 24, 0.288, 662), (0.78, 0.2, 30, 0.158, 1556)],
)
def test_explained_variation_from_the_c_statistic(
    c_statistic: float, prevalence: float, parameters: int, r_squared: float, rows: int
) -> None:
    """The package simulates what is integrated here: equal to the second digit."""
    found = r_squared_of(c_statistic, prevalence)
    assert found == pytest.approx(r_squared, abs=0.004)
    assert rows_needed(parameters, prevalence, found).rows == pytest.approx(rows, rel=0.015)


def test_integral_is_that_of_a_simulation() -> None:
    chance = np.random.default_rng(1)
    event = chance.random(400_000) < 0.03
    predictor = chance.normal(np.where(event, 2**0.5 * 0.5244, 0))  # C statistic .70
    logit = np.log(0.03 / 0.97) + 2**0.5 * 0.5244 * predictor - 0.5244**2
    fitted = np.where(event, -np.logaddexp(0, -logit), -np.logaddexp(0, logit)).mean()
    share = event.mean()
    null = share * np.log(share) + (1 - share) * np.log(1 - share)
    assert r_squared_of(0.7, 0.03) == pytest.approx(1 - np.exp(-2 * (fitted - null)), rel=0.05)


def test_rarer_events_and_weaker_models_need_more() -> None:
    common = rows_needed(16, 0.1, r_squared_of(0.7, 0.1)).rows
    rare = rows_needed(16, 0.03, r_squared_of(0.7, 0.03)).rows
    weak = rows_needed(16, 0.03, r_squared_of(0.65, 0.03)).rows
    assert common < rare < weak
