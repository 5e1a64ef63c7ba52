"""Files as products write them: recognised, drafted, and read once the guesses are confirmed."""

from __future__ import annotations

import random
import tomllib
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
from flows.errors import RapportError
from flows.inspecting.look import look_at
from flows.inspecting.report import inspect_file
from schemas.export_format import read_mapping
from tests.reading.conftest import REGISTRY, SAMPLES, read_paths
from tests.reading.test_grammar import IAPT_TABLES
from tests.reading.test_tables import appointments

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


ORG = "PHN999:North"
PMHC_TABLES = {
    "metadata.csv": "key,value\ntype,PMHC\nversion,4.0\n",
    "clients.csv": f"organisation_path,client_key,slk,client_gender\n{ORG},C1,XXXXX010119902,2\n",
    "episodes.csv": "organisation_path,episode_key,client_key,episode_end_date,episode_completion_status,referral_date\n"
    f"{ORG},E1,C1,17052026,3,01022026\n{ORG},E2,C1,,0,1062026\n",
    "collection-occasions.csv": "organisation_path,collection_occasion_key,episode_key,collection_occasion_date,reason_for_collection\n"
    f"{ORG},O1,E1,03022026,1\n{ORG},O2,E1,3042026,2\n",
    "k10p.csv": "organisation_path,measure_key,collection_occasion_key,"
    + ",".join(f"k10p_item{n}" for n in range(1, 15))
    + f",k10p_score,k10p_tags\n{ORG},M1,O1,1,3,2,4,4,4,4,1,1,1,4,18,88,3,25,\n"
    f"{ORG},M2,O2,9,5,1,5,2,3,4,1,1,5,25,6,4,3,99,\n",
    "service-contacts.csv": "organisation_path,service_contact_key,episode_key,service_contact_date,service_contact_no_show\n"
    f"{ORG},S1,E1,03022026,2\n{ORG},S2,E1,10022026,1\n",
    "service-contact-practitioners.csv": "organisation_path,service_contact_practitioner_key,service_contact_key,"
    f"practitioner_key,primary_practitioner_indicator\n{ORG},Q1,S1,T1,1\n{ORG},Q2,S1,T2,2\n{ORG},Q3,S2,T1,1\n",
}  # fmt: skip


def test_an_upload_of_the_australian_minimum_data_set(tmp_path: Path) -> None:
    path = tmp_path / "pmhc_2026-05.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in PMHC_TABLES.items():
            archive.writestr(name, content)
    assert look_at(path).preset == "pmhc"
    mapping = read_mapping(drafted(path, tmp_path, {}))
    reading = read_paths([path], mapping)
    rows = reading.rows.filter(pl.col("item").is_in(["1", "2"]))
    keys = ["patient_id", "episode_id", "instrument", "item", "value", "answered_at"]
    assert rows.select(keys).rows() == [
        ("C1", "E1", "K10", "1", "1", "2026-02-03"),
        ("C1", "E1", "K10", "2", "3", "2026-02-03"),
        ("C1", "E1", "K10", "1", None, "2026-04-03"),
        ("C1", "E1", "K10", "2", "5", "2026-04-03"),
    ]
    refused = reading.findings.filter(pl.col("severity") == "reject")
    assert refused.is_empty(), refused.to_dicts()
    assert "column-unexpected" not in set(reading.findings["rule"])
    found, about = appointments(path, mapping)
    assert [row[:4] for row in found] == [
        ("C1", "E1", "2026-02-03", "attended"), ("C1", "E1", "2026-02-10", "no_show"),
    ]  # fmt: skip
    assert [about["found"][kind] for kind in ("form", "appointment", "episode")] == [2, 2, 2]


def damaged(raw: bytes, seed: int) -> bytes:
    """The bytes of a file cut, doubled, encoded anew, or robbed of a delimiter."""
    luck = random.Random(seed)
    at = luck.randrange(len(raw))
    lines = raw.split(b"\n")
    line = luck.randrange(len(lines))
    return [
        raw[:at],
        b"\n".join([*lines[:line], lines[line], *lines[line:]]),
        raw.decode("latin-1").encode(luck.choice(["utf-16", "utf-8", "utf-32", "cp037"])),
        raw.replace(luck.choice([b",", b";", b"\t", b'"', b":"]), b" "),
        raw[:at] + luck.choice([b'"', b"\0", b"\r", b"\xff\xfe", b"{[", b"\n\n"]) + raw[at:],
        b"\n".join(lines[1:]),
    ][seed % 6]


@pytest.mark.parametrize("name", [*CONFIRMED, "openfit.csv"])
def test_whatever_is_done_to_a_file_looking_at_it_ends_in_words(name: str, tmp_path: Path) -> None:
    raw = product_file(name, tmp_path).read_bytes()
    (inner := tmp_path / "damaged").mkdir()
    path = inner / name
    for seed in range(12):
        path.write_bytes(damaged(raw, seed))
        target = inner / f"draft{seed}.toml"
        try:
            inspect_file(path, REGISTRY, None, target)
        except RapportError as error:
            assert error.faults
        else:
            tomllib.loads(target.read_text())
