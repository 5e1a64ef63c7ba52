"""Special causes in monthly figures: a published example, hand-made series, and the rules told again in plain Python."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from flows.sql_files import read_sql_files
from tests.oracle.small_world import AS_OF
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

SELECTS = {file.name: file.text for file in read_sql_files()}
FACTOR, NEAR, LENGTH, NEEDED = 2.66, 2 / 3, 7, 12
RULES = ("is_beyond", "is_run", "is_trend", "is_near")
# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rates of ten batches.
FLOW = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)
CALM = (5, 6, 5, 4) * 4
Series = Sequence[float | None]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table with its types and no rows."""
    con = warehouse(AS_OF)
    build_stages(con, ("finding", "score"))
    yield con
    con.close()


def told(
    con: duckdb.DuckDBPyConnection, units: Mapping[str, Series], better: str = "higher"
) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Limits of each series, and its months in order."""
    months = [
        {"level": "clinic", "unit_id": unit, "period_id": f"m{n}", "measure": "m", "month_no": n + 1,
         "value": value}
        for unit, series in units.items()
        for n, value in enumerate(series)
    ]  # fmt: skip
    con.execute("create schema if not exists measure")
    con.execute(
        "create or replace table measure.process_month (level varchar, unit_id varchar, period_id varchar,"
        " measure varchar, instrument_id varchar, month_no integer, value decimal(18, 9))"
    )
    insert(con, "measure.process_month", months)
    con.execute("delete from ref.definition")
    insert(con, "ref.definition", [{"measure": "m", "better": better}])
    for table in ("process_limit", "process_point"):
        con.execute(f"create or replace table measure.{table} as {SELECTS[f'measure.{table}']}")
    points: dict[str, list[dict[str, Any]]] = {unit: [] for unit in units}
    for row in rows(con, "select * from measure.process_point order by unit_id, month_no"):
        points[row["unit_id"]].append(row)
    limits = rows(con, "select * from measure.process_limit")
    return {row["unit_id"]: row for row in limits}, points


def marked(points: Sequence[Mapping[str, Any]], rule: str) -> list[int]:
    """Places of the months that a rule marks, from 0."""
    return [n for n, point in enumerate(points) if point[rule]]


def test_limits_are_those_of_the_published_example(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update ref.setting set value = 10 where name = 'process_months_needed'")
    limits, points = told(con, {"flow": FLOW})
    found = limits["flow"]
    # printed there: mean 50.81, mean moving range 1.8778, limits 45.8159 and 55.8041 with 3 / 1.128
    assert float(found["mean"]) == pytest.approx(50.81)
    assert float(found["mean_range"]) == pytest.approx(1.8778, abs=5e-5)
    assert float(found["low"]) == pytest.approx(45.8159, abs=0.002)
    assert float(found["high"]) == pytest.approx(55.8041, abs=0.002)
    assert not any(point["is_beyond"] for point in points["flow"])
    con.execute(f"update ref.setting set value = {NEEDED} where name = 'process_months_needed'")


def test_each_rule_begins_where_it_is_said_to_begin(con: duckdb.DuckDBPyConnection) -> None:
    units: dict[str, Series] = {
        "six_above": (*CALM, 4, *(6,) * 6, 4),
        "seven_above": (*CALM, 4, *(6,) * 7, 4),
        "seven_with_a_gap": (*CALM, 4, *(6,) * 4, None, *(6,) * 3, 4),
        "rising_six": (*CALM, 1, 2, 3, 4, 5, 6, 6),
        "rising_seven": (*CALM, 1, 2, 3, 4, 5, 6, 7),
        "rising_with_a_gap": (*CALM, 1, 2, 3, 4, None, 5, 6, 7),
        "beyond": (*CALM, 50, *CALM),
        "short": (1, 9, 1, 9, 1, 9, 1, 9, 1, 9, 99),
        "level": (3,) * 14,
    }
    limits, points = told(con, units)
    assert marked(points["six_above"], "is_run") == []
    assert marked(points["seven_above"], "is_run") == list(range(17, 24))
    assert marked(points["seven_with_a_gap"], "is_run") == []
    assert marked(points["rising_six"], "is_trend") == []
    assert marked(points["rising_seven"], "is_trend") == list(range(16, 23))
    assert marked(points["rising_with_a_gap"], "is_trend") == []
    assert marked(points["beyond"], "is_beyond") == [16]
    # too few months: no limits, and nothing is said of any month
    assert limits["short"]["low"] is None
    assert {point["cause"] for point in points["short"]} == {None}
    assert {point["is_beyond"] for point in points["short"]} == {None}
    assert not any(point[rule] for rule in RULES for point in points["level"])


@pytest.mark.parametrize(
    ("better", "up", "down"),
    [
        ("higher", "improvement", "concern"),
        ("lower", "concern", "improvement"),
        ("neither", "neither", "neither"),
    ],
)
def test_a_special_cause_is_named_by_the_direction_that_is_better(
    con: duckdb.DuckDBPyConnection, better: str, up: str, down: str
) -> None:
    _, points = told(con, {"up": (*CALM, 50), "down": (*CALM, -50), "calm": CALM}, better)
    assert points["up"][-1]["cause"] == up
    assert points["down"][-1]["cause"] == down
    assert {point["cause"] for point in points["calm"]} == {None}


def test_plain_python_finds_the_same_special_causes(con: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(7)
    units: dict[str, Series] = {}
    for number in range(400):
        drift, gap = chance.choice((0, 0, 0.3, -0.3)), chance.choice((0, 0, 0.08))
        units[f"u{number}"] = [
            None if chance.random() < gap else round(chance.gauss(n * drift, 2), chance.choice((0, 3)))
            for n in range(24)
        ]  # fmt: skip
    limits, points = told(con, units)
    found: dict[str, int] = dict.fromkeys(RULES, 0)
    for unit, series in units.items():
        expected = again(series)
        if expected is None:
            assert limits[unit]["low"] is None
            continue
        for rule in RULES:
            assert marked(points[unit], rule) == sorted(expected[rule]), (unit, rule, series)
            found[rule] += len(expected[rule])
    assert all(n > 20 for n in found.values()), found


def again(series: Series) -> dict[str, set[int]] | None:
    """The four rules by looking at every stretch of months, one after another; None: too few."""
    shown = [value for value in series if value is not None]
    if len(shown) < NEEDED:
        return None
    pairs = zip(series, series[1:], strict=False)
    ranges = [abs(b - a) for a, b in pairs if a is not None and b is not None]
    mean, reach = sum(shown) / len(shown), FACTOR * sum(ranges) / len(ranges)
    found: dict[str, set[int]] = {rule: set() for rule in RULES}
    for n, value in enumerate(series):
        if value is not None and abs(value - mean) > reach:
            found["is_beyond"].add(n)
        window = complete(series, n, LENGTH)
        if window and (min(window) > mean or max(window) < mean):
            found["is_run"] |= set(range(n, n + LENGTH))
        steps = [b - a for a, b in zip(window, window[1:], strict=False)]
        if window and (min(steps) > 0 or max(steps) < 0):
            found["is_trend"] |= set(range(n, n + LENGTH))
        three = complete(series, n, 3)
        close = {n + k for k, x in enumerate(three) if NEAR * reach < abs(x - mean) <= reach}
        if len(close) >= 2 and (min(three) > mean or max(three) < mean):
            found["is_near"] |= close
    return found


def complete(series: Series, start: int, length: int) -> list[float]:
    """So many months from `start`; none where one of them is not shown or there are not as many."""
    window = [value for value in series[start : start + length] if value is not None]
    return window if len(window) == length else []
