"""Figures about one patient or session, computed a second time, beside the SQL that states them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from flows.second.alliance import early_of
from flows.second.change import (
    METHODS,
    Group,
    Norm,
    Range,
    class_of,
    cutoff_a,
    cutoff_c,
    index_of,
)
from flows.second.course import Course, end_of, fates_of, place_of
from flows.second.outcome import Change, Scored, change_of, outcome_of
from flows.second.rules import Questionnaire
from flows.second.score import band_of, risks_of, scores_of
from flows.second.talking_therapies import Pair, is_given, pair_of
from flows.second.talking_therapies import outcome_of as set_outcome_of
from flows.verify.alliance import STATED as ALLIANCE
from flows.verify.alliance import tell_alliance
from flows.verify.facts import IN_COURSES, Facts, Patient, Told

_OF_FORMS = "where form_id in (select form_id from valid.form where patient_id in (from drawn))"
# Topic → table, how many columns are the key, and the rows the SQL states.
STATED: Mapping[str, tuple[str, int, str]] = {
    "scores of forms": (
        "score.scale_score",
        2,
        f"select form_id, scale, value, band from score.scale_score {_OF_FORMS}",
    ),
    "answers to risk items": (
        "score.risk_answer",
        2,
        f"select form_id, item, is_flagged from score.risk_answer {_OF_FORMS}",
    ),
    "order of sessions": (
        "score.course_appointment",
        1,
        f"select session_id, session_no from score.course_appointment {IN_COURSES}",
    ),
    "courses and sessions of forms": (
        "score.form_place",
        1,
        f"select form_id, episode_id, session_no from score.form_place {_OF_FORMS}",
    ),
    "endings": (
        "score.end_state",
        1,
        f"select episode_id, state, ended_on, is_resolved, n_attended from score.end_state {IN_COURSES}",
    ),
    "what became of each session": (
        "score.session_end",
        1,
        f"select session_id, outcome, due_on, is_at_risk from score.session_end {IN_COURSES}",
    ),
    "forms expected": (
        "score.expected_form",
        2,
        f"select session_id, instrument_id, is_rated from score.expected_form {IN_COURSES}",
    ),
    "reliable change": (
        "score.reliable_change",
        2,
        "select episode_id, instrument_id, category, first_value, last_value"
        f" from score.reliable_change {IN_COURSES}",
    ),
    "outcomes": (
        "score.outcome",
        1,
        f"select episode_id, category from score.outcome {IN_COURSES}",
    ),
    "NHS Talking Therapies outcomes": (
        "score.talking_therapies",
        1,
        "select episode_id, anxiety_instrument_id, category, is_case_first, is_recovered,"
        f" is_reliably_recovered from score.talking_therapies {IN_COURSES}",
    ),
    "early alliance": (
        "score.early_alliance",
        2,
        f"select episode_id, instrument_id, mean, slope from score.early_alliance {IN_COURSES}",
    ),
    "other methods of judging change": (
        "score.change_method",
        3,
        "select episode_id, instrument_id, method, change_index, change, category"
        f" from score.change_method {IN_COURSES}",
    ),
    **ALLIANCE,
}


@dataclass
class _Treated:
    """One course with its forms, scored and placed."""

    course: Course
    forms: dict[str, list[Scored]] = field(default_factory=lambda: defaultdict(list))


def tell(facts: Facts) -> Told:
    """Every figure of the sampled patients, by topic and key."""
    told: Told = {topic: {} for topic in STATED}
    for patient in facts.patients.values():
        treated = {course.record["episode_id"]: _Treated(course) for course in patient.courses}
        _tell_forms(facts, patient, treated, told)
        for one in treated.values():
            _tell_course(facts, one, told)
            _tell_change(facts, one, told)
    return told


def _tell_forms(
    facts: Facts, patient: Patient, treated: Mapping[str, _Treated], told: Told
) -> None:
    for form in patient.forms:
        questionnaire = facts.questionnaires.get(form["instrument_id"])
        if questionnaire is None:
            continue
        form_id = form["form_id"]
        scores = scores_of(questionnaire, form, facts.stated.get(form_id))
        for scale, score in scores.items():
            band = band_of(questionnaire, scale, score)
            told["scores of forms"][form_id, scale] = (score, band)
        for item, flagged in risks_of(questionnaire, form).items():
            told["answers to risk items"][form_id, item] = (flagged,)
        place = place_of(form, questionnaire, patient.courses, facts.rules)
        told["courses and sessions of forms"][form_id,] = (place.episode_id, place.session_no)
        if place.episode_id is not None:
            scored = Scored(form, scores[questionnaire.primary], place.session_no)
            treated[place.episode_id].forms[form["instrument_id"]].append(scored)


def _tell_course(facts: Facts, one: _Treated, told: Told) -> None:
    course, record = one.course, one.course.record
    episode_id, clinic_id = record["episode_id"], record["clinic_id"]
    attended = course.attended
    through = facts.data_through.get(clinic_id)
    state, ended_on, is_resolved = end_of(course, facts.as_of, through, facts.rules)
    told["endings"][episode_id,] = (state, ended_on, is_resolved, len(attended))
    numbers = {row["session_id"]: n for n, row in enumerate(attended, start=1)}
    for row in course.appointments:
        told["order of sessions"][row["session_id"],] = (numbers.get(row["session_id"]),)
    is_ended = ended_on is not None
    horizon = min(facts.as_of, through or facts.as_of)
    fates = fates_of(course, state, horizon, facts.rules, is_ended=is_ended)
    for row, fate in zip(attended, fates, strict=True):
        told["what became of each session"][row["session_id"],] = fate
    for instrument_id, every in facts.protocol.get(clinic_id, ()):
        rated = {form.session_no for form in one.forms[instrument_id] if form.score is not None}
        for number, row in enumerate(attended, start=1):
            is_end = number == 1 or (is_ended and number == len(attended))
            if is_end if every is None else (number - 1) % every == 0:
                key = (row["session_id"], instrument_id)
                told["forms expected"][key] = (number in rated,)
        if attended and facts.questionnaires[instrument_id].kind == "alliance":
            ratings = _last_of_each_session(one.forms[instrument_id])
            told["early alliance"][episode_id, instrument_id] = early_of(ratings, facts.rules)
    alliance = {
        name: _last_of_each_session(forms)
        for name, forms in one.forms.items()
        if facts.questionnaires[name].kind == "alliance"
    }
    tell_alliance(course, state, alliance, facts.questionnaires, facts.constants, told)


def _last_of_each_session(forms: list[Scored]) -> dict[int, Any]:
    latest: dict[int, Any] = {}
    # of two at the same moment the one that comes first by id
    for one in sorted(forms, key=lambda one: one.form["form_id"], reverse=True):
        if one.session_no is not None and one.score is not None:
            rated = (one.form["answered_at"], one.score)
            if one.session_no not in latest or rated[0] >= latest[one.session_no][0]:
                latest[one.session_no] = rated
    return {number: score for number, (_, score) in latest.items()}


def _tell_change(
    facts: Facts,
    one: _Treated,
    told: Told,
) -> None:
    if not one.course.attended:
        return
    episode_id = one.course.record["episode_id"]
    changes: dict[str, Change] = {}
    pairs: dict[str, Pair] = {}
    for instrument_id, _ in facts.protocol.get(one.course.record["clinic_id"], ()):
        questionnaire = facts.questionnaires[instrument_id]
        if questionnaire.kind == "alliance":
            continue
        change = change_of(questionnaire, one.forms[instrument_id], one.course, facts.rules)
        changes[instrument_id] = change
        pairs[instrument_id] = pair_of(one.forms[instrument_id], one.course, facts.rules)
        key = (episode_id, instrument_id)
        told["reliable change"][key] = (change.category, change.first, change.last)
        if change.is_pair:
            norm, group = facts.norms.get(instrument_id), facts.constants.groups.get(instrument_id)
            for method in ("published", *METHODS):
                told["other methods of judging change"][*key, method] = _by_method(
                    method, questionnaire, change, norm, group, facts.constants.critical
                )
    told["outcomes"][episode_id,] = (outcome_of(changes, facts.preference),)
    if is_given(pairs):
        outcome = set_outcome_of(pairs, one.course.record["diagnosis_group"])
        told["NHS Talking Therapies outcomes"][episode_id,] = astuple(outcome)


def _by_method(
    method: str,
    questionnaire: Questionnaire,
    change: Change,
    norm: Norm | None,
    group: Group | None,
    critical: Mapping[str, float],
) -> tuple[float | None, str | None, str | None]:
    assert change.first is not None and change.last is not None
    pre, post, index = float(change.first), float(change.last), None
    if method == "published":
        word = None if change.category == "unpaired" else change.category
    else:
        index = index_of(method, pre, post, norm, group)
        index = None if index is None else questionnaire.direction * index
        word = None if index is None else _word(index, critical[method])
    computed = None
    if norm is not None:
        c = cutoff_c(norm)
        computed = cutoff_a(norm, questionnaire.direction) if c is None else c
    clinical = Range(questionnaire.direction, questionnaire.cutoff, computed)
    return index, word, class_of(word, pre, post, clinical)


def _word(index: float, critical: float) -> str:
    if abs(index) <= critical:
        return "no_reliable_change"
    return "improved" if index > 0 else "deteriorated"
