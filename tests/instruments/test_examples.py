"""Every worked example of every questionnaire is scored by the SQL as its file says."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from flows.sql_files import build
from schemas.instrument_types import Example, Instrument
from tests.sql.warehouse_fixture import insert, rows, shipped, warehouse

ON = date(2026, 3, 2)
EXAMPLES = [
    pytest.param(instrument, example, f"{instrument.id}-{number}", id=f"{instrument.id}-{number}")
    for instrument in shipped().values()
    for number, example in enumerate(instrument.examples)
]


def form(instrument_id: str, form_id: str, **given: Any) -> dict[str, Any]:
    """One form as the pipeline hands it over."""
    return {
        "form_id": form_id,
        "clinic_id": "a",
        "patient_id": "p",
        "instrument_id": instrument_id,
        "respondent": shipped()[instrument_id].respondent,
        "answered_at": f"{ON} 10:00:00",
        "answered_on": ON,
        "input_form": "raw",
        **given,
    }


def answered(answers: tuple[Decimal | str | None, ...]) -> dict[str, Any]:
    """Answers and reasons in item order; na is a reason and not an answer."""
    return {
        "answers": [None if a == "na" else a for a in answers],
        "missing": [
            "not_applicable" if a == "na" else "not_answered" if a is None else None
            for a in answers
        ],
    }


@pytest.fixture(scope="module")
def scored() -> Iterator[duckdb.DuckDBPyConnection]:
    """All examples as forms of one warehouse, scored."""
    con = warehouse(date(2026, 3, 10))
    for parameter in EXAMPLES:
        instrument, example, form_id = parameter.values
        assert isinstance(instrument, Instrument) and isinstance(example, Example)
        given = {**answered(example.answers), "input_form": example.input_form}
        insert(con, "valid.form", [form(instrument.id, str(form_id), **given)])
    stated = [("stated-wai", "wai_sr_c", "total", 45), ("stated-high", "phq9", "total", 28)]
    for form_id, instrument_id, scale, value in stated:
        insert(con, "valid.form", [form(instrument_id, form_id)])
        claim = {"form_id": form_id, "instrument_id": instrument_id, "scale": scale}
        insert(con, "valid.stated_score", [{**claim, "value": value, "role": "score"}])
    for unknown in (i for i in shipped().values() if not i.is_key_known):
        given = answered((Decimal(1),) * unknown.item_count)
        insert(con, "valid.form", [form(unknown.id, f"raw-{unknown.id}", **given)])
    half = {**answered((Decimal(1),) + (None,) * 8)}
    insert(con, "valid.form", [form("phq9", "half", **half)])
    claim = {"form_id": "half", "instrument_id": "phq9", "scale": "total", "value": 9}
    insert(con, "valid.stated_score", [{**claim, "role": "score"}])
    build(con, "score")
    yield con
    con.close()


@pytest.mark.parametrize(("instrument", "example", "form_id"), EXAMPLES)
def test_example_scores_as_printed(
    scored: duckdb.DuckDBPyConnection, instrument: Instrument, example: Example, form_id: str
) -> None:
    found = rows(scored, f"select * from score.scale_score where form_id = '{form_id}'")
    values = {row["scale"]: row["value"] for row in found}
    assert {scale: values[scale] for scale in example.expect} == dict(example.expect)
    assert set(values) == set(instrument.scales)
    bands = {row["scale"]: row["band"] for row in found}
    assert {scale: bands[scale] for scale in example.band} == dict(example.band)
    assert all((row["why_not"] is None) == (row["value"] is not None) for row in found)


@pytest.mark.parametrize(("instrument", "example", "form_id"), EXAMPLES)
def test_example_flags_the_risk_items_it_names(
    scored: duckdb.DuckDBPyConnection, instrument: Instrument, example: Example, form_id: str
) -> None:
    query = f"select item from score.risk_answer where is_flagged and form_id = '{form_id}'"
    if example.risk or example.expect.get(instrument.primary) == 0:
        assert sorted(row["item"] for row in rows(scored, query)) == sorted(example.risk)


@pytest.mark.parametrize(
    ("instrument", "example", "form_id"),
    [p for p in EXAMPLES if isinstance(p.values[1], Example) and p.values[1].criteria],
)
def test_example_completes_the_patterns_it_names(
    scored: duckdb.DuckDBPyConnection, instrument: Instrument, example: Example, form_id: str
) -> None:
    query = f"select criterion, is_met from score.criterion where form_id = '{form_id}'"
    assert {row["criterion"]: row["is_met"] for row in rows(scored, query)} == example.criteria
    assert set(example.criteria) == {criterion.name for criterion in instrument.criteria}


def test_missing_risk_answer_is_not_known_rather_than_harmless(
    scored: duckdb.DuckDBPyConnection,
) -> None:
    query = """
        select form_id, is_flagged from score.risk_answer
        where form_id in ('core10-9', 'phq9-3') order by form_id"""
    assert [row["is_flagged"] for row in rows(scored, query)] == [None, None]


def test_stated_total_stands_for_the_mean_of_the_same_items(
    scored: duckdb.DuckDBPyConnection,
) -> None:
    query = "select scale, value, basis from score.scale_score where form_id = 'stated-wai'"
    found = {row["scale"]: (row["value"], row["basis"]) for row in rows(scored, query)}
    assert found["mean"] == (Decimal("3.75"), "stated")
    assert found["total"] == (Decimal(45), "stated")
    assert found["goal"][0] is None


def test_stated_score_outside_the_scale_is_no_score(scored: duckdb.DuckDBPyConnection) -> None:
    query = "select value, why_not from score.scale_score where form_id = 'stated-high'"
    assert rows(scored, query) == [
        {"value": None, "why_not": "the stated score lies outside the scale"}
    ]


def test_stated_score_does_not_replace_answers_that_are_too_few(
    scored: duckdb.DuckDBPyConnection,
) -> None:
    query = "select value, why_not from score.scale_score where form_id = 'half'"
    assert rows(scored, query) == [{"value": None, "why_not": "8 of 9 items of total are missing"}]


def test_raw_answers_of_an_unknown_key_have_no_score(scored: duckdb.DuckDBPyConnection) -> None:
    query = """
        select distinct value, why_not, n_answered from score.scale_score
        where form_id in ('raw-oq30_2', 'raw-reqol10') order by n_answered"""
    why = "it is not known which items are reversed"
    assert rows(scored, query) == [
        {"value": None, "why_not": why, "n_answered": n_items} for n_items in (10, 30)
    ]


def test_instruments_have_examples_for_what_goes_wrong() -> None:
    for instrument in shipped().values():
        assert any(None in example.answers for example in instrument.examples), instrument.id
