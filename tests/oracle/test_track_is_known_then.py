"""What a session's colour says was known at that session: nothing that comes later changes it."""

import random
from datetime import timedelta
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.sql_files import build
from tests.oracle.small_world import AS_OF, World, make_world
from tests.sql.warehouse_fixture import insert, rows, warehouse

SETTINGS = {"expected_courses_needed": 8, "expected_cell_needed": 3, "expected_sessions": 5}
N_COURSES = 200
COLOURS = "select instrument_id, session_id, colour, reason from score.track order by all"


def labelled_world(seed: int) -> World:
    """A world whose sessions have labels, and some of whose forms come in weeks late with theirs."""
    chance, world = random.Random(seed), make_world(seed, N_COURSES)
    for session in world.sessions:
        session["session_label"] = session["session_id"]
    for form in world.forms:
        if chance.random() < 0.3:
            form["session_label"] = form["form_id"].rpartition("-")[0]
            late = form["answered_on"] + timedelta(days=chance.randrange(20))
            form["answered_on"] = form["answered_at"] = min(late, AS_OF)
        else:
            form["session_label"] = None
    return world


def known_by(world: World, chance: random.Random) -> World:
    """What was there of each course on some day of it, in any order; late forms are kept."""
    last = {
        e["episode_id"]: e["started_on"] + timedelta(chance.randrange(90)) for e in world.episodes
    }
    sessions = [s for s in world.sessions if s["session_on"] <= last[s["episode_id"]]]
    kept = {session["session_label"] for session in sessions}
    forms = [
        form
        for form in world.forms
        if form["session_label"] in kept or form["answered_on"] <= last[form["episode_id"]]
    ]
    shown: list[list[dict[str, Any]]] = [
        chance.sample(part, len(part)) for part in (world.episodes, sessions, forms)
    ]
    return World(*shown)


def told(world: World, bands: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyConnection:
    """Score a world, by bands of its own or by those of another."""
    con = warehouse(AS_OF)
    for name, value in SETTINGS.items():
        con.execute("update ref.setting set value = ? where name = ?", [value, name])
    if bands is not None:
        con.execute("create schema kept")
        kept = bands.execute("select * from kept.score_expected_course_v1").arrow().read_all()
        con.register("kept_rows", kept)
        con.execute("create table kept.score_expected_course_v1 as select * from kept_rows")
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    build(con, "score")
    return con


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_later_sessions_and_the_order_of_rows_change_no_earlier_colour(seed: int) -> None:
    world = labelled_world(seed)
    whole = told(world)
    part = told(known_by(world, random.Random(seed)), whole)
    try:
        before = rows(part, COLOURS)
        after = {(r["instrument_id"], r["session_id"]): r for r in rows(whole, COLOURS)}
        changed = [r for r in before if after.get((r["instrument_id"], r["session_id"])) != r]
        assert changed == []
        assert len(after) > len(before) > 0
        assert {"red", "white", "on_track"} <= {row["colour"] for row in before}
        assert rows(part, "select 1 as n from score.track where rule like 'bands%' limit 1")
    finally:
        whole.close()
        part.close()
