"""Judging as a whole: nothing to judge, other thresholds, an error of the judge, nothing let out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows import verdict
from flows.quality import judge_tables
from flows.reference import DEFAULTS
from flows.verdict import Unjudged, broken_rows
from schemas.expectations import CHECK_COLUMNS, PROFILES, expectations, of_profile
from tests.sql.warehouse_fixture import ALWAYS, FOREVER, build_stages, insert, rows, warehouse

ROOT = Path(__file__).parents[2]
NIGHT = date(2026, 11, 22)
CANARY = "canary"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = warehouse(NIGHT)
    yield con
    con.close()


def statuses(con: duckdb.DuckDBPyConnection, rule: str) -> list[str]:
    found = rows(con, f"select status from finding.check where check_id = '{rule}' order by all")
    return [row["status"] for row in found]


def deliver(con: duckdb.DuckDBPyConnection, n_rejected: int = 4) -> None:
    """One file of sixty forms with every answer, name and id a canary or a rare number."""
    delivery = {
        "delivery_id": "d1", "clinic_id": "a", "source_name": "forms", "file_name": "forms.csv",
        "sha256": "f00d", "as_of": NIGHT, "sequence": 1, "state": "read", "n_records": 100,
        "n_used": 100 - n_rejected, "n_rejected": n_rejected, "forms_found": 60,
        "forms_rejected": 0, "forms_held": 0, "data_to": NIGHT,
    }  # fmt: skip
    insert(con, "landed.delivery", [delivery])
    insert(con, "landed.part_count", [{"delivery_id": "d1", "kind": "form", "found": 60}])
    insert(con, "valid.clinic", [{"clinic_id": "a", "data_through": NIGHT}])
    insert(
        con,
        "valid.form",
        [
            {
                "form_id": f"{CANARY}-form-{number}", "clinic_id": "a",
                "patient_id": f"{CANARY}-patient-{number % 30}", "instrument_id": "ors",
                "therapist_id": f"{CANARY}-therapist", "episode_id": f"{CANARY}-episode",
                "respondent": "patient", "answered_on": NIGHT - timedelta(days=number % 30),
                "answers": [7.317, 7.317, 7.317, 7.317], "missing": [None] * 4,
                "input_form": "raw", "delivery_id": "d1", "line": number,
                "known_from": ALWAYS, "known_to": FOREVER,
            }
            for number in range(60)
        ],
    )  # fmt: skip
    build_stages(con, ["finding"])


def test_where_nothing_was_ever_delivered_nothing_passes(con: duckdb.DuckDBPyConnection) -> None:
    build_stages(con, ["finding"])
    con.execute("delete from finding.table_profile")
    assert judge_tables(con) == 0
    found = rows(con, "select * from finding.check order by check_id")
    assert [row["check_id"] for row in found] == sorted(rule.id for rule in expectations())
    assert {row["status"] for row in found} == {"not applicable"}
    assert {row["message"] for row in found} == {"There is nothing to judge yet"}


def test_an_empty_profile_beside_a_full_one_does_not_pass(con: duckdb.DuckDBPyConnection) -> None:
    deliver(con)
    con.execute("delete from finding.delivery_profile")
    judge_tables(con)
    where = "profile = 'delivery' and status <> 'not applicable'"
    assert rows(con, f"select * from finding.check where {where}") == []


def test_other_thresholds_are_judged_without_reading_again(con: duckdb.DuckDBPyConnection) -> None:
    deliver(con)
    before = judge_tables(con)
    assert statuses(con, "delivery-rejected") == ["passed"]
    for table in ("valid.form", "valid.clinic", "landed.delivery", "landed.part_count"):
        con.execute(f"drop table {table}")
    con.execute("update ref.setting set value = 0.03 where name = 'delivery_rejected_most'")
    assert judge_tables(con) == before + 1
    assert statuses(con, "delivery-rejected") == ["failed"]
    con.execute("update ref.setting set value = 101 where name = 'delivery_records_needed'")
    assert judge_tables(con) == before
    assert statuses(con, "delivery-rejected") == ["not applicable"]


def test_the_table_is_as_announced_and_explained(con: duckdb.DuckDBPyConnection) -> None:
    deliver(con)
    judge_tables(con)
    where = "schema_name = 'finding' and table_name = 'check'"
    found = rows(
        con,
        f"select column_name, lower(data_type) as type, comment from duckdb_columns() where {where}"
        " order by column_index",
    )
    assert [tuple(row.values()) for row in found] == list(CHECK_COLUMNS)
    assert rows(con, f"select comment from duckdb_tables() where {where}")[0]["comment"]


def test_judging_twice_gives_the_same_rows(con: duckdb.DuckDBPyConnection) -> None:
    deliver(con)
    judge_tables(con)
    first = rows(con, "select * from finding.check")
    judge_tables(con)
    assert rows(con, "select * from finding.check") == first


def test_nothing_of_a_patient_comes_out(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the table, not on the page, not in what Great Expectations was given or gave back."""
    given: list[str] = []
    validate = verdict._validate

    def spy(definition: Any, suite: Any, numbers: pl.DataFrame) -> Any:
        results = validate(definition, suite, numbers)
        assert all(dtype.is_numeric() for dtype in numbers.dtypes)
        given.extend(json.dumps(result.to_json_dict()) for result in results)
        return results

    monkeypatch.setattr(verdict, "_validate", spy)
    deliver(con, n_rejected=37)
    con.execute("update finding.delivery_profile set share_rejected = 0.377777")
    assert judge_tables(con) > 0
    build_stages(con, ["score", "model", "measure", "report"])
    tables = ("finding.check", "report.table_check")
    said = json.dumps([rows(con, f"select * from {table}") for table in tables], default=str)
    assert "37.78 %" in said
    for text in (said, *given):
        assert CANARY not in text
        assert "7.317" not in text
    assert given
    assert not [text for text in given if "0.377777" in text]


