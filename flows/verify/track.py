"""Expected course of treatment and the colours of sessions, computed a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from hashlib import md5
from typing import Any

import duckdb

from flows.second.expected_course import (
    Course,
    KeptBands,
    Rules,
    Scored,
    colour_of,
    make_bands,
    reference,
)
from flows.verify.facts import DRAWN_COURSES, Figures, rows

# By instrument and course.
Courses = dict[str, dict[str, Course]]
COLOURS = ["colour", "colour_in_test"]
_ENDS = ("outer_low", "inner_low", "middle", "inner_high", "outer_high")
CELL = ["ladder_step", "n_courses", *_ENDS, *(f"change_{name}" for name in _ENDS)]
ALL, EARLIER = "all courses", "earlier part"
_SETTINGS = {
    "from_months": "expected_from_months", "to_months": "expected_to_months",
    "test_months": "expected_test_months", "courses_needed": "expected_courses_needed",
    "cell_needed": "expected_cell_needed", "sessions": "expected_sessions",
    "baseline_session": "baseline_session",
}  # fmt: skip


def stated_colours(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL says of the sampled patients' sessions."""
    return {
        (row["session_id"], row["instrument_id"]): tuple(row[name] for name in COLOURS)
        for row in rows(con, f"from score.track where episode_id in ({DRAWN_COURSES})")
    }


def told_colours(con: duckdb.DuckDBPyConnection) -> Figures:
    """The same, from the bands as they are kept for the quarter."""
    rules, as_of = _rules(con), _night(con)
    kept = {made_of: _kept(con, made_of) for made_of in (ALL, EARLIER)}
    sessions = {
        (row["episode_id"], row["session_no"]): row["session_id"]
        for row in rows(
            con,
            "select episode_id, session_no, session_id from score.course_appointment"
            f" where session_no is not null and episode_id in ({DRAWN_COURSES})",
        )
    }
    told: Figures = {}
    thresholds = _thresholds(con)
    for name, courses in read_courses(con, DRAWN_COURSES).items():
        direction, change, cutoff = thresholds[name]
        for episode_id, course in courses.items():
            used = reference([course], as_of, rules, without_held_out=False)
            earlier = reference([course], as_of, rules, without_held_out=True)
            for number in course.by_session:
                by_bands = {
                    made_of: colour_of(
                        course, number, bands.get(name), rules, direction, change, cutoff
                    )
                    for made_of, bands in kept.items()
                }
                told[sessions[episode_id, number], name] = (
                    by_bands[ALL],
                    by_bands[EARLIER] if used and not earlier else None,
                )
    return told


def drawn_cells(
    con: duckdb.DuckDBPyConnection, most: int, seed: int
) -> tuple[set[tuple[str, str, int, int]], bool]:
    """Cells to compute again, drawn by a hash, and whether all are; older bands rest on what was known then."""
    rules = _rules(con)
    tonight = con.execute(
        "select distinct instrument_id from score.expected_course"
        " where frozen_on = getvariable('as_of')::date"
    ).fetchall()
    cells = [
        (name, made_of, band, session)
        for (name,) in tonight
        for made_of in (ALL, EARLIER)
        for band in range(1, 11)
        for session in range(1, rules.sessions + 2)
    ]
    by_hash = sorted(
        cells, key=lambda cell: md5(f"{seed}/{cell}".encode(), usedforsecurity=False).digest()
    )
    return set(by_hash[:most]), len(cells) <= most


def stated_cells(con: duckdb.DuckDBPyConnection, wanted: set[tuple[str, str, int, int]]) -> Figures:
    """The cells that the SQL made."""
    found = {
        (row["instrument_id"], row["made_of"], row["intake_band"], row["session_no"]): (
            *(row[name] for name in CELL),
        )
        for row in rows(con, "from score.expected_course")
    }
    return {cell: found[cell] for cell in wanted & found.keys()}


def told_cells(con: duckdb.DuckDBPyConnection, wanted: set[tuple[str, str, int, int]]) -> Figures:
    """The same, from every closed course of the reference window."""
    rules, as_of = _rules(con), _night(con)
    told: Figures = {}
    if not wanted:
        return told
    for name, courses in read_courses(con).items():
        closed = reference(courses.values(), as_of, rules, without_held_out=False)
        for made_of in (ALL, EARLIER):
            these = {(b, s) for i, made, b, s in wanted if (i, made) == (name, made_of)}
            used = reference(closed, as_of, rules, without_held_out=made_of == EARLIER)
            if these and (bands := make_bands(used, len(closed), rules, these)):
                for (band, session), (step, n, scores, changes) in bands.cells.items():
                    told[name, made_of, band, session] = (step, n, *scores, *changes)
    return told


