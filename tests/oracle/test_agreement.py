"""SQL and oracle agree on every score, ending, change and figure of a random service."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from flows.reference import Service
from flows.second.alliance import early_of
from flows.second.course import Course, end_of, place_of
from flows.second.measure import wilson
from flows.second.outcome import Scored, change_of
from flows.second.rules import Rules
from flows.second.score import scores_of
from tests.oracle.periods import unlike_their_months
from tests.oracle.second_view import questionnaires
from tests.oracle.small_world import AS_OF, THROUGH, USED, World, make_world
from tests.sql.warehouse_fixture import build_stages, insert, rows, shipped, warehouse

SEEDS = (1, 2)
N_COURSES = 300
RULES = Rules()
ENDED = {"dropout", "completed", "transferred", "service_ended", "died_other", "ended_unknown"}


@dataclass
class Pair:
    """One world, told by the SQL and by the oracle."""

    con: duckdb.DuckDBPyConnection
    world: World
    courses: dict[str, Course]
    scores: dict[str, dict[str, Fraction | None]]

    def session_of(self, form: Any) -> int | None:
        course = self.courses[form["episode_id"]]
        return place_of(form, questionnaires()[form["instrument_id"]], [course], RULES).session_no

    def forms_of(self, episode_id: str, instrument_id: str) -> list[Scored]:
        primary = shipped()[instrument_id].primary
        return [
            Scored(form, self.scores[form["form_id"]][primary], self.session_of(form))
            for form in self.world.forms
            if form["episode_id"] == episode_id and form["instrument_id"] == instrument_id
        ]


@pytest.fixture(scope="module", params=SEEDS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A random service, built once."""
    world = make_world(request.param, N_COURSES)
    protocol = [
        {"clinic": clinic, "instrument": instrument, "every": every}
        for clinic, used in USED.items()
        for instrument, every in zip(used, (1, 2, None, 3), strict=False)
    ]
    service = Service("Random", {"a": "Alder", "b": "Birch"}, protocol=protocol)
    con = warehouse(AS_OF, service)
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    through = [{"clinic_id": c, "data_through": day} for c, day in THROUGH.items()]
    insert(con, "valid.clinic", through)
    build_stages(con)
    appointments = defaultdict(list)
    for session in world.sessions:
        appointments[session["episode_id"]].append(session)
    courses = {e["episode_id"]: Course(e, appointments[e["episode_id"]]) for e in world.episodes}
    scores = {f["form_id"]: scores_of(questionnaires()[f["instrument_id"]], f) for f in world.forms}
    yield Pair(con, world, courses, scores)
    con.close()


def near(value: Any, expected: Fraction | None) -> bool:
    if value is None or expected is None:
        return value is None and expected is None
    return abs(Fraction(value) - expected) < Fraction(2, 10**6)


def test_scores(pair: Pair) -> None:
    found = rows(pair.con, "select form_id, scale, value from score.scale_score")
    wrong = [
        row for row in found if not near(row["value"], pair.scores[row["form_id"]][row["scale"]])
    ]
    assert wrong == []
    assert len(found) == sum(len(scores) for scores in pair.scores.values())
    assert {value is None for row in pair.scores.values() for value in row.values()} == {
        True,
        False,
    }


def test_sessions_of_forms(pair: Pair) -> None:
    found = rows(pair.con, "select form_id, session_no from score.form_place")
    placed = {row["form_id"]: row["session_no"] for row in found}
    expected = {form["form_id"]: pair.session_of(form) for form in pair.world.forms}
    assert placed == expected
    assert None in expected.values()


def test_endings(pair: Pair) -> None:
    found = rows(pair.con, "select episode_id, state, ended_on, is_resolved from score.end_state")
    stated = {
        row["episode_id"]: (row["state"], row["ended_on"], row["is_resolved"]) for row in found
    }
    expected = {
        episode_id: end_of(course, AS_OF, THROUGH[course.record["clinic_id"]], RULES)
        for episode_id, course in pair.courses.items()
    }
    assert stated == expected
    assert {state for state, _, _ in expected.values()} >= ENDED | {"ongoing", "not_started"}


def expected_change(pair: Pair) -> dict[tuple[str, str], str]:
    return {
        (episode_id, instrument_id): change_of(
            questionnaires()[instrument_id], pair.forms_of(episode_id, instrument_id), course, RULES
        ).category
        for episode_id, course in pair.courses.items()
        if course.attended
        for instrument_id in USED[course.record["clinic_id"]]
        if shipped()[instrument_id].kind != "alliance"
    }


def test_reliable_change(pair: Pair) -> None:
    found = rows(pair.con, "select episode_id, instrument_id, category from score.reliable_change")
    stated = {(row["episode_id"], row["instrument_id"]): row["category"] for row in found}
    expected = expected_change(pair)
    assert stated == expected
    assert set(expected.values()) == {"improved", "deteriorated", "no_reliable_change", "unpaired"}


