"""Thresholds of risk-adjusted cumulative sums, by simulation of courses that go as expected."""

from __future__ import annotations

import numpy as np

from flows.modelling.fit import FloatArray

# Events twice as likely, and half as likely (Steiner et al. 2000, Biostatistics 1:441-452).
ODDS_RATIOS = (2.0, 0.5)
COURSES = 100
FALSE_ALARMS = 0.05
RUNS = 20_000
# Where every session is a step: the share of false alarms is then known to a third of a per cent.
RUNS_LEAST = 4_000
SEED = 20000


def cusum_limits(
    expected: FloatArray, steps_each: float = 1
) -> tuple[tuple[float, float, float], ...]:
    """The threshold of either sum that chance alone passes in one of twenty runs of 100 courses.

    Args:
        expected: chances of the event of the courses, or sessions, fitted; runs are drawn from them.
        steps_each: how many of them a course has.
    """
    steps = round(COURSES * steps_each)
    runs = max(RUNS_LEAST, RUNS * COURSES // steps)
    return tuple(
        (
            ratio,
            FALSE_ALARMS,
            round(
                float(np.quantile(highest(expected, ratio, runs, steps=steps), 1 - FALSE_ALARMS)), 6
            ),
        )
        for ratio in ODDS_RATIOS
    )


def highest(
    expected: FloatArray, ratio: float, runs: int = RUNS, odds: float = 1.0, steps: int = COURSES
) -> FloatArray:
    """The highest value that the sum reaches in each of many runs.

    Args:
        expected: chances of the event, to draw courses from.
        ratio: odds ratio the sum looks for.
        runs: how many runs.
        odds: true odds ratio of the courses; 1 is as expected.
        steps: length of a run.
    """
    chance = np.random.default_rng(SEED)
    level, top = np.zeros(runs), np.zeros(runs)
    for _ in range(steps):
        p = chance.choice(expected, runs)
        happens = chance.random(runs) < odds * p / (1 - p + odds * p)
        level = np.maximum(
            0.0, level + np.where(happens, np.log(ratio), 0.0) - np.log1p((ratio - 1) * p)
        )
        top = np.maximum(top, level)
    return top