def test_an_error_of_the_judge_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    thresholds = {name: Decimal(1) for rule in expectations() for name in bounds_of(rule)}
    frame = pl.DataFrame({"row": [1], **{c: [1.0] for r in of_profile("table") for c in r.columns}})
    numbers = verdict._numbers
    monkeypatch.setattr(verdict, "_numbers", lambda *given: numbers(*given).drop("psi"))
    with pytest.raises(Unjudged, match="table-drift"):
        broken_rows({"delivery": pl.DataFrame(), "table": frame}, thresholds)
    monkeypatch.setattr(verdict, "_numbers", lambda *_: pl.DataFrame({"row": [CANARY]}))
    monkeypatch.setattr(verdict, "RESULT_FORMAT", {"result_format": CANARY})
    with pytest.raises(Unjudged) as raised:
        broken_rows({"delivery": pl.DataFrame(), "table": frame}, thresholds)
    assert CANARY not in str(raised.value)


def bounds_of(rule: Any) -> list[str]:
    return [rule.bound, *([rule.enough_least] if rule.enough_least else [])]


def test_a_result_without_a_verdict_is_an_error() -> None:
    class Raised:
        expectation_config = None
        exception_info = {"raised_exception": True}
        result: dict[str, Any] = {}

    class Silent(Raised):
        exception_info = {"raised_exception": False}

    class Short(Silent):
        result = {"unexpected_count": 2, "unexpected_index_list": [{"row": [1]}]}

    for result in (Raised, Silent, Short):
        with pytest.raises(Unjudged):
            verdict._rows_of(result())  # pyright: ignore[reportArgumentType]


def test_thresholds_that_rules_name_exist_and_columns_too(con: duckdb.DuckDBPyConnection) -> None:
    import tomllib

    known = set(tomllib.loads(DEFAULTS.read_text(encoding="utf-8")))
    assert {name for rule in expectations() for name in bounds_of(rule)} <= known
    build_stages(con, ["finding"])
    for profile in PROFILES:
        described = rows(con, f"describe finding.{profile}_profile")
        columns = {row["column_name"] for row in described}
        for rule in of_profile(profile):
            counts = {rule.n_failed, rule.n_checked} - {None}
            assert {*rule.columns, *counts} <= columns, rule.id


QUIET = """
import socket
def refuse(*_, **__):
    raise SystemExit("the network was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import polars as pl
from decimal import Decimal
from flows.verdict import broken_rows
from schemas.expectations import expectations, of_profile
names = {n for r in expectations() for n in (r.bound, r.enough_least) if n}
rows = {p: pl.DataFrame({"row": [1], **{c: [9.0] for r in of_profile(p) for c in r.columns}})
        for p in ("delivery", "table")}
assert broken_rows(rows, {n: Decimal(1) for n in names}).height > 0
"""
LAZY = """
import sys
import flows.cli, flows.checking, flows.quality
assert "great_expectations" not in sys.modules, "imported at start"
"""


@pytest.mark.parametrize("program", [QUIET, LAZY], ids=["quiet", "lazy"])
def test_great_expectations_is_quiet_and_comes_late(tmp_path: Path, program: str) -> None:
    """No file, no word, no network; and no second of anybody's time who only asks for help."""
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
