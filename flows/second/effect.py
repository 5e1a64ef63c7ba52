"""Standardised change: how far scores moved, in standard deviations of the first scores."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt


@dataclass(frozen=True)
class Reference:
    """Spread of first scores, mean change towards better, and the line of last on first scores."""

    n: int
    mean_first: Fraction
    sd_first: float
    mean_improvement: Fraction
    slope: Fraction


def reference_of(
    pairs: Collection[tuple[Fraction, Fraction]], direction: int, min_courses: int
) -> Reference | None:
    """What finished courses look like; None where they are too few or all began alike.

    Args:
        pairs: first and last score of every finished course with both.
        direction: 1 where higher is better, else -1.
        min_courses: the fewest that make a reference.
    """
    n = len(pairs)
    if n < min_courses:
        return None
    mean_x = sum((x for x, _ in pairs), Fraction(0)) / n
    mean_y = sum((y for _, y in pairs), Fraction(0)) / n
    squares = sum(((x - mean_x) ** 2 for x, _ in pairs), Fraction(0))
    if not squares:
        return None
    products = sum(((x - mean_x) * (y - mean_y) for x, y in pairs), Fraction(0))
    return Reference(
        n, mean_x, sqrt(squares / (n - 1)), direction * (mean_y - mean_x), products / squares
    )


def effect_of(first: Fraction, last: Fraction, direction: int, reference: Reference) -> float:
    """Change towards better, in standard deviations of first scores."""
    return float(direction * (last - first)) / reference.sd_first


def adjusted_effect_of(
    first: Fraction, last: Fraction, direction: int, reference: Reference
) -> float:
    """The change of a course of mean severity that lies as far from the line as this one does."""
    mean_last = reference.mean_first + direction * reference.mean_improvement
    expected_last = mean_last + reference.slope * (first - reference.mean_first)
    beyond = direction * (last - expected_last)
    return float(reference.mean_improvement + beyond) / reference.sd_first
