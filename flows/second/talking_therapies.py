"""Outcome of one course as NHS Talking Therapies counts it, and the figures of many.

The numbers are entered here a second time: England's caseness and reliable change of each measure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from flows.second.course import Course
from flows.second.outcome import Scored
from flows.second.rules import Rules

Pair = tuple[Fraction | None, Fraction | None]
DEPRESSION, ANXIETY = "phq9", "gad7"
# Lower is better on all of them; both numbers are reached from themselves on.
CASENESS: Mapping[str, int] = {
    "phq9": 10, "gad7": 8, "pcl5": 32, "ies_r": 33, "spin": 19, "pdss": 8, "pswq": 45,
}  # fmt: skip
CHANGE: Mapping[str, int] = {
    "phq9": 6, "gad7": 4, "pcl5": 10, "ies_r": 9, "spin": 10, "pdss": 5, "pswq": 10,
}  # fmt: skip
# Measures of one disorder in their order, with the diagnosis group each is made for.
SPECIFIC: Mapping[str, str] = {
    "pcl5": "stress_related", "ies_r": "stress_related",
    "spin": "anxiety", "pdss": "anxiety", "pswq": "anxiety",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One finished course; None is not known, or a question that does not arise."""

    anxiety: str | None
    category: str
    is_case_first: bool | None
    is_recovered: bool | None
    is_reliably_recovered: bool | None


@dataclass(frozen=True)
class Count:
    """One figure over many courses."""

    numerator: int
    n: int
    n_known: int
    highest: int


def pair_of(forms: Sequence[Scored], course: Course, rules: Rules) -> Pair:
    """First score, where it is early enough to start from, and last score of a later day."""
    end = course.attended[-1]["session_on"] + timedelta(days=int(rules.attach_after_days))
    valid = sorted(
        (
            one
            for one in forms
            if one.score is not None
            and (one.session_no is not None or one.form["answered_on"] <= end)
        ),
        key=lambda one: (one.form["answered_at"], one.form["form_id"]),
    )
    if not valid:
        return None, None
    first, last = valid[0], valid[-1]
    second_day: date = course.attended[: int(rules.baseline_session)][-1]["session_on"]
    is_early = first.form["answered_on"] <= second_day or (
        first.session_no is not None and first.session_no <= rules.baseline_session
    )
    is_later = last.form["answered_on"] > first.form["answered_on"]
    return (first.score if is_early else None), (last.score if is_later else None)


def is_given(instruments: Collection[str]) -> bool:
    """Whether a clinic gives the measure of depression and one of anxiety."""
    return DEPRESSION in instruments and any(
        name in instruments for name in CASENESS if name != DEPRESSION
    )


def outcome_of(pairs: Mapping[str, Pair], diagnosis_group: str | None) -> Outcome:
    """Class of one course from the pairs of the measures its clinic gives."""
    anxiety = _anxiety(pairs, diagnosis_group)
    used = [pairs.get(DEPRESSION, (None, None)), pairs.get(anxiety or "", (None, None))]
    names = [DEPRESSION, anxiety or ANXIETY]
    start = [
        None if p[0] is None else p[0] >= CASENESS[n] for n, p in zip(names, used, strict=True)
    ]
    is_case = True if True in start else None if None in start else False
    if any(score is None for pair in used for score in pair):
        return Outcome(anxiety, "unpaired", is_case, None, None)
    known = [
        (n, first or Fraction(0), last or Fraction(0))
        for n, (first, last) in zip(names, used, strict=True)
    ]
    better = any(first - last >= CHANGE[n] for n, first, last in known)
    worse = any(last - first >= CHANGE[n] for n, first, last in known)
    category = "no_reliable_change"
    if better != worse:
        category = "improved" if better else "deteriorated"
    if not is_case:
        return Outcome(anxiety, category, is_case, None, None)
    is_recovered = all(last < CASENESS[n] for n, _, last in known)
    return Outcome(
        anxiety, category, is_case, is_recovered, is_recovered and category == "improved"
    )


def _anxiety(pairs: Mapping[str, Pair], diagnosis_group: str | None) -> str | None:
    """The first measure of a disorder with both scores, made for the group; else the general one."""
    for name, group in SPECIFIC.items():
        if None not in pairs.get(name, (None, None)) and diagnosis_group in (None, group):
            return name
    return ANXIETY if ANXIETY in pairs else None


def figures_of(outcomes: Collection[Outcome]) -> dict[str, Count]:
    """Every figure of the set over finished courses."""
    cases = [one for one in outcomes if one.is_case_first is not False]
    unknown = [one for one in outcomes if one.category == "unpaired"]
    recovered = [one for one in cases if one.is_recovered]
    reliably = [one for one in cases if one.is_reliably_recovered]
    n, known = len(outcomes), len(outcomes) - len(unknown)
    n_open = sum(one.is_case_first is not False for one in unknown)
    at_caseness = sum(one.is_case_first is True for one in outcomes)
    not_known = sum(one.is_case_first is None for one in outcomes)
    counts = {
        "paired": Count(known, n, n, known),
        "caseness": Count(at_caseness, n, n - not_known, at_caseness + not_known),
        "recovery": Count(len(recovered), len(cases), len(cases) - n_open, len(recovered) + n_open),
        "reliable_recovery": Count(
            len(reliably), len(cases), len(cases) - n_open, len(reliably) + n_open
        ),
    }
    for name, category in (
        ("improvement", "improved"),
        ("deterioration", "deteriorated"),
        ("no_change", "no_reliable_change"),
    ):
        of_class = sum(one.category == category for one in outcomes)
        counts[name] = Count(of_class, n, known, of_class + len(unknown))
    return counts
