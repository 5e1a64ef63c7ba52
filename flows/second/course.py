"""Courses of one patient: their attended sessions, where each form belongs, and how each ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from statistics import median

from flows.second.rules import Questionnaire, Row, Rules


@dataclass
class Course:
    """One course with its appointments of any status."""

    record: Row
    appointments: Sequence[Row]

    @property
    def attended(self) -> list[Row]:
        """Attended sessions in order."""
        seen = [row for row in self.appointments if row["status"] == "attended"]
        return sorted(
            seen, key=lambda row: (row["session_on"], row["planned_at"], row["session_id"])
        )


@dataclass(frozen=True)
class Place:
    """Where a form belongs: a course, and the attended session in it, where one fits."""

    episode_id: str | None
    session_no: int | None


def gap_of(course: Course, rules: Rules) -> Fraction:
    """Days without contact that end this course."""
    days = [row["session_on"] for row in course.attended]
    gaps = [(b - a).days for a, b in zip(days, days[1:], strict=False)]
    least = Fraction(rules.gap_days)
    return max(least, Fraction(rules.gap_multiple) * Fraction(median(gaps))) if gaps else least


def end_of(
    course: Course, as_of: date, data_through: date | None, rules: Rules
) -> tuple[str, date | None, bool]:
    """State, day it ended, and whether any ending of that day would be known."""
    horizon = min(as_of, data_through or as_of)
    contacts = sorted(course.appointments, key=lambda row: (row["session_on"], row["session_id"]))
    last = contacts[-1]["session_on"] if contacts else course.record["started_on"]
    recorded = course.record["ended_on"]
    gap = gap_of(course, rules)
    stated = recorded if recorded is not None and recorded <= as_of else None
    reason = course.record["end_reason"] or "ended_unknown"
    seen = course.attended[-1]["session_on"] if course.attended else None
    if stated is not None and (seen is None or seen <= stated):
        ended, state = stated, reason
    elif (horizon - last).days < gap:
        unknown = (as_of - last).days >= gap
        return ("ongoing_unknown_since" if unknown else "ongoing"), None, False
    elif stated is not None:
        ended, state = seen or stated, reason
    else:
        called_off = bool(contacts) and contacts[-1]["status"] == "cancelled_by_service"
        ended, state = last, "service_ended" if called_off else "dropout"
    if not course.attended:
        state = "not_started"
    return state, ended, (horizon - ended).days >= gap


def fates_of(
    course: Course, state: str, horizon: date, rules: Rules, *, is_ended: bool
) -> list[tuple[str | None, date, bool]]:
    """What became of the course after each attended session, the day it counts from, and whether it does.

    Args:
        course: whose.
        state: how it stands.
        horizon: day up to which anything is known.
        rules: the numbers.
        is_ended: whether it has ended.
    """
    days = [row["session_on"] for row in course.attended]
    if not days:
        return []
    end = {"dropout": "dropout", "completed": "planned", "ended_unknown": "unknown"}
    last = end.get(state, "other") if is_ended else None
    outcomes = ["goes_on"] * (len(days) - 1) + [last]
    wait = timedelta(days=ceil(gap_of(course, rules) + Fraction(rules.due_margin_days)))
    return [
        (outcome, day + wait, day + wait <= horizon and outcome is not None)
        for day, outcome in zip(days, outcomes, strict=True)
    ]


def place_of(
    form: Row, questionnaire: Questionnaire, courses: Sequence[Course], rules: Rules
) -> Place:
    """The session a form names or lies nearest to, else the course that runs on its day."""
    if form["respondent"] != questionnaire.respondent:
        return Place(None, None)
    stated = [course for course in courses if course.record["episode_id"] == form["episode_id"]]
    fits = []
    for course in stated or courses:
        for number, session in enumerate(course.attended, start=1):
            days = (session["session_on"] - form["answered_on"]).days
            if questionnaire.kind == "alliance":
                days, allowed = -days, rules.attach_after_days
            else:
                allowed = rules.attach_before_days
            is_named = (
                form["session_label"] is not None
                and form["session_label"] == session["session_label"]
                and abs(days) <= rules.label_window_days
            )
            if is_named or 0 <= days <= allowed:
                latest = -session["session_on"].toordinal()
                episode_id = course.record["episode_id"]
                fits.append((not is_named, abs(days), latest, episode_id, number))
    if fits:
        return Place(*min(fits)[3:])
    if stated:
        return Place(stated[0].record["episode_id"], None)
    return Place(_running(form["answered_on"], courses, rules), None)


def _running(day: date, courses: Sequence[Course], rules: Rules) -> str | None:
    """The latest course that runs on a day; else one soon to begin; else the latest begun."""
    ranked = []
    for course in courses:
        started = course.record["started_on"]
        ended = course.record["ended_on"]
        number = started.toordinal() if started else None
        if started and started <= day and day <= (ended or day):
            key = (1, -started.toordinal())
        elif started and started > day and (started - day).days <= rules.label_window_days:
            key = (2, started.toordinal())
        elif started and started <= day:
            key = (3, -started.toordinal())
        else:
            key = (4, number if number is not None else date.max.toordinal())
        ranked.append((*key, course.record["episode_id"]))
    return min(ranked)[2] if ranked else None
