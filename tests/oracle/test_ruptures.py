"""Ruptures: SQL and second computation agree on random courses, and no later rating changes an earlier one."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pytest

from flows.second.rupture import RuptureRules, fate, usual_spread, walk_each
from flows.sql_files import build
from flows.synthetic.parameters import load
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

RULES = RuptureRules()
STATES = (
    "ongoing", "ongoing_unknown_since", "dropout", "completed", "transferred", "ended_unknown",
)  # fmt: skip
TABLES = ["score.within_sd", "score.alliance_rating", "score.rupture"]
Courses = dict[str, list[Fraction]]


def draw_courses(seed: int, n: int) -> Courses:
    """Ratings of item means in twelfths; every tenth course has a deep drop somewhere."""
    chance, courses = random.Random(seed), {}
    for number in range(n):
        level, drop = chance.gauss(45, 6), 0.0
        ratings: list[Fraction] = []
        for _ in range(chance.choice([1, 2, 3, 6, 9, 14])):
            drop = 12.0 if chance.random() < 0.12 else drop * (chance.random() < 0.6)
            points = round(min(60.0, max(12.0, chance.gauss(level - drop, 3))))
            ratings.append(Fraction(points, 12))
        courses[f"e{number:03d}"] = ratings
    return courses


def therapist_of(episode_id: str, number: int) -> str | None:
    """Who holds the session: in some courses another one from the fifth on, or once in between."""
    course = int(episode_id[1:])
    if course % 5 == 0:
        return "t2" if number > 4 else "t1"
    if course % 7 == 0:
        return {4: "t2", 6: None}.get(number, "t1")
    return "t1"


def enter(
    con: duckdb.DuckDBPyConnection, courses: Courses, *, is_with_changes: bool = False
) -> None:
    for table in ("session_score", "course_appointment", "end_state"):
        con.execute(f"delete from score.{table}")
    start = date(2026, 1, 5)
    sessions: list[dict[str, Any]] = [
        {
            "session_id": f"{episode_id}-{number:02d}",
            "episode_id": episode_id,
            "session_no": number,
            "session_on": start + timedelta(days=7 * number),
            "value": round(float(rating), 6),
            "instrument_id": "wai_sr_c",
            "clinic_id": "a",
            "therapist_id": therapist_of(episode_id, number) if is_with_changes else "t1",
            "status": "attended",
        }
        for episode_id, ratings in courses.items()
        for number, rating in enumerate(ratings, start=1)
    ]
    scored = ("session_id", "episode_id", "session_no", "session_on", "value", "instrument_id")
    insert(con, "score.session_score", [{k: s[k] for k in scored} for s in sessions])
    planned = (
        "session_id", "episode_id", "session_no", "session_on", "clinic_id", "therapist_id",
        "status",
    )  # fmt: skip
    insert(con, "score.course_appointment", [{k: s[k] for k in planned} for s in sessions])
    insert(
        con,
        "score.end_state",
        [{"episode_id": e, "clinic_id": "a", "state": state_of(e)} for e in courses],
    )


def state_of(episode_id: str) -> str:
    return STATES[int(episode_id[1:]) % len(STATES)]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = warehouse(date(2026, 11, 22))
    build_stages(made)
    yield made
    made.close()


def exact(courses: Courses) -> Courses:
    """Scores are stored to six places."""
    return {
        e: [Fraction(round(float(r), 6)).limit_denominator(10**6) for r in c]
        for e, c in courses.items()
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_rating_and_every_rupture(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    courses = draw_courses(seed, 600)
    enter(con, courses, is_with_changes=True)
    con.execute("drop schema if exists kept cascade")
    build(con, "score", only=TABLES)
    spread = usual_spread(list(exact(courses).values()), RULES)
    [found] = rows(con, "select within_sd, n_courses, n_left_out from score.within_sd")
    assert found["within_sd"] == pytest.approx(spread, abs=1e-6)
    assert found["n_left_out"] > 0
    expected = {
        e: walk_each(c, [therapist_of(e, n + 1) for n in range(len(c))], found["within_sd"], RULES)
        for e, c in exact(courses).items()
    }
    stated = rows(con, "select * from score.alliance_rating order by episode_id, rating_no")
    listed = [(e, n, s) for e, c in sorted(expected.items()) for n, s in enumerate(c, start=1)]
    assert len(stated) == len(listed)
    for row, (episode_id, number, seen) in zip(stated, listed, strict=True):
        assert (row["episode_id"], row["rating_no"]) == (episode_id, number)
        told = (
            row["n_baseline"], row["is_eligible"], row["is_onset"], row["is_open"], row["closes"],
            row["onset_rating_no"],
        )  # fmt: skip
        assert told == (
            seen.n_baseline, seen.is_eligible, seen.is_onset, seen.is_open, seen.closes,
            seen.onset_rating_no,
        ), (episode_id, number)  # fmt: skip
        if seen.baseline is not None:
            assert row["baseline"] == pytest.approx(float(seen.baseline), abs=1e-6)
    ruptures = rows(con, "select episode_id, onset_no, state from score.rupture order by all")
    onsets = [(e, n) for e, n, seen in listed if seen.is_onset]
    assert [(r["episode_id"], r["onset_no"]) for r in ruptures] == onsets
    closed = {(e, s.onset_rating_no): s.closes for e, _, s in listed if s.closes}
    fates = [
        fate(closed.get((e, n)), state_of(e), has_gone_on=expected[e][-1].onset_rating_no != n)
        for e, n in onsets
    ]
    assert [r["state"] for r in ruptures] == fates
    assert set(fates) == {
        "repaired", "unrepaired", "open", "ended_in_rupture", "unresolved_at_planned_end", "censored",
    }  # fmt: skip


def test_another_therapist_begins_with_a_baseline_of_their_own(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Rated 4.5 with one therapist and 2.5 with the next: another person, and no rupture."""
    high, low = Fraction(54, 12), Fraction(30, 12)
    courses = draw_courses(1, 60) | {"e100": [high] * 4 + [low] * 4, "e101": [high] * 4 + [low] * 4}
    enter(con, courses, is_with_changes=True)
    con.execute("drop schema if exists kept cascade")
    build(con, "score", only=TABLES)
    found = {
        episode_id: rows(
            con,
            "select rating_no, n_baseline, is_onset from score.alliance_rating"
            f" where episode_id = '{episode_id}' and rating_no in (5, 6) order by rating_no",
        )
        for episode_id in ("e100", "e101")
    }
    assert [tuple(row.values()) for row in found["e100"]] == [(5, 0, False), (6, 1, False)]
    assert [tuple(row.values()) for row in found["e101"]] == [(5, 4, True), (6, 4, False)]


