"""What the demonstration publishes to one audience holds nothing of another: every file is searched."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.browser.sites import Sites

ROW_IDS = (
    ("valid/form_version", ("row_id", "patient_id", "episode_id")),
    ("valid/appointment_version", ("row_id", "patient_id", "episode_id")),
    ("score/session_end", ("session_id", "episode_id")),
)


@pytest.fixture(scope="module")
def night(sites: Sites) -> Path:
    return sites.workspace.current.resolve()


def ids(night: Path, table: str, columns: tuple[str, ...]) -> set[str]:
    """Whole ids, and the eight digits that pages shorten them to."""
    path = night / "auditors" / f"{table}.parquet"
    listed = " union all ".join(f"select {column} as id from '{path}'" for column in columns)
    found = {
        row[0] for row in duckdb.sql(f"select distinct id from ({listed})").fetchall() if row[0]
    }
    return found | {name[:8].upper() for name in found}


def words(path: Path) -> set[str]:
    """The words of a file; of a workbook those of its texts: a rate's digits look like a number."""
    parts = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            parts = [packed.read("xl/sharedStrings.xml")]
    return {
        word for part in parts for word in re.findall(r"[\w-]+", part.decode("utf-8", "ignore"))
    }


def files(folder: Path) -> Iterator[tuple[str, set[str]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield (
                path.relative_to(folder).as_posix(),
                words(path) | set(re.findall(r"[\w-]+", path.name)),
            )


def test_managers_and_public_hold_no_row_and_no_number(night: Path, sites: Sites) -> None:
    truth = pl.read_parquet(sites.workspace.root / "truth" / "episode.parquet")
    rows = set(truth["patient_id"].to_list())
    for table, columns in ROW_IDS:
        rows |= ids(night, table, columns)
    assert len(rows) > 1000
    for audience in ("managers", "public"):
        searched = 0
        for name, found in files(night / audience):
            assert not found & rows, f"{audience}/{name}"
            searched += 1
        assert searched > 1


def test_the_public_is_told_of_no_clinic_and_no_therapist(night: Path) -> None:
    read = duckdb.sql(
        f"select therapist_id, label, page from '{night}/auditors/report/therapist.parquet'"
    )
    therapists = {part for row in read.fetchall() for part in (*row, row[1].split()[-1])}
    clinics = duckdb.sql(
        f"select clinic_id, clinic_name from '{night}/auditors/report/clinic.parquet'"
    )
    names = {part for row in clinics.fetchall() for part in row}
    for path in (path for path in (night / "public").rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        assert not [
            name for name in names | therapists if re.search(rf"\b{re.escape(name)}\b", text)
        ]


def test_a_therapists_folder_holds_nobody_elses_patients_and_no_other_therapist(
    night: Path,
) -> None:
    read = duckdb.sql(
        "select page, therapist_id, patient_id, episode_id"
        f" from '{night}/auditors/report/open_course.parquet'"
    )
    rows = read.fetchall()
    numbers = dict(
        duckdb.sql(
            f"select patient_id, number from '{night.parents[1]}/names/patients/*.parquet'"
        ).fetchall()
    )
    folders = {page for page, *_ in rows}
    assert len(folders) > 5 and len(numbers) > 20
    shown = set()
    for folder in folders:
        own = {part for row in rows if row[0] == folder for part in (*row, numbers.get(row[2]))}
        others = {part for row in rows if row[0] != folder for part in (*row, numbers.get(row[2]))}
        for name, found in files(night / "care_team" / folder):
            assert not found & (others - own), f"{folder}/{name}"
            shown |= found & set(numbers.values())
    assert len(shown) > 20
