"""Scores of touched patients alone give what scores of all give, row for row, whatever a night brings."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest

from flows.reference import Service, fill_reference
from flows.scores import build_scores, standing_scores
from flows.sql_files import SqlFile, build, read_sql_files
from flows.touched import HORIZON, RECORDS
from flows.warehouse import create_tables, transaction
from tests.nightly.random_nights import BEGIN, RandomNights
from tests.sql.warehouse_fixture import shipped

SCORES = [file for file in read_sql_files() if file.stage == "score"]
OF_PATIENTS = [file for file in SCORES if file.header.patient_key]
SERVICE = Service("Service", {"a": "Alder", "b": "Birch", "c": "Cedar"})
# So few courses are enough that a small service has every pooled constant.
ENOUGH = "name like '%_courses' or name like '%_courses_needed' or name like '%_cell_needed'"


def warehouse() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set threads = 2")
    create_tables(con)
    return con


def score(con: duckdb.DuckDBPyConnection, night: date, service: Service = SERVICE) -> str:
    """One night's scores; for whom they were computed."""
    con.execute(f"set variable as_of = date '{night}'")
    with standing_scores(con, night) as standing, transaction(con):
        fill_reference(con, shipped(), service, night)
        con.execute(f"update ref.setting set value = 3 where {ENOUGH}")
        return build_scores(con, night, standing, most=1)


def differing(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Tables that are other than when all patients are computed anew, with the number of rows."""
    found = {}
    con.execute("begin")
    for file in SCORES:
        con.execute(f'create temp table "stood {file.name}" as from {file.name}')
    build(con, "score")
    for file in SCORES:
        stood = f'"stood {file.name}"'
        (n,) = con.execute(
            f"select count(*) from ((from {stood} except all from {file.name})"
            f" union all (from {file.name} except all from {stood}))"
        ).fetchall()[0]
        found |= {file.name: n} if n else {}
    con.execute("rollback")
    return found


def run_nights(seed: int, nights: int, patients: int = 120) -> list[str]:
    """For whom each night's scores were computed, every night compared with a whole computation."""
    con = warehouse()
    world = RandomNights(con, seed, patients)
    night, computed = BEGIN, []
    world.deliver(night, 900)
    for number in range(nights):
        if number:
            night += timedelta(days=world.chance.choice((1, 1, 2, 7, 30)))
            world.deliver(night, world.chance.choice((0, 3, 10)))
        if number and world.chance.random() < 0.05:
            world.rename(night)
        computed.append(score(con, night))
        assert differing(con) == {}, (seed, number, night, computed)
    con.close()
    return computed


@pytest.mark.parametrize("seed", [1, 2])
def test_touched_patients_alone_give_what_all_give(seed: int) -> None:
    computed = run_nights(seed, nights=6)
    assert sum("of" in how and "all" not in how for how in computed) >= 2, computed
