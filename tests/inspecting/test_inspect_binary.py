"""`rapport inspect` on workbooks and statistics files: what is shown, and drafts that read them."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from flows.errors import RapportError
from flows.inspecting.report import inspect_file
from schemas.export_format import read_mapping
from tests.reading.conftest import REGISTRY, SAMPLES, read_paths
from tests.reading.test_samples import canonical, expected

CANARY = "Canary Cornelia"
NAMES = [
    "Pat.-Nr.", "Name", "Behandler", "Sitzung", "Datum", *[f"PHQ9_{n:02}" for n in range(1, 10)],
    "PHQ Summe", *[f"GAD7_{n}" for n in range(1, 8)], "Bemerkung",
]  # fmt: skip


def said(path: Path, target: Path | None = None) -> str:
    return "\n".join(inspect_file(path, REGISTRY, None, target))


def german_workbook(folder: Path) -> Path:
    """Two months of a practice under title rows, and a legend."""
    path = folder / "praxis_2026-11.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        for month in (10, 11):
            sheet = book.add_worksheet(f"Monat {month}")
            sheet.write(0, 0, "Praxis")
            sheet.write_row(3, 0, NAMES)
            for row in range(20):
                answers = [(row + n) % 4 for n in range(9)]
                at = 4 + row
                sheet.write_row(at, 0, [f"{row:05}", CANARY, "K. Wei\u00df", month - 9])
                sheet.write_datetime(at, 4, datetime(2026, month, 1 + row), day)
                sheet.write_row(at, 5, [*answers, sum(answers), *answers[:7], CANARY])
        book.add_worksheet("Legende").write(0, 0, "0 = gar nicht")
        hidden = book.add_worksheet("Alt")
        hidden.write_row(0, 0, NAMES)
        hidden.hide()
    return path


def test_a_draft_reads_a_german_workbook_with_title_rows(tmp_path: Path) -> None:
    path, target = german_workbook(tmp_path), tmp_path / "praxis.toml"
    text = said(path, target)
    assert "format: xlsx" in text
    assert "sheets: Monat 10, Monat 11, Legende (other columns)" in text
    assert "0 lines to fill in" in text
    assert CANARY not in text + target.read_text()
    reading = read_paths([path], read_mapping(target))
    assert reading.rows.height == 2 * 20 * (9 + 7)
    assert reading.findings.filter(pl.col("severity") == "reject").is_empty()
    assert {"2026-10-01", "2026-11-20"} <= set(reading.rows["answered_at"])


def test_a_draft_reads_a_statistics_file(tmp_path: Path) -> None:
    path, target = SAMPLES / "mess" / "sp01_phq9.sav", tmp_path / "sp01.toml"
    assert "format: sav" in said(path, target)
    text = target.read_text()
    assert "encoding" not in text
    assert "header" not in text
    # The codes that the file declares missing stand there to be looked at.
    assert '"-9" = ' in text
    reading = read_paths([path], read_mapping(target))
    wanted = {(r[1], r[5], r[7], r[8]) for r in expected("sp01_phq9.sav.csv")}
    assert {(r[1], r[5], r[7], r[8]) for r in canonical(reading.rows)} == wanted


@pytest.mark.parametrize("name", ["sample.sav", "sample.zsav", "sample.dta", "sample.xpt"])
def test_statistics_files_are_known_by_their_first_bytes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "without_ending"
    path.write_bytes((SAMPLES / "pyreadstat" / name).read_bytes())
    assert f"format: {name.rpartition('.')[2].replace('zsav', 'sav')}" in said(path)


def test_an_archive_of_tables_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "tables.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("IDS101.csv", "a,b\n1,2\n")
        archive.writestr("IDS201.csv", "a,b\n1,2\n")
    with pytest.raises(RapportError, match=r"archive of 2 files: IDS101\.csv, IDS201\.csv"):
        said(path)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"$FL2@(#)", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_damaged_file_is_told_in_a_sentence(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(start + bytes(range(256)) * 4)
    with pytest.raises(RapportError, match="damaged"):
        said(path)
