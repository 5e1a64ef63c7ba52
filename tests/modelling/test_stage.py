"""The model stage: a model stands for its quarter, a failed one is tried again, both are told."""

from collections.abc import Collection, Iterator
from datetime import date

import duckdb
import pytest

from flows.model import build_models
from flows.modelling.fit import Fit, Term
from flows.sql_files import built_after
from schemas.model import FILLED_TABLES
from tests.sql.warehouse_fixture import build_stages, rows, warehouse

FIRST, LATER, NEXT_QUARTER = date(2026, 11, 22), date(2026, 12, 30), date(2027, 1, 1)


class Changing:
    """A fitter whose estimate is another every night."""

    def __init__(self) -> None:
        self.estimate = 0.0
        self.asked: list[set[str]] = []

    def __call__(self, _con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Fit]:
        self.asked.append(set(held))
        self.estimate += 1
        if "good" not in held:
            terms = [Term("intercept", self.estimate, 0.5, None), Term("sex=female", 0, None, 0.5)]
            yield Fit("good", "early_ending", None, 50, 10, terms)
        yield Fit(
            "bad", "early_ending", None, 3, why_not=f"too few, seen {self.estimate:.0f} times"
        )


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = warehouse(FIRST)
    build_stages(con, ["finding", "score"])
    yield con
    con.close()


def night(con: duckdb.DuckDBPyConnection, as_of: date, fitter: Changing) -> tuple[list, list]:
    con.execute(f"set variable as_of = date '{as_of}'")
    build_models(con, as_of, [fitter])
    coefficients = rows(con, "select model_id, term, estimate from model.coefficient")
    fits = rows(con, "select model_id, fitted_on, is_used, why_not from model.fit")
    return coefficients, fits


def test_a_model_stands_for_its_quarter_and_a_failed_one_is_tried_again(
    con: duckdb.DuckDBPyConnection,
) -> None:
    fitter = Changing()
    night(con, FIRST, fitter)
    coefficients, fits = night(con, LATER, fitter)
    assert coefficients == [
        {"model_id": "good", "term": "intercept", "estimate": 1.0},
        {"model_id": "good", "term": "sex=female", "estimate": 0.0},
    ]
    assert fits == [
        {"model_id": "bad", "fitted_on": LATER, "is_used": False,
         "why_not": "too few, seen 2 times"},
        {"model_id": "good", "fitted_on": FIRST, "is_used": True, "why_not": None},
    ]  # fmt: skip
    coefficients, fits = night(con, NEXT_QUARTER, fitter)
    assert coefficients[0]["estimate"] == 3.0
    assert fits[1]["fitted_on"] == NEXT_QUARTER
    assert fitter.asked == [set(), {"good"}, set()]


def test_a_past_night_has_the_coefficients_it_had(con: duckdb.DuckDBPyConnection) -> None:
    fitter = Changing()
    first, _ = night(con, FIRST, fitter)
    night(con, NEXT_QUARTER, fitter)
    again, _ = night(con, FIRST, fitter)
    assert again == first


def test_every_filled_table_and_column_is_described(con: duckdb.DuckDBPyConnection) -> None:
    night(con, FIRST, Changing())
    for table, (words, columns) in FILLED_TABLES.items():
        where = f"schema_name || '.' || table_name = '{table}'"
        found = rows(con, f"select column_name, comment from duckdb_columns() where {where}")
        assert {(row["column_name"], row["comment"]) for row in found} == {
            (name, meaning) for name, _, meaning in columns
        }
        assert (
            rows(con, f"select comment from duckdb_tables() where {where}")[0]["comment"] == words
        )


def test_what_is_built_before_the_fits_reads_no_coefficient() -> None:
    assert "measure.estimate" not in built_after({"model.nothing"})
    assert "report.figure" in built_after({"ref.definition"})
