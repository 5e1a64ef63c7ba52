"""Files as products write them: recognised, drafted, and read once the guesses are confirmed."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from typer.testing import CliRunner

from flows.cli import app
from flows.inspecting.look import look_at
from flows.inspecting.report import inspect_file
from schemas.export_format import read_mapping
from tests.reading.conftest import REGISTRY, SAMPLES, read_paths
from tests.reading.test_grammar import IAPT_TABLES

PRODUCTS = SAMPLES / "products"
# Where only labels tell which columns belong together, more than two answers must have been seen.
MORE = {"ms_forms.xlsx": {("P3", "2026-03-16"): ["0", "0", "1", "1", "2", "2", "3"]}}
# Two patients fill in a GAD-7 once; every product's sample holds the same answers.
ANSWERS: dict[tuple[str, str], Sequence[str | None]] = {
    ("P1", "2026-03-02"): ["0", "1", "2", "3", "0", "1", "2"],
    ("P2", "2026-03-09"): ["3", "2", "1", "0", "3", "2", None],
}
LABELS = {
    f'"{label}" = "FILL IN"': f'"{label}" = {n}'
    for n, label in enumerate(("never", "sometimes", "often", "always"))
}
CODES = {f'"A{n + 1}" = "FILL IN"': f'"A{n + 1}" = {n}' for n in range(4)}
# What a person confirms in the draft: its own words and what is put there. No other line is touched.
CONFIRMED: dict[str, dict[str, str]] = {
    "castor.csv": {}, "formr.json": {}, "google_forms.csv": LABELS, "limesurvey.csv": CODES,
    "limesurvey_vv.csv": {}, "ms_forms.xlsx": LABELS, "qualtrics_legacy.csv": {}, "redcap_eav.csv": {},
    "sosci.csv": {}, "surveymonkey.csv": LABELS,
}  # fmt: skip


def answers_of(name: str) -> dict[tuple[str, str], Sequence[str | None]]:
    return {**ANSWERS, **MORE.get(name, {})}


def product_file(name: str, folder: Path) -> Path:
    if name != "ms_forms.xlsx":
        return PRODUCTS / name
    labels = {str(n): label for n, label in enumerate(("never", "sometimes", "often", "always"))}
    path = folder / name
    with xlsxwriter.Workbook(str(path)) as book:
        sheet, stamp = (
            book.add_worksheet("Sheet1"),
            book.add_format({"num_format": "m/d/yy h:mm:ss"}),
        )
        parts = [f"part {n}" for n in ("one", "two", "three", "four", "five", "six", "seven")]
        system = ["ID", "Start time", "Completion time", "Email", "Name", "Patient code"]
        sheet.write_row(0, 0, [*system, *parts, "Anything else?"])
        for row, ((patient, day), answers) in enumerate(answers_of(name).items(), start=1):
            ended = datetime.fromisoformat(f"{day}T19:05:00")
            sheet.write_row(row, 0, [row, None, None, "anonymous", "", patient])
            sheet.write_datetime(row, 1, ended.replace(hour=18), stamp)
            sheet.write_datetime(row, 2, ended, stamp)
            sheet.write_row(row, 6, [labels.get(answer or "", "") for answer in answers])
    return path


def drafted(path: Path, folder: Path, confirmed: dict[str, str]) -> Path:
    """The draft of a file's mapping with what a person confirms of it."""
    target = folder / "clinic.toml"
    inspect_file(path, REGISTRY, None, target)
    text = target.read_text()
    for guessed, wanted in confirmed.items():
        assert guessed in text, guessed
        text = text.replace(guessed, wanted)
    target.write_text(text)
    return target


@pytest.mark.parametrize("name", CONFIRMED)
def test_a_confirmed_draft_reads_the_products_file(name: str, tmp_path: Path) -> None:
    path = product_file(name, tmp_path)
    assert look_at(path).preset == path.stem
    target = drafted(path, tmp_path, CONFIRMED[name])
    assert "FILL IN" not in "".join(
        line for line in target.read_text().splitlines() if line[0] != "#"
    ).replace("# FILL IN", "")
    reading = read_paths([path], read_mapping(target))
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in reading.rows.iter_rows(named=True):
        assert (row["instrument"], row["respondent"]) == ("GAD-7", "patient")
        found.setdefault((row["patient_id"], row["answered_at"][:10]), []).append(row["value"])
    assert found == answers_of(name)
    refused = reading.findings.filter(pl.col("severity") == "reject")
    assert refused.is_empty(), refused.to_dicts()
    assert "column-unexpected" not in set(reading.findings["rule"])
    told = CliRunner().invoke(app, ["check", str(path), "--mapping", str(target)])
    assert told.exit_code == 0, told.output


def test_ratings_of_openfit_with_their_totals(tmp_path: Path) -> None:
    path = PRODUCTS / "openfit.csv"
    rows = read_paths([path], read_mapping(drafted(path, tmp_path, {}))).rows
    found = [
        (*keys, group["value"].to_list())
        for keys, group in rows.group_by(
            "instrument", "session_no", "therapist_id", maintain_order=True
        )
    ]
    assert found == [
        ("ORS", "1", "T1", ["3.2", "4.1", "5", "2.7"]),
        ("SRS", "1", "T1", ["9.1", "8.8", "9", "9.3"]),
        ("SRS", "2", "T1", ["8.5", "9", "8.8", "9.2"]),
    ]


def test_an_archive_of_talking_therapies_tables_is_joined_by_its_draft(tmp_path: Path) -> None:
    path = tmp_path / "iapt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in IAPT_TABLES.items():
            archive.writestr(name, content)
    target = drafted(path, tmp_path, {})
    assert "looks like: iapt_tables" in "\n".join(inspect_file(path, REGISTRY, None, None))
    reading = read_paths([path], read_mapping(target))
    assert reading.rows.select("patient_id", "instrument", "value", "answered_at").rows() == [
        ("L1", "PHQ-9", "12", "2026-03-01"),
        ("L1", "GAD-7", "9", "2026-03-01"),
        ("L1", "PHQ-9", "3", "2026-03-08"),
        ("L3", "GAD-7", "0", "2026-03-12"),
    ]


def test_the_sample_of_sosci_is_utf_16_and_holds_a_test_run_that_is_left_out() -> None:
    raw = (PRODUCTS / "sosci.csv").read_bytes()
    assert raw.startswith(b"\xff\xfe")
    assert '"admin"' in raw.decode("utf-16")


def test_no_answer_or_id_of_a_product_file_is_told(tmp_path: Path) -> None:
    for name in CONFIRMED:
        text = "\n".join(inspect_file(product_file(name, tmp_path), REGISTRY, None, None))
        assert "P1" not in text and "thank you" not in text and "10.0.0.1" not in text, name
