"""Which of several records with one key counts: conflicts, and the order of versions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from tests.reading.conftest import HEADER, REGISTRY, Read, phq_mapping, row

Reader = Callable[..., Read]
KEYED = {"key": ["patient"], "version": "stamp"}
ANSWERS = {"A": "1,1,1,1,1,1,1,1,1", "B": "2,2,2,2,2,2,2,2,2", "C": "3,3,3,3,3,3,3,3,3"}


def export(*records: str) -> str:
    """Records of one patient: a letter for the content, then the version."""
    lines = [f"{row(answers=ANSWERS[record[0]])},{record[1:]}" for record in records]
    return "\n".join([f"{HEADER},stamp", *lines, ""])


def content(result: Read) -> str:
    values = {"1": "A", "2": "B", "3": "C"}
    return "".join(values[r[8]] for r in result.rows[::9])


def outcomes(*texts: str, **changes: Any) -> list[dict[str, int]]:
    """Read and merge files in order; the forms' outcomes of each."""
    mapping = phq_mapping(**changes)
    con = duckdb.connect()
    Pseudonyms(None, "test").install(con)
    rules = DeliveryRules(mapping, REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
    state, found = open_state(with_text=False), []
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            path = Path(folder) / f"file{number}.csv"
            path.write_text(text, encoding="utf-8")
            task = read_delivery(con, path, rules, Path(folder), f"d{number}")
            counts = merge_file(con, task, state, f"d{number}", date(2026, 12, 31), rules)
            found.append({outcome: n for outcome, n in counts["form"].items() if n})
            assert task.reading.found["form"] == sum(counts["form"].values())
    con.close()
    return found


@pytest.mark.parametrize("between", [["A5"], ["A5", "A5"], ["A4", "A5"], ["A2", "A5", "A3"]])
def test_the_same_content_under_a_higher_version_outranks_what_lies_between(
    read: Reader, between: list[str]
) -> None:
    mapping = phq_mapping(**KEYED)
    assert content(read(export("A1"), export(*between), export("B3"), mapping=mapping)) == "A"
    assert content(read(export("A1"), export(*between), export("B6"), mapping=mapping)) == "B"


def test_a_raised_version_counts_as_unchanged() -> None:
    assert outcomes(export("A1"), export("A5"), export("B3"), **KEYED) == [
        {"new": 1},
        {"unchanged": 1},
        {"unchanged": 1},
    ]


@pytest.mark.parametrize(
    ("records", "lines", "left"),
    [
        (["A1", "B1"], [2, 3], ""),
        (["A1", "A1", "B1"], [2, 3, 4], ""),
        (["A1", "B1", "A1"], [2, 3, 4], ""),
        (["A1", "B1", "C2"], [2, 3], "C"),
        (["A1", "B1", "B2"], [2, 3], "B"),
        (["C3", "B2", "A2"], [3, 4], "C"),
        (["A1", "A1", "B2"], [], "B"),
    ],
)
def test_one_key_and_version_with_two_contents_rejects_all_of_them(
    read: Reader, records: list[str], lines: list[int], left: str
) -> None:
    result = read(export(*records), mapping=phq_mapping(**KEYED))
    assert [line for line, _ in result.at("key-conflict")] == lines
    assert content(result) == left


def test_what_survives_a_conflict_is_new_not_superseding() -> None:
    assert outcomes(export("A1", "B1", "C2"), **KEYED) == [{"new": 1, "rejected": 2}]
    assert outcomes(export("A1", "B1", "B2"), **KEYED) == [{"new": 1, "rejected": 2}]


@pytest.mark.parametrize("later", [["B1"], ["B1", "B1"]])
def test_a_later_file_in_conflict_with_the_stored_row_is_rejected(
    read: Reader, later: list[str]
) -> None:
    result = read(export("A1"), export(*later), mapping=phq_mapping(**KEYED))
    assert content(result) == "A"
    assert len(result.at("key-conflict-stored")) == len(later)
    assert "key-conflict" not in result.rules()


def test_a_conflict_with_the_stored_row_does_not_hide_a_newer_version(read: Reader) -> None:
    result = read(export("A1"), export("B1", "C2"), mapping=phq_mapping(**KEYED))
    assert content(result) == "C"


def test_several_older_versions_in_a_later_file_change_nothing(read: Reader) -> None:
    result = read(export("A5"), export("B3", "C4"), mapping=phq_mapping(**KEYED))
    assert content(result) == "A"
    assert outcomes(export("A5"), export("B3", "C4"), **KEYED)[1] == {"unchanged": 2}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("9", "10"),
        ("9.5", "10.5"),
        ("9.05", "9.5"),
        ("9", "9.5"),
        ("99999999999999999", "100000000000000000"),
        ("2025-12-31", "2026-01-02"),
        ("2026-03-01T10:00:00", "2026-03-01 10:00:01"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T09:00:00Z"),
        ("2026-03-01T09:59+01:00", "2026-03-01T09:00Z"),
        ("2026-03-01T09:30:00", "2026-03-01T09:00:00Z"),
        ("2026-03-01T08:30:00Z", "2026-03-01T10:00:00"),
    ],
)
def test_versions_are_compared_as_numbers_or_as_instants(
    read: Reader, older: str, newer: str
) -> None:
    mapping = phq_mapping(**KEYED)
    for texts in [("A" + older, "B" + newer), ("B" + newer, "A" + older)]:
        assert content(read(*(export(text) for text in texts), mapping=mapping)) == "B"
        assert content(read(export(*texts), mapping=mapping)) == "B"


def test_a_decimal_version_follows_the_declared_mark(read: Reader) -> None:
    mapping = phq_mapping(**KEYED, read__delimiter=";", read__decimal=",")
    text = [export(record).replace(",", ";").replace(".", ",") for record in ("A10.5", "B9.5")]
    assert content(read(*text, mapping=mapping)) == "A"


@pytest.mark.parametrize(
    "version",
    ["-1", "+1", "1e3", "02.01.2026", "1" * 19, "today", "2026-02-30", "2026-01-01T24:00", "v2", "epoch"],
)  # fmt: skip
def test_a_version_without_a_known_order_is_refused(read: Reader, version: str) -> None:
    result = read(export("A" + version), mapping=phq_mapping(**KEYED))
    assert result.at("version-unreadable") == [(2, "stamp")]
    assert result.rows == []


@pytest.mark.parametrize("version", ["", " "])
def test_a_blank_version_is_missing(read: Reader, version: str) -> None:
    result = read(export("A" + version), mapping=phq_mapping(**KEYED))
    assert result.at("version-missing") == [(2, "stamp")]


def test_numbers_and_dates_in_one_version_column_refuse_the_file(read: Reader) -> None:
    result = read(export("A1", "B2", "C2026-01-01"), mapping=phq_mapping(**KEYED))
    assert result.rows == []
    assert result.at("version-mixed") == [(4, "stamp")]


def test_a_stored_row_without_rows_of_its_key_is_left_alone(read: Reader) -> None:
    first = "\n".join([HEADER, row("a"), row("b"), ""])
    second = "\n".join([HEADER, row("b", answers=ANSWERS["C"]), row("b"), ""])
    result = read(first, second, mapping=phq_mapping(key=["patient"]))
    assert {r[1] for r in result.rows} == {"a", "b"}
    assert len(result.rows) == 18
