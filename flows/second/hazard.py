"""Chances of the ways a course may end, one session at a time, from the coefficients of a model.

Tutz & Schmid 2016, Modeling Discrete Time-to-Event Data, chapter 8: hazards of a multinomial model,
and the incidence they make over the sessions ahead.
"""

from collections.abc import Mapping, Sequence
from math import exp

Coefficient = tuple[float, float | None]  # estimate and mean


def band_of(session: int) -> str:
    """The band that a session belongs to."""
    return str(session) if session <= 4 else "5-8" if session <= 8 else "9+"


def chances(
    models: Mapping[str, Mapping[str, Coefficient]], known: Mapping[str, float | None], session: int
) -> dict[str, float]:
    """Chance of each way of ending at a session, by outcome; going on is what is left."""
    odds = {}
    for outcome, terms in models.items():
        logit = terms["intercept"][0]
        for term, (estimate, mean) in terms.items():
            if term == "intercept" or mean is None:
                continue
            factor, _, level = term.partition("=")
            value = float(band_of(session) == level) if level else known[factor]
            logit += 0.0 if value is None else estimate * (value - mean)
        odds[outcome] = exp(logit)
    whole = 1 + sum(odds.values())
    return {outcome: odd / whole for outcome, odd in odds.items()}


def recalibrated(
    terms: Mapping[str, Coefficient], shift: float, slope: float
) -> dict[str, Coefficient]:
    """The coefficients of a model after newer sessions have put its logits right."""
    return {
        term: (estimate * slope + (shift if term == "intercept" else 0.0), mean)
        for term, (estimate, mean) in terms.items()
    }


def leaves_within(
    models: Mapping[str, Mapping[str, Coefficient]],
    known: Mapping[str, float | None],
    session: int,
    sessions: int = 5,
) -> float:
    """Chance of dropout at this session or one of those after it, all else carried forward."""
    still_here, left = 1.0, 0.0
    for ahead in range(sessions):
        ends = chances(models, known, session + ahead)
        left += still_here * ends["dropout"]
        still_here *= 1 - sum(ends.values())
    return left


def area_under_curve(scores: Sequence[float], happened: Sequence[bool]) -> float:
    """Share of pairs of one with and one without the event in which the first scores higher."""
    with_event = [s for s, y in zip(scores, happened, strict=True) if y]
    without = [s for s, y in zip(scores, happened, strict=True) if not y]
    won = sum((a > b) + (a == b) / 2 for a in with_event for b in without)
    return won / (len(with_event) * len(without))