def test_early_alliance(pair: Pair) -> None:
    found = rows(
        pair.con, "select episode_id, instrument_id, mean, slope from score.early_alliance"
    )
    for row in found:
        latest: dict[int, tuple[Any, Fraction]] = {}
        for one in pair.forms_of(row["episode_id"], row["instrument_id"]):
            if one.session_no and one.score is not None:
                letters = [-ord(letter) for letter in one.form["form_id"]]
                rated = ((one.form["answered_at"], letters), one.score)
                latest[one.session_no] = max(latest.get(one.session_no, rated), rated)
        mean, slope = early_of({number: score for number, (_, score) in latest.items()}, RULES)
        assert near(row["mean"], mean) and near(row["slope"], slope), row
    assert any(row["slope"] is not None for row in found)


def test_endings_and_outcomes_of_the_year(pair: Pair) -> None:
    first_day = AS_OF.replace(year=AS_OF.year - 1) + timedelta(days=1)
    rank = ["oq45_2", "phq9", "core10", "gad7", "ors"]
    change = expected_change(pair)
    counts: dict[str, Counter[str]] = {"a": Counter(), "b": Counter()}
    for episode_id, course in pair.courses.items():
        clinic = course.record["clinic_id"]
        state, ended, is_resolved = end_of(course, AS_OF, THROUGH[clinic], RULES)
        if ended is None or not is_resolved or not course.attended:
            continue
        if not first_day <= ended <= AS_OF:
            continue
        counts[clinic][state] += 1
        classes = [
            change[episode_id, instrument_id]
            for instrument_id in rank
            if (episode_id, instrument_id) in change
        ]
        paired = [word for word in classes if word != "unpaired"]
        if len(course.attended) >= 2:
            counts[clinic]["long enough"] += 1
            counts[clinic][(paired or ["unpaired"])[0]] += 1
    for clinic, count in counts.items():
        paired = count["long enough"] - count["unpaired"]
        expected = {
            "paired_outcome": (paired, count["long enough"]),
            "reliable_improvement": (count["improved"], paired),
            "reliable_deterioration": (count["deteriorated"], paired),
            "early_ending": (count["dropout"], count["dropout"] + count["completed"]),
        }
        for measure, (numerator, n) in expected.items():
            where = f"level = 'clinic' and unit_id = '{clinic}' and period_id = 'year'"
            query = f"select * from measure.estimate where measure = '{measure}' and {where}"
            (row,) = rows(pair.con, query)
            assert (row["numerator"], row["n"]) == (numerator, n), (clinic, measure)
            low, high = wilson(numerator, n, float(RULES.z_95))
            assert abs(float(row["low"]) - low) < 1e-8 and abs(float(row["high"]) - high) < 1e-8


def test_figures_hold_together(pair: Pair) -> None:
    """Rates lie in their intervals and bounds, totals are sums, nothing small is printed."""
    bad = """
        select level, unit_id, measure from measure.published where kind = 'rate' and is_shown and (
            numerator > n or n > n_eligible or value < low or value > high or low < 0 or high > 1
            or least(worst, best) > value or greatest(worst, best) < value)
            and measure <> 'stopped_coming'"""
    assert rows(pair.con, bad) == []
    small = "select count(*) as n from report.figure where n < 5 or (is_shown and value is null)"
    assert rows(pair.con, small) == [{"n": 0}]
    sums = """
        select measure, period_id, instrument_id,
            sum(n) filter (where level = 'service') as service,
            sum(n) filter (where level = 'clinic') as clinics
        from measure.total group by all
        having coalesce(service, 0) <> coalesce(clinics, 0)"""
    assert rows(pair.con, sums) == []


def test_a_quarter_holds_what_its_months_hold(pair: Pair) -> None:
    assert unlike_their_months(pair.con) == []


def test_input_order_does_not_matter(pair: Pair) -> None:
    """The same rows in another order, on more threads, give the same tables to the last digit."""
    before = fingerprint(pair.con)
    other = warehouse(AS_OF)
    other.execute("set threads = 4")
    other.execute("create or replace table ref.protocol (clinic_id varchar, instrument_id varchar,"
                  " respondent varchar, every integer, is_inferred boolean)")  # fmt: skip
    other.execute("delete from ref.clinic")
    for table in ("ref.protocol", "ref.clinic", "valid.clinic"):
        insert(other, table, rows(pair.con, f"select * from {table}"))
    for table in ("episodes", "sessions", "forms"):
        insert(other, f"valid.{table.removesuffix('s')}", getattr(pair.world, table)[::-1])
    build_stages(other)
    assert fingerprint(other) == before
    other.close()


def fingerprint(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Every built table, ordered, as text."""
    query = """
        select schema_name || '.' || table_name as name from duckdb_tables()
        where schema_name in ('score', 'measure', 'report')
            and table_name not in ('night', 'clinic') order by name"""
    return {
        row["name"]: con.execute(f"select * from {row['name']} order by all").fetchall()
        for row in rows(con, query)
    }
