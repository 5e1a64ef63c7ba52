"""Every rate of the demonstration says of how many, how many are unknown, and what they could change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.browser.sites import Sites
from tests.sql.warehouse_fixture import rows

# Sections whose figures stand on first and last scores, so that few known ones withhold them.
BY_PAIRS = ("outcome", "talking_therapies", "index")
FLOOR = 0.5


@pytest.fixture(scope="module")
def audit(sites: Sites) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published figures with their definitions, as an auditor gets them."""
    folder = sites.workspace.current / "auditors"
    con = duckdb.connect()
    for stage, table in (("measure", "published"), ("report", "figure"), ("ref", "definition")):
        con.execute(f"create view {table} as from '{folder}/{stage}/{table}.parquet'")
    con.execute(
        "create view rate as select p.*, f.note, f.section, f.value_text, f.bounds_text, f.n_text,"
        " f.completeness_text, f.interval_text from published p"
        " join figure f using (level, unit_id, period_id, measure)"
        " where p.kind = 'rate' and p.instrument_id is not distinct from f.instrument_id"
    )
    yield con
    con.close()


def broken(con: duckdb.DuckDBPyConnection, condition: str) -> list[dict[str, Any]]:
    query = f"select distinct level, unit_id, measure from rate where {condition} order by all"
    return rows(con, query)


def test_the_demonstration_has_rates_of_every_kind(audit: duckdb.DuckDBPyConnection) -> None:
    found = rows(audit, "select distinct section from rate where is_shown")
    assert {row["section"] for row in found} >= {*BY_PAIRS, "completeness", "endings", "waits"}
    (unknown,) = rows(audit, "select count(*) as n from rate where n_known < n_eligible")
    assert unknown["n"] > 20


def test_a_shown_rate_has_its_counts_and_its_interval(audit: duckdb.DuckDBPyConnection) -> None:
    assert broken(audit, "is_shown and (value is null or low is null or high is null)") == []
    assert broken(audit, "is_shown and not (low <= value and value <= high)") == []
    assert broken(audit, "is_shown and (numerator is null or n < minimum or numerator > n)") == []
    assert broken(audit, "is_shown and (n_eligible is null or completeness is null)") == []
    assert broken(audit, "is_shown and (n_text is null or interval_text is null)") == []
    assert broken(audit, "is_shown and completeness_text is null") == []


def test_whoever_is_unknown_opens_the_bounds(audit: duckdb.DuckDBPyConnection) -> None:
    is_open = "n_known is not null and n_known < n_eligible"
    assert broken(audit, f"{is_open} and (worst is null or best is null)") == []
    # nobody known to belong to the numerator can leave it, and only the unknown can come in
    least = "numerator / n_eligible::double"
    bounds = f"least(worst, best) > {least} + 1e-8 or greatest(worst, best) < {least} - 1e-8"
    assert broken(audit, f"is_shown and worst is not null and ({bounds})") == []
    wide = "abs(worst - best) > (n_eligible - n_known) / n_eligible::double + 1e-8"
    assert broken(audit, f"worst is not null and measure <> 'stopped_coming' and {wide}") == []
    assert broken(audit, "is_shown and round(100 * worst) <> round(100 * best) and bounds_text is null") == []  # fmt: skip


def test_below_the_floor_a_rate_is_withheld_with_the_reason(
    audit: duckdb.DuckDBPyConnection,
) -> None:
    low = f"section in {BY_PAIRS} and worst is not null and completeness < {FLOOR}"
    assert broken(audit, f"{low} and is_shown") == []
    shown = (
        "value is not null or numerator is not null or low is not null or value_text is not null"
    )
    assert broken(audit, f"not is_shown and ({shown})") == []
    assert broken(audit, "not is_shown and note is null") == []
    assert broken(audit, "not is_shown and withheld is null") == []


def test_nought_is_a_number(audit: duckdb.DuckDBPyConnection) -> None:
    nought = "is_shown and numerator = 0"
    (found,) = rows(audit, f"select count(*) as n from rate where {nought}")
    assert found["n"] > 0
    assert broken(audit, f"{nought} and (value <> 0 or value_text <> '0 %')") == []
