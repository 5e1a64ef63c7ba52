"""Each rule on three profile rows: one that must fail, one that passes, one it cannot judge."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import duckdb
import pytest

from flows.quality import judge_tables
from schemas.expectations import expectations
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse


class Case(NamedTuple):
    """Rows of a profile; what passes stands on the bound itself where there is one to stand on."""

    fails: dict[str, Any]
    passes: dict[str, Any]
    cannot: dict[str, Any]


MANY = {"n_recent": 50, "n_before": 50}
FEW = {"n_recent": 50, "n_before": 49}
DUE = {"table_name": "delivery", "n_deliveries_due": 9}
FORM = {"table_name": "form"}
PHQ = {"table_name": "form", "instrument_id": "phq9"}
CASES = {
    "delivery-unused": Case(
        {"n_used": 0, "n_records": 9, "n_rejected": 9},
        {"n_used": 1, "n_records": 9, "n_rejected": 8},
        {"n_used": 0, "n_records": 0, "n_rejected": 0},
    ),
    "delivery-rejected": Case(
        {"share_rejected": 0.100001, "n_records": 20},
        {"share_rejected": 0.10, "n_records": 20},
        {"share_rejected": 1, "n_records": 19},
    ),
    "delivery-forms-lost": Case(
        {"share_lost": 0.125, "forms_found": 40, "forms_lost": 5},
        {"share_lost": 0.1, "forms_found": 40, "forms_lost": 4},
        {"share_lost": 0.2, "forms_found": 10, "forms_lost": 1},
    ),
    "delivery-answers-missing": Case(
        {"share_missing": 0.21, "forms_found": 20},
        {"share_missing": 0.20, "forms_found": 20},
        {"share_missing": None, "forms_found": 20},
    ),
    "delivery-volume-low": Case(
        {"records_ratio": 0.49, "n_earlier": 3},
        {"records_ratio": 0.50, "n_earlier": 3},
        {"records_ratio": 0.01, "n_earlier": 2},
    ),
    "delivery-volume-high": Case(
        {"records_ratio": 3.01, "n_earlier": 3},
        {"records_ratio": 3, "n_earlier": 3},
        {"records_ratio": 99, "n_earlier": 2},
    ),
    "delivery-old": Case({"days_behind": 36}, {"days_behind": 35}, {"days_behind": None}),
    "table-empty": Case(
        {**PHQ, "n_rows_expected": 0}, {**PHQ, "n_rows_expected": 1}, {**FORM, "n_rows": 0}
    ),
    "table-late": Case(
        {**FORM, "days_behind": 4}, {**FORM, "days_behind": 3}, {**FORM, "days_behind": None}
    ),
    "table-deliveries-due": Case(
        {**DUE, "n_deliveries_missed": 1},
        {**DUE, "n_deliveries_missed": 0},
        {**DUE, "n_deliveries_due": None, "n_deliveries_missed": None},
    ),
    "table-duplicates": Case(
        {**PHQ, "share_duplicates": 0.02, "n_duplicates": 2, "n_rows": 100},
        {**PHQ, "share_duplicates": 0.01, "n_duplicates": 1, "n_rows": 100},
        {**PHQ, "share_duplicates": None, "n_duplicates": 0, "n_rows": 0},
    ),
    "table-episode-unresolved": Case(
        {**FORM, "share_unresolved": 0.051},
        {**FORM, "share_unresolved": 0.05},
        {**FORM, "share_unresolved": None},
    ),
    "table-therapist-missing": Case(
        {**FORM, "share_without_therapist": 0.11},
        {**FORM, "share_without_therapist": 0.10},
        {**FORM, "share_without_therapist": None},
    ),
    "table-missing-rise": Case(
        {**PHQ, **MANY, "missing_rise": 0.11},
        {**PHQ, **MANY, "missing_rise": 0.10},
        {**PHQ, **FEW, "missing_rise": 0.99},
    ),
    "table-drift": Case(
        {**PHQ, "n_patients_recent": 30, "n_patients_before": 30, "psi": 0.26},
        {**PHQ, "n_patients_recent": 30, "n_patients_before": 30, "psi": 0.25},
        {**PHQ, "n_patients_recent": 29, "n_patients_before": 90, "psi": 5},
    ),
    "table-fading": Case(
        {**PHQ, "rows_ratio": 0.24, "n_before": 50},
        {**PHQ, "rows_ratio": 0.25, "n_before": 50},
        {**PHQ, "rows_ratio": 0, "n_before": 49},
    ),
}
STATUS = {"fails": "failed", "passes": "passed", "cannot": "not applicable"}


@pytest.fixture(scope="module")
def judged() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every case as a row of its own, judged at once."""
    con = warehouse(date(2026, 11, 22))
    build_stages(con, ["finding"])
    for profile in ("delivery", "table"):
        given = [
            {"clinic_id": f"{rule}/{kind}", **row}
            for rule, case in CASES.items()
            if rule.startswith(profile)
            for kind, row in case._asdict().items()
        ]
        if profile == "delivery":
            given = [{**row, "delivery_id": row["clinic_id"]} for row in given]
        con.execute(f"delete from finding.{profile}_profile")
        insert(con, f"finding.{profile}_profile", given)
    judge_tables(con)
    yield con
    con.close()


