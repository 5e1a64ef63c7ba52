"""Corrections of cells in workbooks of several sheets and archives of several tables."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.errors import CorrectionError
from flows.reading.correct import Numbered
from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.correction import Correction
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, REGISTRY, phq_mapping, row
from tests.reading.test_tables import APPOINTMENT, TABLES, mapping, packed
from tests.reading.test_workbooks import NAMES, book, by, record

KIND = {"file": "0" * 64, "reason": "typed twice", "by": "operations"}
Told = tuple[int | None, str | None, str]


def corrected(
    path: Path, by: Mapping, *entries: dict[str, Any]
) -> tuple[list[tuple[Any, ...]], list[Told]]:
    """First answers by patient and line, and where cells were replaced."""
    numbered = [Numbered(n, Correction(**KIND, **e)) for n, e in enumerate(entries, start=1)]
    rules = DeliveryRules(by, REGISTRY, date(1990, 1, 1), None)
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as con:
        Pseudonyms(None, "test").install(con)
        task = read_delivery(con, path, rules, Path(scratch), "d0", corrections=numbered)
        merge_file(con, task, open_state(with_text=False), "d0", date(2026, 12, 31), rules)
        rows = con.execute(
            "select patient_id, answers[1]::integer from form_version order by all"
        ).fetchall()
    found = task.reading.findings.frame().rows(named=True)
    told = [f for f in found if f["rule"] == "cell-corrected"]
    return rows, [(f["line"], f["column_name"], f["message"]) for f in told]


def test_a_cell_of_one_of_several_sheets(tmp_path: Path) -> None:
    sheets = {"A": [NAMES, record("a")], "B": [NAMES, record("b")]}
    path, named = book(tmp_path / "b.xlsx", sheets), by(read__sheets=["A", "B"])
    cell = {"line": 2, "column": "q1", "old": "1", "new": "3"}
    before, _ = corrected(path, named)
    rows, told = corrected(path, named, {**cell, "part": "sheet B"})
    assert [patient for patient, _ in rows] == ["a", "b"]
    assert [new for new in rows if new not in before] == [("b", 3)]
    assert [(line, column) for line, column, _ in told] == [(2, "q1")]
    assert told[0][2].endswith("(sheet B)")
    for part in ({}, {"part": "sheet C"}):
        with pytest.raises(CorrectionError, match='has to be one of "sheet A", "sheet B"'):
            corrected(path, named, {**cell, **part})
    rows, _ = corrected(path, by(read__sheets=["A"]), cell)
    assert rows == [("a", 3)]


def test_cells_of_tables_that_are_joined(tmp_path: Path) -> None:
    path, joined = packed(tmp_path, TABLES), mapping(appointment=APPOINTMENT)
    answer = {"part": "table SCORE607.csv", "line": 2, "column": "q1", "old": "1", "new": "3"}
    above = {"part": "table REF101.csv", "line": 2, "column": "PatientId", "old": "p1", "new": "p9"}
    rows, told = corrected(path, joined, answer, above)
    assert rows == [("p9", 0), ("p9", 3)]
    assert {(line, column) for line, column, _ in told} == {(2, "PatientId"), (2, "q1")}
    assert {part.rpartition("(")[2] for *_, part in told} == {
        "table REF101.csv)",
        "table SCORE607.csv)",
    }
    with pytest.raises(CorrectionError, match="does not hold what `old` says"):
        corrected(path, joined, {**answer, "old": "0"})
    with pytest.raises(CorrectionError, match='has to be one of "table SCORE607.csv"'):
        corrected(path, joined, {key: answer[key] for key in answer if key != "part"})


def test_a_part_of_a_file_that_has_none(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text(f"{HEADER}\n{row()}\n")
    cell = {"part": "sheet 1", "line": 2, "column": "q1", "old": "1", "new": "3"}
    with pytest.raises(CorrectionError, match="leave out `part`"):
        corrected(tmp_path / "plain.csv", phq_mapping(), cell)
