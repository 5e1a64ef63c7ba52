"""Sessions told from forms, and courses told from sessions, where a clinic exports none of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import md5
from itertools import pairwise
from typing import Any

from flows.second.rules import Row, Rules

# By stated course and what tells one session from another.
_Group = tuple[str | None, str]


def name_of(*parts: str) -> str:
    """The id that something derived goes by: a hash of what it is told from."""
    return md5("/".join(parts).encode(), usedforsecurity=False).hexdigest()


def sessions_of(
    forms: Sequence[Row], kinds: Mapping[str, str], rules: Rules
) -> dict[str, dict[str, Any]]:
    """The sessions that the forms of one patient in one clinic tell of, by id.

    Args:
        forms: all of them.
        kinds: of questionnaires, by id; forms of others tell of no session.
        rules: the numbers.
    """
    known = [form for form in forms if form["instrument_id"] in kinds]
    labels = _labels(known)
    days: dict[tuple[str | None, str | None], list[date]] = defaultdict(list)
    for form, label in zip(known, labels, strict=True):
        days[form["episode_id"], label].append(form["answered_on"])
    grouped: dict[_Group, list[Row]] = defaultdict(list)
    for form, label in zip(known, labels, strict=True):
        same = days[form["episode_id"], label]
        # a label that comes back after weeks names a kind of session, not one
        is_one = label is not None and (max(same) - min(same)).days <= rules.label_window_days
        key = f"label {label}" if is_one else f"day {form['answered_on']}"
        grouped[form["episode_id"], key].append(form)
    sessions = {}
    for (episode_id, key), together in grouped.items():
        whose = (together[0]["clinic_id"], together[0]["patient_id"])
        sessions[name_of("session", *whose, episode_id or "", key)] = _session(together, kinds)
    return sessions


def _labels(forms: Sequence[Row]) -> list[str | None]:
    """The session that each form names, or else the first that a form of the same day names."""
    named: dict[date, list[str]] = defaultdict(list)
    for form in forms:
        if form["session_label"] is not None:
            named[form["answered_on"]].append(form["session_label"])
    return [
        min(named[form["answered_on"]], default=None)
        if form["session_label"] is None
        else form["session_label"]
        for form in forms
    ]


def _session(forms: Sequence[Row], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Symptom forms come before a session or on its day, forms on the alliance after it."""
    before = [f["answered_on"] for f in forms if kinds[f["instrument_id"]] != "alliance"]
    labels = [form["session_label"] for form in forms if form["session_label"] is not None]
    return {
        "stated_episode_id": forms[0]["episode_id"],
        "session_on": max(before) if before else min(form["answered_on"] for form in forms),
        "planned_at": min(form["answered_at"] for form in forms),
        "session_label": max(labels, default=None),
    }


def newest_of(records: Iterable[Row]) -> Row:
    """Of the records of one exported course the one that stands: a wide export repeats it on every row.

    Args:
        records: with the night each became known on, and where it stood.
    """
    return min(
        records,
        key=lambda row: (
            -row["known_from"].toordinal(),
            row["ended_on"] is None,
            -row["ended_on"].toordinal() if row["ended_on"] else 0,
            row["delivery_id"] or "",
            -(row["line"] or 0),
        ),
    )


def begun_on(appointments: Sequence[Row], *, has_course: bool, rules: Rules) -> dict[str, date]:
    """Courses of one patient in one clinic that only appointments without a course tell of: when each began.

    Args:
        appointments: all of the patient's there.
        has_course: whether any course of the patient is recorded or named.
        rules: the numbers.
    """
    unnamed = sorted(a["session_on"] for a in appointments if a["stated_episode_id"] is None)
    if has_course or not unnamed:
        return {}
    first, breaks = appointments[0], [unnamed[0]]
    breaks += [b for a, b in pairwise(unnamed) if (b - a).days > rules.derived_course_gap_days]
    return {
        name_of("course", first["clinic_id"], first["patient_id"], str(number)): begun
        for number, begun in enumerate(breaks)
    }


def course_for(appointment: Row, courses: Sequence[Row], rules: Rules) -> str | None:
    """The course of its patient that an appointment belongs to."""
    day, ranked = appointment["session_on"], []
    for course in courses:
        started, ended = course["started_on"], course["ended_on"]
        if course["episode_id"] == appointment["stated_episode_id"]:
            key = (0, 0)
        elif started and started <= day <= (ended or day):
            key = (1, -started.toordinal())
        elif started and 0 < (started - day).days <= rules.label_window_days:
            key = (2, started.toordinal())
        elif started and started <= day:
            key = (3, -started.toordinal())
        else:
            key = (4, (started or date.max).toordinal())
        ranked.append((*key, course["episode_id"]))
    return min(ranked)[2] if ranked else None
