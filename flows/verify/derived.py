"""Appointments and courses of the sampled patients: told a second time from forms and from records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb

from flows.second.derived import begun_on, course_for, newest_of, sessions_of
from flows.second.rules import Rules
from flows.verify.facts import Figures, Rows, rows

SESSION = ["stated_episode_id", "session_label", "session_on", "planned_at"]
COURSE = ["started_on", "ended_on", "end_reason", "is_derived"]
_DRAWN = "patient_id in (from drawn)"


def stated_sessions(con: duckdb.DuckDBPyConnection) -> Figures:
    """The sessions that the SQL told from forms."""
    found = rows(con, f"from score.appointment where is_derived and {_DRAWN}")
    return {(row["session_id"],): tuple(row[name] for name in SESSION) for row in found}


def told_sessions(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same, form by form; clinics that export any appointment have none."""
    kinds = dict(con.execute("select instrument_id, kind from ref.instrument").fetchall())
    forms = rows(
        con,
        "select clinic_id, patient_id, episode_id, session_label, instrument_id, answered_at,"
        f" answered_on from valid.form where {_DRAWN} and clinic_id not in"
        " (select clinic_id from score.appointment where not is_derived)",
    )
    return {
        (session_id,): tuple(session[name] for name in SESSION)
        for of_patient in _by(forms, "clinic_id", "patient_id").values()
        for session_id, session in sessions_of(of_patient, kinds, rules).items()
    }


def stated_courses(con: duckdb.DuckDBPyConnection) -> Figures:
    """The courses that the SQL took from records, or told from appointments."""
    found = rows(con, f"from score.course where {_DRAWN}")
    return {(row["episode_id"],): tuple(row[name] for name in COURSE) for row in found}


def told_courses(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same: what is recorded, what appointments name, and for patients without either what they tell."""
    appointments = rows(
        con,
        "select clinic_id, patient_id, stated_episode_id, session_on from score.appointment"
        f" where {_DRAWN} or stated_episode_id in"
        f" (select stated_episode_id from score.appointment where {_DRAWN})"
        f" or stated_episode_id in (select episode_id from valid.episode where {_DRAWN})",
    )
    stated = _by([a for a in appointments if a["stated_episode_id"]], "stated_episode_id")
    first_on = {key: min(a["session_on"] for a in found) for (key,), found in stated.items()}
    drawn = {patient for (patient,) in con.execute("from drawn").fetchall()}
    told, patients = _told_records(con, first_on)
    known = {key for (key,) in con.execute("select episode_id from valid.episode").fetchall()}
    for (episode_id,), found in stated.items():
        if episode_id not in known:
            told[episode_id,] = (first_on[episode_id], None, None, True)
            patients[episode_id,] = min(a["patient_id"] for a in found)
    told = {key: course for key, course in told.items() if patients[key] in drawn}
    placed = set(patients.values())
    for (_, patient_id), found in _by(appointments, "clinic_id", "patient_id").items():
        if patient_id in drawn:
            begun = begun_on(found, has_course=patient_id in placed, rules=rules)
            told |= {(key,): (day, None, None, True) for key, day in begun.items()}
    return told


def _told_records(
    con: duckdb.DuckDBPyConnection, first_on: dict[str, date]
) -> tuple[Figures, dict[tuple[Any, ...], str]]:
    """What stands of each recorded course, and whose it is."""
    records = rows(
        con,
        "select episode_id, patient_id, started_on, ended_on, end_reason, known_from, delivery_id,"
        " line from valid.episode where episode_id in"
        f" (select episode_id from valid.episode where {_DRAWN})",
    )
    told: Figures = {}
    patients: dict[tuple[Any, ...], str] = {}
    for (episode_id,), found in _by(records, "episode_id").items():
        newest = newest_of(found)
        started = newest["started_on"] or first_on.get(episode_id) or newest["ended_on"]
        told[episode_id,] = (started, newest["ended_on"], newest["end_reason"], False)
        patients[episode_id,] = newest["patient_id"]
    return told, patients


def stated_places(con: duckdb.DuckDBPyConnection) -> Figures:
    """The course that the SQL placed each appointment in."""
    found = rows(con, f"from score.course_appointment where {_DRAWN}")
    return {(row["session_id"],): (row["episode_id"],) for row in found}


def told_places(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same, appointment by appointment among the courses of its patient."""
    courses = _by(rows(con, f"from score.course where {_DRAWN}"), "patient_id")
    return {
        (row["session_id"],): (place,)
        for row in rows(con, f"from score.appointment where {_DRAWN}")
        if (place := course_for(row, courses.get((row["patient_id"],), []), rules))
    }


def _by(found: Iterable[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], Rows]:
    grouped: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in found:
        grouped[tuple(row[name] for name in names)].append(row)
    return grouped
