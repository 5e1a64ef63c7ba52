"""Scores that an export states without their answers are held against the range of their own scale."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schemas.export_format import Mapping
from tests.reading.conftest import Read, phq_mapping

Reader = Callable[..., Read]
HEADER = "patient,therapist,session,date,first,second"


def stated(instrument: str, **scores: str) -> Mapping:
    form = {"instrument": instrument, "respondent": "patient", "scores": scores}
    return phq_mapping(form=[form])


def lines(*cells: str) -> str:
    rows = [f"p{n},t1,1,2026-03-0{n},{cell}" for n, cell in enumerate(cells, start=1)]
    return "\n".join([HEADER, *rows, ""])


@pytest.mark.parametrize(
    ("score", "is_used"), [("0", True), ("27", True), ("28", False), ("-1", False)]
)
def test_a_total_outside_its_range_is_refused_with_its_line(
    read: Reader, score: str, is_used: bool
) -> None:
    result = read(lines(f"{score},"), mapping=stated("PHQ-9", total="first"))
    assert result.forms == int(is_used)
    assert result.at("score-out-of-range") == ([] if is_used else [(2, "first")])


def test_each_stated_score_has_the_range_of_its_scale(read: Reader) -> None:
    mapping = stated("WAI-SR", mean="first", total="second")
    result = read(lines("3.9,46.8", "5.1,46.8", "3.9,61", "46.8,46.8"), mapping=mapping)
    assert result.forms == 1
    assert result.at("score-out-of-range") == [(3, "first"), (4, "second"), (5, "first")]
    messages = result.reading.findings["message"].to_list()
    assert "The stated score lies outside 1 to 5; the form is not used" in messages
    assert "The stated score lies outside 12 to 60; the form is not used" in messages


def test_an_instrument_without_a_total_has_ranges_too(read: Reader) -> None:
    mapping = stated("CORE-OM", clinical_score="first")
    result = read(lines("40,", "41,"), mapping=mapping)
    assert (result.forms, result.at("score-out-of-range")) == (1, [(3, "first")])
