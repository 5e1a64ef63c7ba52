"""Pooled constants stand still for a quarter; a past night reads what was kept by then."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.sql_files import build, read_sql_files
from flows.sql_header import HeaderFault, read_header
from tests.sql.test_files import HEADER
from tests.sql.warehouse_fixture import rows, warehouse

SELECT = """-- A pooled constant.
--
-- grain:   name, part
-- inputs:  ref.setting
-- columns: name VARCHAR    key
--          part INTEGER    second key
--          value DOUBLE    constant
--          frozen_on DATE  night it was computed on
-- version: {version}
-- {kept}:  name
select
    name::varchar as name,
    part::integer as part,
    value::double as value,
    getvariable('as_of')::date as frozen_on,
from ref.setting
cross join (select unnest([1, 2]) as part)
"""


class Service:
    """A service with a few constants, whose nights are built one after another."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "sql"
        (self.folder / "score").mkdir(parents=True)
        self.define()
        self.con: duckdb.DuckDBPyConnection = warehouse(date(2026, 1, 5))
        self.con.execute("delete from ref.setting")

    def define(self, version: int = 1, kept: str = "frozen") -> None:
        path = self.folder / "score" / "pooled.sql"
        path.write_text(SELECT.format(version=version, kept=kept), encoding="utf-8")
        read_sql_files.cache_clear()

    def night(self, as_of: date, **constants: float) -> dict[str, tuple[float, date]]:
        """Build a night on which the constants would be these; what holds, by name."""
        self.con.execute(f"set variable as_of = date '{as_of}'")
        self.con.execute("delete from ref.setting")
        for name, value in constants.items():
            self.con.execute("insert into ref.setting values (?, ?, '')", [name, value])
        build(self.con, "score", self.folder)
        found = rows(self.con, "select * from score.pooled order by all")
        assert len(found) == 2 * len({row["name"] for row in found})
        return {row["name"]: (row["value"], row["frozen_on"]) for row in found}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_a_constant_stands_still_within_a_quarter(service: Service) -> None:
    first, later, next_quarter = date(2026, 1, 5), date(2026, 3, 31), date(2026, 4, 1)
    assert service.night(first, a=1) == {"a": (1, first)}
    assert service.night(later, a=2) == {"a": (1, first)}
    assert service.night(next_quarter, a=2) == {"a": (2, next_quarter)}


def test_a_key_that_comes_later_is_added_and_one_that_goes_still_holds(service: Service) -> None:
    first, later = date(2026, 1, 5), date(2026, 2, 1)
    service.night(first, a=1)
    assert service.night(later, b=7) == {"a": (1, first), "b": (7, later)}


def test_a_past_night_reads_what_was_kept_by_then(service: Service) -> None:
    first, later, past = date(2026, 1, 5), date(2026, 2, 1), date(2026, 1, 20)
    service.night(first, a=1)
    service.night(later, a=1, b=7)
    assert service.night(past, a=3) == {"a": (1, first)}
    # what a past night had to compute does not reach the nights that had their own
    assert service.night(date(2026, 1, 20), b=9)["b"] == (9, past)
    assert service.night(date(2026, 2, 2), b=9)["b"] == (7, later)


def test_what_is_closed_stands_for_good(service: Service) -> None:
    service.define(kept="closed")
    first, next_quarter = date(2026, 1, 5), date(2026, 4, 1)
    assert service.night(first, a=1) == {"a": (1, first)}
    assert service.night(next_quarter, a=2, b=3) == {"a": (1, first), "b": (3, next_quarter)}
    assert service.night(first, a=4) == {"a": (1, first)}


def test_another_definition_has_other_numbers(service: Service) -> None:
    service.night(date(2026, 1, 5), a=1)
    service.define(version=2)
    assert service.night(date(2026, 1, 6), a=2) == {"a": (2, date(2026, 1, 6))}


@pytest.mark.parametrize(
    ("line", "fault"),
    [("frozen:  b", "frozen by b, which is no key"), ("frozen:  a", "has a column frozen_on")],
)
def test_a_frozen_table_says_by_what_and_when(line: str, fault: str) -> None:
    with pytest.raises(HeaderFault, match=fault):
        read_header(f"{HEADER}-- {line}\n", "sql/score/a.sql")
