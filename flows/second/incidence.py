"""Cumulative incidence with competing ends, course by course, in exact fractions.

Aalen & Johansen 1978 as a chain that moves from session to session, with the Greenwood-type
recursion for its covariance (Andersen, Borgan, Gill & Keiding 1993, section IV.4).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import exp, log, sqrt


def cumulative_incidence(
    courses: Sequence[tuple[int, str | None]], causes: Sequence[str], first: int = 1
) -> Mapping[tuple[str, int], tuple[Fraction, Fraction]]:
    """Return incidence and its variance by cause and session.

    Args:
        courses: for each, the last session that counts and how it ended there; None while open.
        causes: ways of ending, each exclusive of the others.
        first: session from which on courses are followed.
    """
    states = 1 + len(causes)
    share = [Fraction(1)] + [Fraction(0)] * len(causes)
    covariance = [[Fraction(0)] * states for _ in range(states)]
    found: dict[tuple[str, int], tuple[Fraction, Fraction]] = {}
    for session in range(first, max((last for last, _ in courses), default=first - 1) + 1):
        at_risk = sum(last >= session for last, _ in courses)
        ended = Counter(cause for last, cause in courses if last == session and cause)
        leave = [Fraction(ended[cause], at_risk) for cause in causes]
        stay = 1 - sum(leave, Fraction(0))
        step = [stay, *leave]
        moved = [[_carried(covariance, step, a, b) for b in range(states)] for a in range(states)]
        for a in range(states):
            for b in range(states):
                own = step[a] if a == b else Fraction(0)
                moved[a][b] += share[0] ** 2 * (own - step[a] * step[b]) / at_risk
        share = [share[0] * stay] + [
            old + share[0] * leaving for old, leaving in zip(share[1:], leave, strict=True)
        ]
        covariance = moved
        for place, cause in enumerate(causes, start=1):
            found[cause, session] = share[place], covariance[place][place]
    return found


def thirds_of(values: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Up to where the lowest and the middle third of a group reach: each to the value that closes it."""
    ordered = sorted(values)
    low, middle = (
        next(x for n, x in enumerate(ordered, start=1) if 3 * n >= thirds * len(ordered))
        for thirds in (1, 2)
    )
    return low, middle


def _carried(
    covariance: Sequence[Sequence[Fraction]], step: Sequence[Fraction], a: int, b: int
) -> Fraction:
    """One cell of the old covariance after everybody has moved by the same step."""
    columns = [
        [(0, step[0])] if place == 0 else [(0, step[place]), (place, Fraction(1))]
        for place in (a, b)
    ]
    return sum(
        (covariance[i][j] * x * y for i, x in columns[0] for j, y in columns[1]), Fraction(0)
    )


def interval(share: float, variance: float, z: float = 1.959964) -> tuple[float, float] | None:
    """95 % interval on the scale of log(-log); None at the ends of the scale."""
    if not 0 < share < 1:
        return None
    width = z * sqrt(variance) / (share * abs(log(share)))
    return share ** exp(width), share ** exp(-width)
