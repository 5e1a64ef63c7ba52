"""SQL and the second computation agree on the expected course, and on the colour of every session."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from flows.second.expected_course import (
    Bands,
    Course,
    Rules,
    colour_of,
    make_bands,
    reference,
)
from flows.verify.track import read_courses
from tests.oracle.small_world import AS_OF, THROUGH, make_world
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

# A small service with small cells: every step of the ladder is needed somewhere.
RULES = Rules(courses_needed=24, cell_needed=5, sessions=5, test_months=6)
SETTINGS = {
    "expected_courses_needed": 24,
    "expected_cell_needed": 5,
    "expected_sessions": 5,
    "expected_test_months": 6,
}
N_COURSES = 700
USED = ("phq9", "core10", "oq45_2", "ors")
PERCENTILES = ("outer_low", "inner_low", "middle", "inner_high", "outer_high")


@dataclass
class Told:
    """One service, told by the SQL, and its courses by questionnaire for the second computation."""

    con: duckdb.DuckDBPyConnection
    courses: dict[str, dict[str, Course]]
    sessions: dict[tuple[str, str], list[tuple[int, str]]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    con = warehouse(AS_OF)
    for name, value in SETTINGS.items():
        con.execute("update ref.setting set value = ? where name = ?", [value, name])
    world = make_world(6, N_COURSES)
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    insert(
        con,
        "valid.clinic",
        [{"clinic_id": c, "data_through": day} for c, day in THROUGH.items()],
    )
    build_stages(con, ("finding", "score"))
    yield Told(con, read_courses(con), read_sessions(con))
    con.close()


def read_sessions(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """Sessions with a score, by questionnaire and course."""
    sessions = defaultdict(list)
    for row in rows(con, "select * from score.session_score order by all"):
        key = (row["instrument_id"], row["episode_id"])
        sessions[key].append((row["session_no"], row["session_id"]))
    return sessions


def bands_of(told: Told, instrument: str, *, without_held_out: bool) -> Bands | None:
    courses = told.courses[instrument].values()
    closed = reference(courses, AS_OF, RULES, without_held_out=False)
    made_of = reference(courses, AS_OF, RULES, without_held_out=without_held_out)
    return make_bands(made_of, len(closed), RULES)


@pytest.mark.parametrize("made_of", ["all courses", "earlier part"])
@pytest.mark.parametrize("instrument", USED)
def test_expected_course(told: Told, instrument: str, made_of: str) -> None:
    bands = bands_of(told, instrument, without_held_out=made_of == "earlier part")
    where = f"instrument_id = '{instrument}' and made_of = '{made_of}'"
    found = {
        (row["intake_band"], row["session_no"]): (
            row["ladder_step"],
            row["n_courses"],
            [Fraction(row[name]) for name in PERCENTILES],
            [Fraction(row[f"change_{name}"]) for name in PERCENTILES],
        )
        for row in rows(told.con, f"select * from score.expected_course where {where}")
    }
    assert found == (bands.cells if bands else {})


def test_every_step_of_the_ladder_is_met(told: Told) -> None:
    found = rows(told.con, "select distinct ladder_step as step from score.expected_course")
    assert {row["step"] for row in found} == {1, 2, 3, 4, 5}


def expected_colours(told: Told) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """Colour, and colour in the test, of every session with a score, by instrument."""
    facts: dict[str, dict[str, Any]] = {
        row["instrument_id"]: row
        for row in rows(
            told.con,
            "select i.instrument_id, i.direction, r.op as change_op, r.value as change,"
            " c.op as cutoff_op, c.value as cutoff from ref.instrument i"
            " join ref.scale s on s.instrument_id = i.instrument_id and s.is_primary"
            " left join ref.reliable_change r on r.instrument_id = s.instrument_id"
            " and r.scale = s.scale and r.is_default left join ref.cutoff c"
            " on c.instrument_id = s.instrument_id and c.scale = s.scale and c.is_default",
        )
    }
    expected = {}
    for instrument, courses in told.courses.items():
        fact = facts[instrument]
        rule = (
            (fact["change_op"], Fraction(fact["change"])),
            (fact["cutoff_op"], Fraction(fact["cutoff"])),
        )
        in_use = bands_of(told, instrument, without_held_out=False)
        earlier = bands_of(told, instrument, without_held_out=True)
        used = reference(courses.values(), AS_OF, RULES, without_held_out=False)
        before = reference(courses.values(), AS_OF, RULES, without_held_out=True)
        held_out = {id(course) for course in used} - {id(course) for course in before}
        for episode, course in courses.items():
            for number, session_id in told.sessions[instrument, episode]:
                arguments = (RULES, fact["direction"], *rule)
                colour = colour_of(course, number, in_use, *arguments)
                in_test = colour_of(course, number, earlier, *arguments)
                expected[instrument, session_id] = (
                    colour,
                    in_test if id(course) in held_out else None,
                )
    return expected


def test_colour_of_every_session(told: Told) -> None:
    found = {
        (row["instrument_id"], row["session_id"]): (row["colour"], row["colour_in_test"])
        for row in rows(told.con, "select * from score.track")
    }
    expected = expected_colours(told)
    assert found == expected
    for place in (0, 1):
        seen = Counter(pair[place] for pair in expected.values())
        assert set(seen) == {"red", "amber", "on_track", "white", None}
    reasons = rows(told.con, "select distinct reason from score.track")
    assert len(reasons) == 8 - 1  # every instrument here has a published reliable change
