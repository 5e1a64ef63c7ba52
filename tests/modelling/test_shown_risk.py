"""Chances of single patients: shown where it is lawful, on nothing anywhere else, and never of who objects."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from flows.model import build_models
from flows.modelling.fit import Fit, Term
from flows.publish import report_tables
from flows.sql_files import build
from flows.synthetic.world import simulate
from reports.render import render
from tests.modelling.service import NIGHT, part_of, service
from tests.sql.warehouse_fixture import build_stages, rows

BASIS = ("Canary Owner", "Canary Basis", "Canary Assessment", date(2026, 1, 31))
TERMS = (
    Term("intercept", -3.0, 0.1, None),
    Term("missed_share", 2.0, 0.1, 0.1),
    Term("weeks_since_last", 0.5, 0.1, 1.2),
    Term("alliance", -0.7, 0.1, 0.0),
)


def passed(con: duckdb.DuckDBPyConnection, held: object) -> Iterator[Fit]:
    """A model that has passed its test, as if thousands of courses lay behind it."""
    del con, held
    known = ("dropout", NIGHT, 20_000, 900)
    for outcome in ("dropout", "planned", "other"):
        yield Fit(f"last_session/{outcome}", outcome, *known[1:], TERMS)
    sound = [Term("intercept", 0.0, 0.01, None), Term("slope", 1.0, 0.01, None)]
    yield Fit(f"calibration_{NIGHT:%Y-%m}/dropout", *known, sound)


@pytest.fixture(scope="module")
def scored() -> Iterator[duckdb.DuckDBPyConnection]:
    """One small clinic with a chance each, the law's questions not answered."""
    con = service(part_of(simulate(31, NIGHT, small=True), "birch", 500))
    con.execute("update ref.setting set value = 0 where name = 'reason_share'")
    for table in ("episode", "session", "form"):
        con.execute(
            f"update valid.{table} set patient_id = md5(patient_id), therapist_id = md5(therapist_id)"
        )
    build_stages(con, ["finding", "score"])
    build_models(con, NIGHT, [passed])
    build_stages(con, ["measure", "report"])
    yield con
    con.close()


@pytest.fixture
def lawful(scored: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same with a stated basis; taken back afterwards."""
    con = scored
    con.execute(
        "update ref.night set risk_owner = ?, risk_basis = ?, risk_assessment = ?,"
        " risk_assessed_on = ?", list(BASIS),
    )  # fmt: skip
    build(con, "report")
    yield con
    con.execute("update ref.night set risk_owner = null, risk_assessed_on = null")
    build(con, "report")


def worklists(con: duckdb.DuckDBPyConnection) -> str:
    """The text of every page that a therapist has a worklist on."""
    # Names and numbers are looked up at the edge; here nobody has any.
    edge: dict[str, list[dict[str, object]]] = {
        "therapist_name": [],
        "patient_number": [],
        "supervision": [],
    }
    pages = render("care_team", report_tables(con) | edge)
    found = [text for path, text in pages if path.endswith("worklist.html")]
    assert found
    return "\n".join(found)


def cells_with(con: duckdb.DuckDBPyConnection, words: set[str]) -> list[str]:
    """Report tables that hold one of the words in any cell."""
    texts = {name: str(held) for name, held in report_tables(con).items()}
    return [name for name, text in texts.items() if any(word in text for word in words)]


def chances(con: duckdb.DuckDBPyConnection) -> set[str]:
    found = rows(
        con, "select dropout, dropout_within_five from model.risk where family = 'last_session'"
    )
    assert len(found) > 100
    return {str(value)[:9] for row in found for value in row.values()}


def test_without_a_basis_no_chance_is_anywhere_outside_of_the_models(
    scored: duckdb.DuckDBPyConnection,
) -> None:
    assert cells_with(scored, chances(scored)) == []
    text = worklists(scored)
    assert "chance, when the last session ended, that it was the last one" not in text
    assert "write under [governance.patient_risk]" in text
    listed = rows(scored, "select distinct ordered_by, model_id, raises from report.worklist")
    assert listed == [{"ordered_by": "facts", "model_id": None, "raises": None}]


def test_with_a_basis_the_lists_are_in_the_order_of_risk_with_reasons(
    lawful: duckdb.DuckDBPyConnection,
) -> None:
    con = lawful
    assert cells_with(con, chances(con)) == ["worklist"]
    text = worklists(con)
    assert "chance, when the last session ended, that it was the last one" in text
    assert "Impact assessment: Canary Assessment" in text
    listed = rows(
        con,
        "select therapist_id, place, chance, raises, lowers, inputs, contributions"
        " from report.worklist where section = 'to_do' order by therapist_id, place",
    )
    assert len(listed) >= 3
    for one, other in zip(listed, listed[1:], strict=False):
        if one["therapist_id"] == other["therapist_id"]:
            assert one["chance"] >= other["chance"]
    assert all(row["chance"] is not None and row["raises"] + row["lowers"] for row in listed)
    # the reasons are those of the chance: together they lead from the average session to it
    for row in listed:
        odds = 2.718281828459045 ** (TERMS[0].estimate + float(sum(row["contributions"])))
        assert row["chance"] == pytest.approx(odds / (1 + 3 * odds), abs=1e-9)


def test_who_objects_has_no_chance_and_stands_nowhere(lawful: duckdb.DuckDBPyConnection) -> None:
    con = lawful
    top = rows(con, "select * from report.worklist where section = 'to_do' order by chance desc")[0]
    con.execute("begin")
    try:
        con.execute("insert into valid.objection values ('birch', ?)", [top["patient_id"]])
        build_stages(con, ["score"])
        build_models(con, NIGHT, [passed])
        build_stages(con, ["measure", "report"])
        for table in ("person_session", "hazard_row", "risk", "risk_term"):
            query = f"select count(*) from model.{table} where session_id = ?"
            assert con.execute(query, [top["session_id"]]).fetchall() == [(0,)], table
        assert cells_with(con, {top["session_id"]}) == []
        assert top["patient"] not in worklists(con)
        assert "stand on no list: 1." in worklists(con)
    finally:
        con.execute("rollback")
