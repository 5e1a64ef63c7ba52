"""No rule lives twice: pandera judges rows, Great Expectations judges what rows add up to."""

from datetime import date
from decimal import Decimal

import pandera.polars as pa

from schemas.expectations import expectations
from schemas.finding_rules import finding_rules
from schemas.tables import Bounds, appointment_schema, episode_schema, form_schema

LOW, HIGH = Decimal(0), Decimal(3)
BOUNDS = Bounds(date(1990, 1, 1), date(2026, 11, 22), LOW, HIGH, ((LOW, HIGH),) * 3)
SCHEMAS = (form_schema(BOUNDS, 3), appointment_schema(BOUNDS), episode_schema(BOUNDS))


def row_rules(schema: pa.DataFrameSchema) -> set[str]:
    checks = [
        *(schema.checks or ()),
        *(c for column in schema.columns.values() for c in column.checks or ()),
    ]
    return {str(check.error) for check in checks}


def test_no_rule_of_rows_is_also_one_of_tables() -> None:
    of_rows = set.union(*map(row_rules, SCHEMAS))
    assert {"answer-out-of-range", "end-before-start"} <= of_rows
    ids = [rule.id for rule in expectations()]
    assert len(ids) == len(set(ids))
    assert not set(ids) & of_rows
    assert not set(ids) & set(finding_rules())


def test_no_column_of_rows_is_judged_as_one_of_tables() -> None:
    of_rows = {name for schema in SCHEMAS for name in schema.columns}
    assert {"patient", "lowest", "status", "end_on"} <= of_rows
    assert not {column for rule in expectations() for column in rule.columns} & of_rows


def test_what_is_said_has_no_place_for_anything_but_the_number_and_its_bound() -> None:
    for rule in expectations():
        assert rule.message.count("{") == 2, rule.id
        assert "{observed}" in rule.message and "{bound}" in rule.message, rule.id
        for text in (rule.title, rule.not_applicable, rule.what_to_do, rule.source):
            assert text and "{" not in text, rule.id