def check(con: duckdb.DuckDBPyConnection, rule: str, kind: str) -> dict[str, Any]:
    found = rows(
        con,
        f"select * from finding.check where check_id = '{rule}' and clinic_id = '{rule}/{kind}'",
    )
    assert len(found) == 1
    return found[0]


def test_every_rule_has_its_cases() -> None:
    assert set(CASES) == {rule.id for rule in expectations()}


@pytest.mark.parametrize("rule", expectations(), ids=lambda rule: rule.id)
@pytest.mark.parametrize("kind", STATUS)
def test_a_rule_fails_passes_or_does_not_apply(
    judged: duckdb.DuckDBPyConnection, rule: Any, kind: str
) -> None:
    found = check(judged, rule.id, kind)
    assert found["status"] == STATUS[kind]
    assert (found["severity"], found["profile"]) == (rule.severity, rule.profile)
    assert found["what_to_do"] == rule.what_to_do
    assert found["threshold"] is not None
    assert "{" not in found["message"]


def test_counts_and_words_are_those_of_the_row(judged: duckdb.DuckDBPyConnection) -> None:
    lost = check(judged, "delivery-forms-lost", "fails")
    assert (lost["n_failed"], lost["n_checked"]) == (5, 40)
    assert float(lost["observed"]) == 0.125
    assert lost["message"] == ("12.5 % of the forms are refused or held; up to 10 % are tolerated")
    assert check(judged, "delivery-old", "fails")["message"].startswith(
        "The last day in the file lay 36 days before the night it came; up to 35"
    )
    assert check(judged, "table-drift", "fails")["message"].endswith("0.26, up to 0.25 is usual")
    assert check(judged, "table-drift", "cannot")["message"] == "Too few to judge by: under 30"
    assert check(judged, "table-late", "cannot")["message"] == "No row to tell a day from"
    assert (
        check(judged, "table-late", "passes")["message"] == "The table goes up to the newest days"
    )


def test_a_row_of_which_nothing_is_known_passes_nothing() -> None:
    con = warehouse(date(2026, 11, 22))
    build_stages(con, ["finding"])
    insert(con, "finding.delivery_profile", [{"delivery_id": "d", "clinic_id": "a"}])
    con.execute("delete from finding.table_profile")
    things = [{"table_name": t} for t in ("form", "session", "episode", "delivery")] + [PHQ]
    insert(con, "finding.table_profile", [{"clinic_id": "a", **thing} for thing in things])
    assert judge_tables(con) == 0
    assert rows(con, "select distinct status from finding.check") == [{"status": "not applicable"}]
    judged = rows(con, "select distinct check_id from finding.check where clinic_id = 'a'")
    assert len(judged) == len(expectations())
