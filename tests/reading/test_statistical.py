"""Files of statistics programs: values as text, missing codes kept, undeclared ones told."""

from __future__ import annotations

import csv
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest

from flows.errors import FileRefused
from flows.reading import statistical
from flows.reading.export import Export
from flows.reading.finding import Findings
from schemas.export_format import Mapping, Source
from tests.reading.conftest import HEADER, SAMPLES, Read, phq_mapping, read_paths

REAL = SAMPLES / "pyreadstat"
NAMES = HEADER.split(",")
WRITE: dict[str, Any] = {
    "sav": pyreadstat.write_sav,
    "dta": pyreadstat.write_dta,
    "xpt": pyreadstat.write_xport,
}


def source(form: str, **changes: Any) -> Source:
    return phq_mapping(read__format=form, **changes).source[0]


def texts(path: Path, form: str, **changes: Any) -> tuple[pl.DataFrame, Findings]:
    """The records of a file as text, under their header names."""
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        (prepared,) = statistical.prepare(
            Export(path, source(form, **changes), Path(folder), findings)
        )
        table = prepared.table
        with table.path.open(encoding="utf-8", newline="") as held:
            rows = list(csv.reader(held))
    frame = pl.DataFrame(rows, schema=list(table.columns), orient="row")
    assert table.lines.tolist() == list(range(1, frame.height + 1))
    return frame, findings


@pytest.mark.parametrize("name", ["sample.sav", "sample.zsav", "sample.dta", "sample.xpt"])
def test_a_real_file_is_the_same_in_every_kind(name: str) -> None:
    form = {"zsav": "sav"}.get(name.split(".")[1], name.split(".")[1])
    frame, _ = texts(REAL / name, form)
    assert [c.lower() for c in frame.columns] == [
        "mychar", "mynum", "mydate", "dtime", "mylabl", "myord", "mytime",
    ]  # fmt: skip
    assert frame.row(1) == ("b", "1.2", "1880-05-06", "1880-05-06 10:10:10", "2", "2", "23:10:10")
    assert frame.row(2)[1:4] == ("-1000.3", "1960-01-01", "1960-01-01 00:00:00")
    assert frame.row(4)[:2] == ("e", "1000.3")
    assert frame.row(4)[2:4] == ("", "")


def test_a_transport_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.xpt").write_bytes((REAL / "sample.xpt").read_bytes()[:-60])
    with pytest.raises(FileRefused, match="not-a-data-file"):
        texts(tmp_path / "cut.xpt", "xpt")


def test_codes_that_the_file_declares_missing_stay_text_and_are_told() -> None:
    frame, findings = texts(REAL / "sample_missing.sav", "sav", missing={"-1": "a", "": "b"})
    assert frame["myord"].to_list()[-2:] == ["-1", "-3"]
    told = findings.frame().select("rule", "line", "column_name").rows()
    assert told == [("missing-undeclared", 7, "mynum"), ("missing-undeclared", 7, "myord")]


def test_words_may_be_declared_missing_too() -> None:
    frame, findings = texts(REAL / "missing_char.sav", "sav")
    assert frame["mychar"].to_list() == ["Z", "a"]
    assert findings.frame()["rule"].to_list() == ["missing-undeclared"]
    assert texts(REAL / "missing_char.sav", "sav", missing={"Z": "left out"})[1].frame().is_empty()


def test_missing_letters_of_stata_are_written_with_their_point() -> None:
    frame, findings = texts(REAL / "missing_test.dta", "dta", missing={".a": "x", ".b": "y"})
    assert frame.row(0) == (".a", ".b", ".c", ".x", ".y", ".z", "", "", "1")
    assert findings.frame()["column_name"].to_list() == ["var3", "var4", "var5", "var6"]


def test_names_and_old_dates_of_real_files() -> None:
    assert texts(REAL / "hebrews.sav", "sav")[0].columns == ["ותק_ב"]
    frame, _ = texts(REAL / "simple_alltypes.sav", "sav")
    assert frame["y"].to_list()[3] == "1776-07-04"


def forms(n: int) -> pl.DataFrame:
    answers = {f"q{i}": [float((k + i) % 4) for k in range(n)] for i in range(1, 10)}
    return pl.DataFrame(
        {
            "patient": [f"{k:04}" for k in range(n)],
            "therapist": ["t1"] * n,
            "session": [float(k % 30) for k in range(n)],
            "date": [date(2026, 3, 1)] * n,
            **answers,
        }
    )


def by(form: str, **changes: Any) -> Mapping:
    return phq_mapping(read__format=form, **changes)


@pytest.mark.parametrize("form", WRITE)
def test_batches_leave_nothing_out(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"d.{form}"
    WRITE[form](forms(100), str(path))
    whole = read_paths([path], by(form))
    for cells in (13 * 33, 13 * 50):
        monkeypatch.setattr(statistical, "BATCH_CELLS", cells)
        assert read_paths([path], by(form)).rows.equals(whole.rows)
    assert whole.rows.height == 900


def test_findings_name_the_case(tmp_path: Path) -> None:
    path = tmp_path / "d.sav"
    WRITE["sav"](forms(5).with_columns(q3=pl.Series([0.0, 1.0, 7.0, 2.0, 3.0])), str(path))
    result = Read(read_paths([path], by("sav")))
    assert result.at("answer-out-of-range") == [(3, "q3")]
    assert result.forms == 4


def test_a_file_that_swells_beyond_belief_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.sav"
    empty = pl.DataFrame({f"x{n}": [0.0] * 200_000 for n in range(60)})
    WRITE["sav"](empty, str(path), compress=True)
    assert path.stat().st_size < 1_000_000
    assert Read(read_paths([path], by("sav"))).rules() == {"archive-too-large"}


@pytest.mark.parametrize("form", WRITE)
@pytest.mark.parametrize("content", [b"", b"$FL2@(#) SPSS", b"\x00" * 5000, b"patient,date\n"])
def test_what_is_no_such_file_is_refused(form: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_bytes(content)
    assert Read(read_paths([path], by(form))).rules() <= {"not-a-data-file", "file-empty"}
    with pytest.raises(FileRefused):
        texts(path, form)


@pytest.mark.parametrize("how", [{}, {"row_compress": True}, {"compress": True}])
def test_a_file_of_more_cases_than_it_states_is_refused(
    how: dict[str, bool], tmp_path: Path
) -> None:
    path = tmp_path / "d"
    pyreadstat.write_sav(forms(50), str(path), **how)
    whole = path.read_bytes()
    assert Read(read_paths([path], by("sav"))).forms == 50
    for stated in (49, 1):
        path.write_bytes(whole[:80] + stated.to_bytes(4, "little") + whole[84:])
        assert Read(read_paths([path], by("sav"))).rules() == {"not-a-data-file"}


@pytest.mark.parametrize("form", ["sav", "dta"])
def test_a_file_that_was_cut_off_is_refused(form: str, tmp_path: Path) -> None:
    path = tmp_path / "d"
    WRITE[form](forms(2000), str(path))
    path.write_bytes(path.read_bytes()[:-20_000])
    assert Read(read_paths([path], by(form))).rules("reject") == {"not-a-data-file"}
