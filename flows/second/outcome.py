"""Change of one course on one questionnaire, and what decides the course's outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from flows.second.course import Course
from flows.second.rules import Questionnaire, Row, Rules


@dataclass(frozen=True)
class Scored:
    """A form of a course with its score and the session it belongs to."""

    form: Row
    score: Fraction | None
    session_no: int | None


@dataclass(frozen=True)
class Change:
    """First and last score of a course on one questionnaire, and the class of their difference.

    They are a pair where the first was early enough and the last is of a later day.
    """

    category: str
    first: Fraction | None = None
    last: Fraction | None = None
    is_pair: bool = False


def change_of(
    questionnaire: Questionnaire, forms: Sequence[Scored], course: Course, rules: Rules
) -> Change:
    """Class of change from first to last valid score."""
    limit = course.attended[-1]["session_on"] + timedelta(days=int(rules.attach_after_days))
    valid = sorted(
        (
            (one.form["answered_at"], one.form["form_id"], one, one.score)
            for one in forms
            if one.score is not None
            and (one.session_no is not None or one.form["answered_on"] <= limit)
        ),
        key=lambda row: row[:2],
    )
    if not valid:
        return Change("unpaired")
    (first, first_score), (last, last_score) = valid[0][2:], valid[-1][2:]
    starts = course.attended[: int(rules.baseline_session)][-1]["session_on"]
    later = last_score if last.form["answered_on"] > first.form["answered_on"] else None
    is_start = first.session_no is not None and first.session_no <= rules.baseline_session
    if not (is_start or first.form["answered_on"] <= starts):
        return Change("unpaired", first_score, later)
    if later is None:
        return Change("unpaired", first_score, None)
    rule = questionnaire.reliable_change
    if rule is None:
        return Change("unpaired", first_score, later, is_pair=True)
    better = questionnaire.direction * (later - first_score)
    word = (
        "improved"
        if rule.reached(better)
        else "deteriorated"
        if rule.reached(-better)
        else "no_reliable_change"
    )
    return Change(word, first_score, later, is_pair=True)


def outcome_of(changes: Mapping[str, Change], preference: Sequence[str]) -> str:
    """The class of the questionnaire that decides: a complete pair first, then the service's order."""
    rank = {name: place for place, name in enumerate(preference)}
    ordered = sorted(
        changes,
        key=lambda name: (changes[name].category == "unpaired", rank.get(name, len(rank)), name),
    )
    return changes[ordered[0]].category if ordered else "unpaired"
