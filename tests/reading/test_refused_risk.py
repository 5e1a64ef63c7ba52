"""Refused rows that answer a risk item are pointed to by line and column, and never by value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.reading.delivery import DeliveryRules, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, REGISTRY, phq_mapping, row
from tests.reading.test_reshape import long_lines, long_mapping, text, wide_mapping

FORM: dict[str, Any] = {
    "instrument": "PHQ-9",
    "respondent": "patient",
    "items": {"columns": "q{}", "count": 9},
}


def pointers(
    folder: Path, content: str, mapping: Mapping, **instruments: Any
) -> list[tuple[int, str]]:
    path = folder / "forms.csv"
    path.write_text(content, encoding="utf-8")
    rules = DeliveryRules(mapping, REGISTRY | instruments, date(1990, 1, 1), date(2026, 11, 22))
    with duckdb.connect() as con:
        Pseudonyms(None, "test").install(con)
        reading = read_delivery(con, path, rules, folder, "d0").reading
    found = reading.refused_risks().frame()
    assert set(found["rule"]) <= {"risk-refused"}
    assert not reading.findings.frame()["rule"].is_in(["risk-refused"]).any()
    return found.select("line", "column_name").rows()


@pytest.mark.parametrize(
    ("answers", "is_pointed_to"),
    [
        ("7,0,0,0,0,0,0,0,1", True),
        ("7,0,0,0,0,0,0,0,0", False),
        ("7,0,0,0,0,0,0,0,", False),
        ("7,0,0,0,0,0,0,0,-9", False),
        ("0,0,0,0,0,0,0,0,yes", True),
        ("0,0,0,0,0,0,0,0,7", True),
        ("0,0,0,0,0,0,0,0,3", False),  # not refused: it stands among the risk answers
    ],
)
def test_the_answer_decides_and_not_the_reason_of_refusal(
    tmp_path: Path, answers: str, is_pointed_to: bool
) -> None:
    content = "\n".join([HEADER, row(), row("p2", answers=answers), ""])
    found = pointers(tmp_path, content, phq_mapping())
    assert found == ([(3, "q9")] if is_pointed_to else [])


def test_a_row_without_patient_or_day_is_evaluated_too(tmp_path: Path) -> None:
    risky = "0,0,0,0,0,0,0,0,2"
    lines = [row("", answers=risky), row("p2", day="31.02.2026", answers=risky)]
    assert pointers(tmp_path, "\n".join([HEADER, *lines, ""]), phq_mapping()) == [
        (2, "q9"),
        (3, "q9"),
    ]


def test_a_row_that_is_held_is_evaluated_too(tmp_path: Path) -> None:
    therapist = {"column": "therapist", "lookup": {"t9": "a"}}
    content = "\n".join([HEADER, row(answers="0,0,0,0,0,0,0,0,2"), ""])
    assert pointers(tmp_path, content, phq_mapping(fields__therapist=therapist)) == [(2, "q9")]


def test_of_long_data_the_line_of_the_item_is_named(tmp_path: Path) -> None:
    content = text(*long_lines("p1", "7,0,0,0,0,0,0,0,2"))
    assert [line for line, _ in pointers(tmp_path, content, long_mapping())] == [10]


def test_answers_that_were_turned_already_are_turned_back(tmp_path: Path) -> None:
    phq9 = replace(REGISTRY["phq9"], reversed=frozenset({9}))
    lines = [row(answers="7,0,0,0,0,0,0,0,3"), row("p2", answers="7,0,0,0,0,0,0,0,0")]
    content = "\n".join([HEADER, *lines, ""])
    turned = phq_mapping(form=[{**FORM, "reversed": "already"}])
    assert pointers(tmp_path, content, turned, phq9=phq9) == [(3, "q9")]
    raw = phq_mapping(form=[{**FORM, "reversed": "raw"}])
    assert pointers(tmp_path, content, raw, phq9=phq9) == [(2, "q9")]


def test_with_a_column_for_each_session_that_column_is_named(tmp_path: Path) -> None:
    items = {f"q{n}": ["PHQ-9", n] for n in range(1, 10)}
    wide = {"columns": "{form}_{time}", "forms": items, "times": {r"s(\d)": r"\1"}}
    names = [f"{name}_s{session}" for session in (1, 2) for name in ("date", *items)]
    cells = ["2026-03-01", *"000000000", "2026-03-08", *"700000001"]
    content = "\n".join(
        [",".join(["patient", "therapist", *names]), ",".join(["p1", "t1", *cells])]
    )
    mapping = wide_mapping(wide={**wide, "carry": ["date"]})
    assert pointers(tmp_path, f"{content}\n", mapping) == [(2, "q9_s2")]
