"""Figures of a unit: rates and means over courses, and their intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import sqrt


@dataclass(frozen=True)
class Ended:
    """What a figure needs to know of a course that has ended."""

    state: str
    is_recorded: bool
    is_long_enough: bool
    category: str


@dataclass(frozen=True)
class Count:
    """A rate: how many of how many, and of all eligible at worst and at best."""

    numerator: int
    n: int
    n_eligible: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Sum:
    """A mean: number of values, of how many, their sum, and the sum of their squares."""

    n: int
    n_eligible: int
    sum_x: Fraction
    sum_xx: Fraction


def counts_in(ended_on: date, is_resolved: bool, first: date, last: date) -> bool:
    """Whether an ending belongs to a period: it lies there, and any other would be known by now."""
    return is_resolved and first <= ended_on <= last


def is_begun(first_on: date | None, first: date, last: date) -> bool:
    """Whether a course began in a period: with its first attended session."""
    return first_on is not None and first <= first_on <= last


def is_open(first_on: date | None, ended_on: date | None, last: date) -> bool:
    """Whether a course had begun by a day, and not ended by then."""
    return first_on is not None and first_on <= last and (ended_on is None or ended_on > last)


def rates_of(courses: Sequence[Ended]) -> dict[str, Count]:
    """The rates over finished courses; a measure without any course is left out."""
    rates = {"reason_recorded": _reasons(courses)}
    for ending in (_dropout, _stopped):
        rates |= ending(
            [c for c in courses if c.state in ("dropout", "completed", "ended_unknown")]
        )
    long = [course for course in courses if course.is_long_enough]
    known = [course for course in long if course.category != "unpaired"]
    unknown = len(long) - len(known)
    rates["paired_outcome"] = Count(len(known), len(long), len(long))
    for measure, word in (
        ("reliable_improvement", "improved"),
        ("reliable_deterioration", "deteriorated"),
    ):
        n = sum(course.category == word for course in known)
        rates[measure] = Count(n, len(known), len(long), n, n + unknown)
    return {measure: rate for measure, rate in rates.items() if rate.n_eligible}


def _reasons(courses: Sequence[Ended]) -> Count:
    told = sum(course.is_recorded and course.state != "ended_unknown" for course in courses)
    return Count(told, len(courses), len(courses))


def _dropout(courses: Sequence[Ended]) -> dict[str, Count]:
    left = sum(course.state == "dropout" for course in courses)
    untold = sum(course.state == "ended_unknown" for course in courses)
    told = len(courses) - untold
    return {"early_ending": Count(left, told, len(courses), left, left + untold)}


def _stopped(courses: Sequence[Ended]) -> dict[str, Count]:
    gone = sum(course.state != "completed" for course in courses)
    sure = sum(course.state == "dropout" and course.is_recorded for course in courses)
    return {"stopped_coming": Count(gone, len(courses), len(courses), sure, gone)}


def sum_of(values: Iterable[Fraction | None]) -> Sum:
    """Sums of the values that are known, of all that should be."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    squares = sum((value * value for value in known), Fraction(0))
    return Sum(len(known), len(listed), sum(known, Fraction(0)), squares)


def wilson(numerator: int, n: int, z: float) -> tuple[float, float]:
    """95 % interval of a rate: the roots of (p - x)^2 = z^2 x (1 - x) / n."""
    p = numerator / n
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = sqrt(max(b * b - 4 * a * c, 0))
    return max((-b - root) / (2 * a), 0.0), min((-b + root) / (2 * a), 1.0)


def normal(sum_x: Fraction, sum_xx: Fraction, n: int, z: float) -> tuple[float, float] | None:
    """95 % interval of a mean from its sums; None for a single value."""
    if n < 2:
        return None
    mean = sum_x / n
    variance = max((sum_xx - n * mean * mean) / (n - 1), Fraction(0))
    half = z * sqrt(variance / n)
    return float(mean) - half, float(mean) + half
