"""Ratings of the alliance, computed a second time: ruptures, and both sides of the dyad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flows.second.course import Course
from flows.second.dyad import agreement
from flows.second.rules import Questionnaire
from flows.second.rupture import fate, walk_each
from flows.verify.facts import IN_COURSES, Constants, Told

Ratings = Mapping[int, Fraction]
# Topic → table, how many columns are the key, and the rows the SQL states.
STATED: Mapping[str, tuple[str, int, str]] = {
    "alliance against the own baseline": (
        "score.alliance_rating",
        2,
        "select session_id, instrument_id, n_baseline, is_eligible, is_onset, is_open, closes"
        f" from score.alliance_rating {IN_COURSES}",
    ),
    "ruptures": (
        "score.rupture",
        3,
        f"select episode_id, instrument_id, onset_no, state from score.rupture {IN_COURSES}",
    ),
    "patient and therapist": (
        "score.dyad",
        3,
        "select episode_id, patient_instrument_id, therapist_instrument_id, n_pairs, discrepancy,"
        f" convergence, congruence, tracking from score.dyad {IN_COURSES}",
    ),
}


def tell_alliance(
    course: Course,
    state: str,
    ratings: Mapping[str, Ratings],
    questionnaires: Mapping[str, Questionnaire],
    constants: Constants,
    told: Told,
) -> None:
    """Add what is known of one course.

    Args:
        course: whose.
        state: how it stands.
        ratings: by instrument and ordinal of the session.
        questionnaires: by id.
        constants: of the quarter.
        told: what is added to.
    """
    for name, by_session in ratings.items():
        if questionnaires[name].respondent == "patient" and by_session:
            _tell_ruptures(course, state, name, by_session, questionnaires, constants, told)
    for patient, therapist, is_parallel in constants.counterparts:
        both = sorted({*ratings.get(patient, {})} & {*ratings.get(therapist, {})})
        if both:
            sides = [
                [_hundred(questionnaires[name], ratings[name][n]) for n in both]
                for name in (patient, therapist)
            ]
            told["patient and therapist"][course.record["episode_id"], patient, therapist] = (
                len(both),
                *_dyad(both, *sides, is_parallel=is_parallel, least=constants.dyad_min_pairs),
            )


def _tell_ruptures(
    course: Course,
    state: str,
    name: str,
    by_session: Ratings,
    questionnaires: Mapping[str, Questionnaire],
    constants: Constants,
    told: Told,
) -> None:
    numbers = sorted(by_session)
    direction = questionnaires[name].direction
    # scores are stated with six decimals, and so compared
    values = [direction * Fraction(round(by_session[n] * 10**6), 10**6) for n in numbers]
    attended = course.attended
    therapists = [attended[number - 1]["therapist_id"] for number in numbers]
    seen = walk_each(values, therapists, constants.spreads.get(name), constants.rupture)
    closed = {one.onset_rating_no: one.closes for one in seen if one.closes}
    for place, (number, one) in enumerate(zip(numbers, seen, strict=True), start=1):
        told["alliance against the own baseline"][attended[number - 1]["session_id"], name] = (
            *(one.n_baseline, one.is_eligible, one.is_onset, one.is_open, one.closes),
        )
        if one.is_onset:
            key = (course.record["episode_id"], name, number)
            has_gone_on = seen[-1].onset_rating_no != place
            told["ruptures"][key] = (fate(closed.get(place), state, has_gone_on=has_gone_on),)


def _hundred(questionnaire: Questionnaire, score: Fraction) -> float:
    scale = questionnaire.scales[questionnaire.primary]
    low, high = Fraction(scale.range_min), Fraction(scale.range_max)
    above = score - low if questionnaire.direction == 1 else high - score
    return round(float(above * 100 / (high - low)), 4)


def _dyad(
    sessions: Sequence[int],
    patient: Sequence[float],
    therapist: Sequence[float],
    *,
    is_parallel: bool,
    least: int,
) -> tuple[Any, ...]:
    if len(sessions) < least:
        return None, None, None, None
    found = agreement(sessions, patient, therapist)
    levels = (found.discrepancy, found.convergence) if is_parallel else (None, None)
    return *levels, found.congruence, found.tracking
