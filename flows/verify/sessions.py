"""Figures of units that are counted session by session or rupture by rupture, counted a second time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import duckdb

from flows.second.rules import Rules
from flows.verify.facts import Figures, rows
from flows.verify.units import units_of

COUNTS = ["numerator", "n", "n_eligible", "numerator_low", "numerator_high", "sum_x", "sum_xx"]
MEASURES = (
    "alliance_discrepancy", "dropout_under_way", "not_on_track", "outcome_change",
    "questionnaire_completeness", "rupture_rate", "rupture_repaired", "rupture_reported",
)  # fmt: skip
DECIDED = ("repaired", "unrepaired", "ended_in_rupture")
# Measure → its rows: clinic, therapist, day, questionnaire, and what counts: yes or no, a number, a state.
SOURCES: Mapping[str, str] = {
    "alliance_discrepancy": "select clinic_id, therapist_id, last_on, patient_instrument_id,"
    " round(discrepancy, 6)::decimal(12, 6) from score.dyad where is_parallel",
    "questionnaire_completeness": "select clinic_id, therapist_id, session_on, instrument_id, is_rated"
    " from score.expected_form",
    "rupture_rate": "select end_state.clinic_id, coalesce(session.therapist_id, end_state.therapist_id),"
    " rating.session_on, rating.instrument_id, rating.is_onset from score.alliance_rating as rating"
    " join score.course_appointment as session using (session_id)"
    " join score.end_state as end_state on rating.episode_id = end_state.episode_id"
    " where rating.is_eligible",
    "rupture_repaired": "select clinic_id, therapist_id, onset_on, instrument_id, state"
    " from score.rupture",
    "rupture_reported": "select clinic_id, therapist_id, answered_on, instrument_id, is_reported"
    " from score.rupture_report",
}


def stated_sessions(con: duckdb.DuckDBPyConnection, *, is_whole: bool) -> Figures:
    """What the SQL counted: level, unit, period, measure and questionnaire to counts and sums."""
    units = "true" if is_whole else "level = 'therapist' and unit_id in (from drawn_therapist)"
    return {
        (
            row["level"],
            row["unit_id"],
            row["period_id"],
            row["measure"],
            row["instrument_id"],
        ): tuple(row[name] for name in COUNTS)
        for row in rows(
            con, f"from measure.total where {units} and measure in {MEASURES} and n_eligible > 0"
        )
    }


def told_sessions(con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool) -> Figures:
    """The same, row by row."""
    periods = rows(con, "from ref.period")
    told: Figures = {}
    for measure, query in SOURCES.items():
        found = con.execute(query).fetchall()
        told |= _counted(measure, found, periods, is_whole=is_whole)
    told |= _counted("outcome_change", _changes(con, rules), periods, is_whole=is_whole)
    (year,) = [period for period in periods if period["period_id"] == "year"]
    told |= _counted("not_on_track", _colours(con, year["period_end"]), [year], is_whole=is_whole)
    told |= _under_way(con, periods, is_whole=is_whole)
    drawn = {unit for (unit,) in con.execute("from drawn_therapist").fetchall()}
    return {key: count for key, count in told.items() if is_whole or key[1] in drawn}


def _counted(
    measure: str, found: Sequence[tuple[Any, ...]], periods: Sequence[Mapping[str, Any]],
    *, is_whole: bool,
) -> Figures:  # fmt: skip
    # rows that say the same of the same day are many: each kind is placed in its periods once
    grouped: dict[tuple[Any, ...], Counter[Any]] = defaultdict(Counter)
    for (*place, said), times in Counter(found).items():
        clinic_id, therapist_id, day, instrument_id = place
        row = {"clinic_id": clinic_id, "therapist_id": therapist_id}
        for period in periods:
            if day is not None and period["period_start"] <= day <= period["period_end"]:
                for unit in units_of(row, dict(period), is_whole=is_whole):
                    key = (*unit, period["period_id"], measure, instrument_id)
                    grouped[key][said] += times
    return {key: _count(measure, said) for key, said in grouped.items()}


def _count(measure: str, said: Counter[Any]) -> tuple[Any, ...]:
    every = sum(said.values())
    if measure == "rupture_repaired":
        yes, n = said["repaired"], sum(said[state] for state in DECIDED)
        return yes, n, every, yes, every - said["unrepaired"] - said["ended_in_rupture"], yes, yes
    known = {value: times for value, times in said.items() if value is not None}
    n = sum(known.values())
    if measure in ("alliance_discrepancy", "outcome_change"):
        sums = [sum(Fraction(v) ** power * times for v, times in known.items()) for power in (1, 2)]
        return None, n, every, None, None, *sums
    yes = known.get(True, 0)
    bounds = (yes, yes + every - n) if measure == "not_on_track" else (None, None)
    return yes, n, every, *bounds, yes, yes


def _changes(con: duckdb.DuckDBPyConnection, rules: Rules) -> list[tuple[Any, ...]]:
    """Finished courses with their change, in standard deviations of first scores as frozen."""
    scales = {
        row["instrument_id"]: float(row["sd"]) for row in rows(con, "from model.severity_scale")
    }
    found = rows(
        con,
        "select end_state.clinic_id, end_state.therapist_id, end_state.ended_on, end_state.n_attended,"
        " outcome.category, outcome.instrument_id, instrument.direction, change.baseline_value,"
        " change.last_value from score.end_state as end_state"
        " join score.outcome as outcome using (episode_id)"
        " left join score.reliable_change as change"
        " on change.episode_id = end_state.episode_id and change.instrument_id = outcome.instrument_id"
        " left join ref.instrument as instrument on instrument.instrument_id = outcome.instrument_id"
        " where end_state.is_ended and end_state.is_resolved",
    )
    return [
        (row["clinic_id"], row["therapist_id"], row["ended_on"], None, _change(row, scales))
        for row in found
        if row["n_attended"] >= rules.outcome_min_sessions
    ]


def _change(row: Mapping[str, Any], scales: Mapping[str, float]) -> Fraction | None:
    if row["category"] == "unpaired" or row["instrument_id"] not in scales:
        return None
    moved = row["direction"] * (row["last_value"] - row["baseline_value"])
    return Fraction(round(float(moved) / scales[row["instrument_id"]] * 10**6), 10**6)


def _colours(con: duckdb.DuckDBPyConnection, day: date) -> list[tuple[Any, ...]]:
    """Open courses by questionnaire, with the newest known colour."""
    newest: dict[tuple[str, str], bool] = {}
    for episode_id, instrument_id, is_red in con.execute(
        "select episode_id, instrument_id, is_not_on_track from score.track"
        " where is_not_on_track is not null order by session_no"
    ).fetchall():
        newest[episode_id, instrument_id] = is_red
    return [
        (clinic_id, therapist_id, day, instrument_id, newest.get((episode_id, instrument_id)))
        for clinic_id, therapist_id, instrument_id, episode_id in con.execute(
            "select change.clinic_id, end_state.therapist_id, change.instrument_id, episode_id"
            " from score.reliable_change as change join score.end_state as end_state"
            " using (episode_id) where end_state.state = 'ongoing'"
        ).fetchall()
    ]


def _under_way(
    con: duckdb.DuckDBPyConnection, periods: Sequence[dict[str, Any]], *, is_whole: bool
) -> Figures:
    """Courses with a session that could have been the last, and those that were left at one."""
    used = con.execute("select 1 from model.fit where model_id = 'dropout_under_way' and is_used")
    if not used.fetchall():
        return {}
    courses: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    left: Counter[tuple[Any, ...]] = Counter()
    query = "select clinic_id, therapist_id, episode_id, counted_on, y from model.dropout_exposure"
    for row in rows(con, query):
        for period in periods:
            if period["period_start"] <= row["counted_on"] <= period["period_end"]:
                for unit in units_of(row, period, is_whole=is_whole):
                    key = (*unit, period["period_id"], "dropout_under_way", None)
                    courses[key].add(row["episode_id"])
                    left[key] += row["y"]
    return {
        key: (left[key], len(known), len(known), None, None, left[key], left[key])
        for key, known in courses.items()
    }
