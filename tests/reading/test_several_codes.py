"""Several code tables: the items of one form from more than one, and one questionnaire of two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import Read, phq_mapping

Reader = Callable[..., Read]
HEAD = "patient,therapist,session,date,kind,code,first,second"
ANSWERS = [1, 2, 0, 3, 1, 2, 0, 1, 2]


def code(which: str, value: str, items: range, **more: Any) -> dict[str, Any]:
    return {
        "column": "code", "value": value, "when": {"column": "kind", "matches": which},
        "map": {f"q{n}": ["PHQ-9", n, 0, 3] for n in items}, **more,
    }  # fmt: skip


def lines(cells: Callable[[int, int], str]) -> str:
    told = [f"p1,t1,1,2026-03-01,{cells(n, a)}" for n, a in enumerate(ANSWERS, start=1)]
    return "\n".join([HEAD, *told, ""])


def test_items_of_one_form_may_come_from_two_tables(read: Reader) -> None:
    text = lines(lambda n, a: f"A,q{n},{a}," if n < 6 else f"B,q{n},,{a}")
    codes = [code("A", "first", range(1, 6)), code("B", "second", range(6, 10))]
    result = read(text, mapping=phq_mapping(form=[], code=codes))
    assert [int(row[8]) for row in result.rows] == ANSWERS
    assert result.forms == 1
    assert result.rules() == set()
    wrong = read(text.replace("B,q9,,2", "B,q9,,4"), mapping=phq_mapping(form=[], code=codes))
    assert wrong.rows == []
    assert wrong.at("code-out-of-range") == [(10, "second")]


def test_two_people_answer_the_same_codes_each_in_a_table(read: Reader) -> None:
    text = lines(lambda n, a: f"P,q{n},{a},")
    text += "".join(f"p1,t1,1,2026-03-01,T,q{n},3,\n" for n in range(1, 10))
    codes = [
        code("P", "first", range(1, 10)),
        code("T", "first", range(1, 10), respondent="therapist"),
    ]
    rows = read(text, mapping=phq_mapping(form=[], code=codes)).rows
    assert [int(row[8]) for row in rows if row[6] == "patient"] == ANSWERS
    assert [int(row[8]) for row in rows if row[6] == "therapist"] == [3] * 9


def test_a_gap_that_no_table_fills_is_a_fault_with_its_reason() -> None:
    codes = [code("A", "first", range(1, 6)), code("B", "second", range(7, 10))]
    with pytest.raises(MappingFaults, match="PHQ-9 lacks item 6"):
        phq_mapping(form=[], code=codes)
    codes = [code("A", "first", range(1, 6)), code("B", "second", range(6, 10), reversed="already")]
    with pytest.raises(MappingFaults, match="same respondent, values and reversed"):
        phq_mapping(form=[], code=codes)