def test_a_later_rating_changes_nothing_before_it(con: duckdb.DuckDBPyConnection) -> None:
    courses = draw_courses(3, 120)
    enter(con, courses)
    con.execute("drop schema if exists kept cascade")
    build(con, "score", only=TABLES)
    whole = rows(con, "select * from score.alliance_rating order by episode_id, rating_no")
    enter(con, {e: c[: max(1, len(c) - 3)] for e, c in courses.items()})
    build(con, "score", only=TABLES)  # the spread stays as it was frozen
    short = rows(con, "select * from score.alliance_rating order by episode_id, rating_no")
    assert 0 < len(short) < len(whole)
    by_key = {(r["episode_id"], r["rating_no"]): r for r in whole}
    assert all(by_key[(r["episode_id"], r["rating_no"])] == r for r in short)


def test_too_few_courses_make_no_rupture(con: duckdb.DuckDBPyConnection) -> None:
    enter(con, {e: c for e, c in draw_courses(1, 250).items() if e < "e020"})
    con.execute("drop schema if exists kept cascade")
    build(con, "score", only=TABLES)
    assert rows(con, "select * from score.within_sd") == []
    told = rows(con, "select distinct is_eligible, is_onset, z from score.alliance_rating")
    assert told == [{"is_eligible": False, "is_onset": False, "z": None}]
    assert rows(con, "select * from score.rupture") == []


def test_chance_alone_makes_a_rupture_of_one_to_two_sessions_in_a_hundred(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """A service in which no rupture ever happens: levels, slow drift and noise of the invented clinics."""
    a = load().alliance
    rng, courses = np.random.default_rng(20), {}
    for number in range(3000):
        n = min(20, 5 + int(rng.negative_binomial(3, 1 / 3)))
        drift = rng.normal(0, a.ar_sd, n)
        for t in range(1, n):
            drift[t] = a.ar_phi * drift[t - 1] + np.sqrt(1 - a.ar_phi**2) * drift[t]
        level = rng.normal(a.mean, np.hypot(a.therapist_sd, a.patient_sd))
        seen = (
            level + a.per_log_session * np.log(np.arange(1, n + 1)) + drift + rng.normal(0, 0.17, n)
        )
        points = np.clip(np.round(12 * seen), 12, 60)
        courses[f"e{number:03d}"] = [Fraction(int(point), 12) for point in points]
    enter(con, courses)
    con.execute("drop schema if exists kept cascade")
    build(con, "score", only=TABLES)
    [found] = rows(
        con,
        "select count(*) as n, avg(is_onset::int) as of_sessions,"
        " avg(is_onset::int) filter (where is_eligible) as of_eligible from score.alliance_rating",
    )
    assert found["n"] > 30_000
    assert 0.01 <= found["of_sessions"] <= 0.02
    # two standard errors of a normal variable leave 2.3 % below them
    assert 0.015 <= found["of_eligible"] <= 0.023
