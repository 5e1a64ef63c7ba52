"""Cumulative incidence: published figures, and the same again by another road."""

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from flows.second.incidence import cumulative_incidence, interval
from flows.sql_files import read_sql_files
from tests.oracle.small_world import AS_OF
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

SELECTS = {file.name: file.text for file in read_sql_files()}
CAUSES = ("dropout", "planned", "other", "unknown")
# Scrucca, Santucci & Aversa 2007, Bone Marrow Transplant 40:381-387: 35 patients with acute leukaemia,
# their disease, months, and 1 death from the transplant, 2 relapse, 0 neither so far.
LEUKAEMIA = """
0 13 2, 0 1 1, 0 72 0, 0 7 2, 0 8 2, 1 67 0, 0 9 2, 0 5 2, 1 70 0, 1 4 0, 1 7 0, 1 68 0, 0 1 2, 1 10 2,
1 7 2, 1 3 1, 1 4 1, 1 4 1, 1 3 1, 1 3 1, 0 22 2, 1 8 1, 1 2 2, 0 0 2, 0 0 1, 0 35 0, 1 35 0, 0 4 2,
0 14 2, 0 26 2, 0 3 2, 1 2 0, 1 8 0, 1 32 0, 0 12 1"""
# Incidence of death and of relapse after so many months, as scikit-survival's tests state it for these data.
STATED = {
    "all": {1: (0.05714286, 0.05714286), 4: (0.20492611, 0.14482759), 8: (0.23771164, 0.27050544),
            12: (0.27283899, 0.34076015), 26: (0.27283899, 0.48126955)},
    "0": {1: (0.11764706, 0.11764706), 9: (0.11764706, 0.47058824), 26: (0.17647059, 0.70588235)},
    "1": {3: (0.17708333, 0.05555556), 4: (0.29513889, 0.05555556), 7: (0.29513889, 0.12048611),
          8: (0.36818576, 0.12048611), 10: (0.36818576, 0.20570747)},
}  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table with its types and no rows."""
    con = warehouse(AS_OF)
    build_stages(con, ("finding", "score"))
    yield con
    con.close()


def told(
    con: duckdb.DuckDBPyConnection,
    courses: Mapping[str, tuple[str, int, str | None]],
    first: int = 1,
) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Rows of measure.incidence for courses by name: group, last session, how it ended."""
    sessions = [
        {"session_id": f"{name}-{number}", "episode_id": name, "session_no": number,
         "outcome": (cause or "goes_on") if number == last else "goes_on", "is_at_risk": True}
        for name, (_, last, cause) in courses.items()
        for number in range(1, last + 1)
    ]  # fmt: skip
    groups = [
        {"group_kind": "clinic", "episode_id": name, "group_id": group, "landmark_session": first}
        for name, (group, _, _) in courses.items()
    ]
    for table in ("score.session_end", "score.incidence_group"):
        con.execute(f"delete from {table}")
    insert(con, "score.session_end", sessions)
    insert(con, "score.incidence_group", groups)
    con.execute("create schema if not exists measure")
    for table in ("measure.ending_count", "measure.incidence"):
        con.execute(f"create or replace table {table} as {SELECTS[table]}")
    return {
        (row["group_id"], row["cause"], row["session_no"]): row
        for row in rows(con, "select * from measure.incidence")
    }


def test_published_incidence_of_death_and_relapse(con: duckdb.DuckDBPyConnection) -> None:
    patients = [line.split() for line in LEUKAEMIA.split(",")]
    months = sorted({int(month) for _, month, _ in patients})
    cause = {"0": None, "1": "dropout", "2": "planned"}
    courses = {
        f"{group}-{number}": (group, months.index(int(month)) + 1, cause[status])
        for number, (disease, month, status) in enumerate(patients)
        for group in ("all", disease)
    }
    found = told(con, courses)
    for group, by_month in STATED.items():
        for month, (death, relapse) in by_month.items():
            session = months.index(month) + 1
            assert float(found[group, "dropout", session]["incidence"]) == pytest.approx(
                death, abs=1e-8
            )
            assert float(found[group, "planned", session]["incidence"]) == pytest.approx(relapse, abs=1e-8)  # fmt: skip


def test_published_variance(con: duckdb.DuckDBPyConnection) -> None:
    """Five patients, one with an event by the end and four with a competing one: savvyr's manual."""
    last = {"a": (1, "planned"), "b": (2, "dropout"), "c": (3, "planned"), "d": (4, "planned")}
    courses = {name: ("x", *end) for name, end in (last | {"e": (5, "planned")}).items()}
    found = told(con, courses)
    for cause, share in (("dropout", 0.2), ("planned", 0.8)):
        row = found["x", cause, 5 if cause == "planned" else 4]
        assert float(row["incidence"]) == pytest.approx(share)
        assert float(row["standard_error"]) ** 2 == pytest.approx(0.032, abs=1e-8)


@pytest.mark.parametrize("first", [1, 3])
def test_agrees_with_the_second_computation(con: duckdb.DuckDBPyConnection, first: int) -> None:
    chance = random.Random(first)
    courses = {
        f"c{number}": (
            chance.choice("ab"),
            min(1 + int(chance.expovariate(0.2)), 25),
            chance.choice([*CAUSES, "dropout", "planned", "planned", None]),
        )
        for number in range(400)
    }
    found = told(con, courses, first)
    checked = 0
    for group in "ab":
        mine = [
            (last, cause) for g, last, cause in courses.values() if g == group and last >= first
        ]
        expected = cumulative_incidence(mine, CAUSES, first)
        for (cause, session), (share, variance) in expected.items():
            row = found[group, cause, session]
            assert float(row["incidence"]) == pytest.approx(float(share), abs=2e-9)
            assert float(row["standard_error"]) == pytest.approx(float(variance) ** 0.5, abs=2e-9)
            ends = interval(float(share), float(variance))
            if ends is None:
                assert row["low"] is None and row["high"] is None
            else:
                assert (float(row["low"]), float(row["high"])) == pytest.approx(ends, abs=1e-7)
            checked += 1
        stopped = {
            session: expected["dropout", session][0] + expected["unknown", session][0]
            for _, session in expected
        }
        for session, share in stopped.items():
            assert float(found[group, "stopped", session]["incidence"]) == pytest.approx(
                float(share)
            )
    assert checked > 100


def test_everybody_leaves_and_nobody_is_counted_twice(con: duckdb.DuckDBPyConnection) -> None:
    """A session that is everybody's last: the product of what stays is 0, and nothing is lost."""
    found = told(
        con, {"a": ("x", 1, "dropout"), "b": ("x", 2, "planned"), "c": ("x", 2, "dropout")}
    )
    last = {cause: float(found["x", cause, 2]["incidence"]) for cause in CAUSES}
    assert last == pytest.approx({"dropout": 2 / 3, "planned": 1 / 3, "other": 0, "unknown": 0})
    assert float(found["x", "dropout", 2]["staying"]) == 0
    shares = cumulative_incidence([(1, "dropout"), (2, "planned"), (2, "dropout")], CAUSES)
    assert shares["dropout", 2] == (Fraction(2, 3), Fraction(2, 27))