def read_courses(
    con: duckdb.DuckDBPyConnection, which: str = "select episode_id from score.course"
) -> Courses:
    """Courses by questionnaire of symptoms or well-being, made of placed scores.

    Args:
        con: the night's tables.
        which: a SELECT of the courses wanted.
    """
    days: dict[str, list[date]] = defaultdict(list)
    for row in rows(
        con,
        "select episode_id, session_on from score.course_appointment where status = 'attended'"
        f" and episode_id in ({which}) order by episode_id, session_no",
    ):
        days[row["episode_id"]].append(row["session_on"])
    closed = dict(con.execute("select episode_id, is_ended from score.end_state").fetchall())
    forms: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for row in rows(
        con,
        "select place.*, score.value from score.form_place as place"
        " join score.scale_score as score using (form_id)"
        " join ref.instrument as instrument on place.instrument_id = instrument.instrument_id"
        " where score.is_primary and score.value is not null and instrument.kind <> 'alliance'"
        f" and instrument.is_enabled and place.episode_id in ({which})",
    ):
        moment = (row["answered_on"], str(row["answered_at"]))
        forms[row["instrument_id"], row["episode_id"]].append(
            Scored(row["form_id"], moment, row["session_no"], Fraction(row["value"]))
        )
    courses: Courses = defaultdict(dict)
    for (name, episode_id), scored in forms.items():
        # of two at the same moment the one that comes first by id
        placed = sorted(scored, key=lambda form: form.form_id, reverse=True)
        by_session = {
            form.session_no: form
            for form in sorted(placed, key=lambda form: form.answered)
            if form.session_no is not None
        }
        courses[name][episode_id] = Course(days[episode_id], placed, by_session, closed[episode_id])
    return courses


def _thresholds(
    con: duckdb.DuckDBPyConnection,
) -> dict[str, tuple[int, tuple[str, Fraction] | None, tuple[str, Fraction] | None]]:
    """Direction, reliable change and cut-off of each questionnaire; of several cut-offs the strictest."""
    directions = dict(con.execute("select instrument_id, direction from ref.instrument").fetchall())
    found: dict[str, dict[str, list[tuple[str, Fraction]]]] = defaultdict(
        lambda: {"reliable_change": [], "cutoff": []}
    )
    for table in ("reliable_change", "cutoff"):
        for row in rows(
            con,
            f"select rule.* from ref.{table} as rule join ref.scale as scale"
            " using (instrument_id, scale) where scale.is_primary and rule.is_default",
        ):
            found[row["instrument_id"]][table].append((row["op"], Fraction(row["value"])))
    return {
        name: (
            direction,
            next(iter(found[name]["reliable_change"]), None),
            min(found[name]["cutoff"], key=lambda rule: (-direction * rule[1], rule[0]), default=None),
        )
        for name, direction in directions.items()
    }  # fmt: skip


def _kept(con: duckdb.DuckDBPyConnection, made_of: str) -> Mapping[str, KeptBands]:
    limits: dict[str, dict[int, Any]] = defaultdict(dict)
    cells: dict[str, dict[tuple[int, int], Any]] = defaultdict(dict)
    for row in rows(con, "from score.expected_course where made_of = ?", made_of):
        name, band = row["instrument_id"], row["intake_band"]
        above, to = (
            None if row[end] is None else Fraction(row[end])
            for end in ("intake_above", "intake_to")
        )
        limits[name][band] = (above, to)
        scores, changes = (
            [Fraction(row[f"{prefix}{end}"]) for end in _ENDS] for prefix in ("", "change_")
        )
        cell = (row["ladder_step"], row["n_courses"], scores, changes)
        cells[name][band, row["session_no"]] = cell
    return {name: KeptBands(limits[name], cells[name]) for name in limits}


def _rules(con: duckdb.DuckDBPyConnection) -> Rules:
    values = dict(con.execute("select name, value from ref.setting").fetchall())
    return Rules(
        **{field: int(values[name]) for field, name in _SETTINGS.items()},
        inner=Fraction(values["expected_inner"]),
        outer=Fraction(values["expected_outer"]),
    )


def _night(con: duckdb.DuckDBPyConnection) -> date:
    (as_of,) = con.execute("select getvariable('as_of')::date").fetchone() or (None,)
    assert isinstance(as_of, date)
    return as_of
