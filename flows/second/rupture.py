"""Ruptures of the alliance in one course: which rating opens one, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt


@dataclass(frozen=True)
class RuptureRules:
    """Numbers of the rule, in standard deviations and counts of ratings."""

    onset_sd: float = 2.0
    min_prior: int = 2
    repair_sd: float = 1.0
    window: int = 3
    trim: float = 2.0
    trim_factor: float = 0.941516
    min_courses: int = 30


@dataclass
class Seen:
    """What is known of one rating: its baseline, whether it opens or closes a rupture."""

    n_baseline: int
    baseline: Fraction | None
    is_eligible: bool = False
    is_onset: bool = False
    is_open: bool = False
    closes: str | None = None
    onset_rating_no: int | None = None


def usual_spread(courses: Sequence[Sequence[Fraction]], rules: RuptureRules) -> float | None:
    """Standard deviation within courses, possible ruptures left out; None where it is not known.

    Args:
        courses: ratings of every course, higher is better.
        rules: the numbers of the rule.
    """
    rated = [course for course in courses if len(course) >= 2]
    away = [[one - mean(course) for one in course] for course in rated]
    if not away:
        return None
    crude = sqrt(sum(d * d for c in away for d in c) / sum(len(c) - 1 for c in away))
    kept = [[d for d in c if d >= -rules.trim * crude] for c in away]
    kept = [c for c in kept if len(c) >= 2]
    squares = sum((d - mean(c)) ** 2 for c in kept for d in c)
    if len(kept) < rules.min_courses or not squares:
        return None
    return sqrt(squares / sum(len(c) - 1 for c in kept)) / rules.trim_factor


def walk(ratings: Sequence[Fraction], spread: float | None, rules: RuptureRules) -> list[Seen]:
    """Go through the ratings of one course in order.

    Args:
        ratings: of one course, higher is better.
        spread: usual spread within courses.
        rules: the numbers of the rule.
    """
    seen: list[Seen] = []
    usual: list[Fraction] = []
    broken: list[Fraction] = []  # ratings of the open rupture, the first is its onset
    broken_at = 0
    level = Fraction(0)
    for number, rating in enumerate(ratings, start=1):
        now = Seen(len(usual), mean(usual) if usual else None)
        seen.append(now)
        if broken:
            now.onset_rating_no = broken_at
            broken.append(rating)
            if float(rating) >= float(level) - rules.repair_sd * (spread or 0.0):
                now.closes = "repaired"
                usual.append(rating)
                broken = []
            elif len(broken) > rules.window:
                now.closes = "unrepaired"
                usual, broken = broken, []
        else:
            now.is_eligible = spread is not None and len(usual) >= rules.min_prior
            if now.is_eligible and is_rupture(rating, usual, spread or 0.0, rules):
                now.is_onset, now.onset_rating_no = True, number
                level, broken, broken_at = mean(usual), [rating], number
            else:
                usual.append(rating)
        now.is_open = bool(broken)
    return seen


def walk_each(
    ratings: Sequence[Fraction],
    therapists: Sequence[str | None],
    spread: float | None,
    rules: RuptureRules,
) -> list[Seen]:
    """Go through one course with each of its therapists by itself: an alliance is with a person.

    Args:
        ratings: of one course, higher is better.
        therapists: who held each session; None not recorded.
        spread: usual spread within courses.
        rules: the numbers of the rule.
    """
    found: dict[int, Seen] = {}
    for therapist in {*therapists}:
        places = [place for place, one in enumerate(therapists) if one == therapist]
        for place, seen in zip(
            places, walk([ratings[n] for n in places], spread, rules), strict=True
        ):
            if seen.onset_rating_no is not None:
                seen.onset_rating_no = places[seen.onset_rating_no - 1] + 1
            found[place] = seen
    return [found[place] for place in range(len(ratings))]


def is_rupture(
    rating: Fraction, usual: Sequence[Fraction], spread: float, rules: RuptureRules
) -> bool:
    """Whether the rating lies below what a single new rating of this patient would."""
    error = spread * sqrt(1 + 1 / len(usual))
    return float(rating - mean(usual)) < -rules.onset_sd * error


def fate(closes: str | None, end_state: str, *, has_gone_on: bool = False) -> str:
    """What became of a rupture.

    Args:
        closes: what later ratings said; None where too few came.
        end_state: where the course stands.
        has_gone_on: whether the newest rating is no part of it: that of another therapist.
    """
    if closes:
        return closes
    if has_gone_on:
        return "censored"
    unclosed = {
        "ongoing": "open",
        "ongoing_unknown_since": "open",
        "dropout": "ended_in_rupture",
        "completed": "unresolved_at_planned_end",
    }
    return unclosed.get(end_state, "censored")


def mean(values: Sequence[Fraction]) -> Fraction:
    """The mean of at least one value."""
    return sum(values, start=Fraction(0)) / len(values)
