"""Exports that restate history end the same whatever the order in which the nights bring them."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl

from flows.init import make_workspace
from flows.nightly import nightly
from flows.reading.incoming import Pseudonyms
from flows.workspace import Workspace
from tests.nightly.conftest import drop
from tests.reading.conftest import SAMPLES

MESS = SAMPLES / "mess"
FILES = [
    "rx01_2026-11-09.csv",
    "rx01_2026-11-16.csv",
    "rx01_2026-11-16 (1).csv",
    "rx01_2026-11-17_truncated.csv",
]
ORDERS = list(itertools.permutations(FILES))
KEY = b"k" * 32
FIRST = date(2026, 11, 18)


def expected(clinic: str) -> set[tuple[object, ...]]:
    """The forms of the expected rows, patients as this clinic's pseudonyms."""
    rows = pl.read_csv(MESS / "expected" / "rx01_after_all.csv", infer_schema=False)
    forms = rows.group_by("patient_id", "session_no", "answered_at", maintain_order=True).agg(
        pl.col("value").sort_by(pl.col("item").cast(pl.Int32))
    )
    names = Pseudonyms(KEY, clinic)
    return {
        (names.of("patient", patient), session, at, tuple(v and float(v) for v in values))
        for patient, session, at, values in forms.rows()
    }


def found(workspace: Workspace, clinic: str) -> set[tuple[object, ...]]:
    path = workspace.current / "auditors" / "valid" / "form_version.parquet"
    rows = duckdb.execute(
        f"select patient_id, session_label, strftime(answered_at, '%Y-%m-%dT%H:%M:%S'), answers"
        f" from '{path}' where clinic_id = '{clinic}' and known_to = '9999-12-31'"
    ).fetchall()
    return {
        (patient, session, at, tuple(None if v is None else float(v) for v in values))
        for patient, session, at, values in rows
    }


def test_nights_in_all_orders_end_in_the_same_rows(tmp_path: Path) -> None:
    """A clinic for each of the 24 orders, one file a night."""
    workspace = Workspace(tmp_path)
    make_workspace(workspace, "Test service", key=KEY)
    settings = workspace.settings.read_text(encoding="utf-8")
    settings = settings.replace("# settle_seconds = 2", "settle_seconds = 0")
    workspace.settings.write_text(settings, encoding="utf-8")
    mapping = (MESS / "mappings" / "rx01.toml").read_text(encoding="utf-8")
    clinics = {f"rx{place:02}": order for place, order in enumerate(ORDERS, start=1)}
    for clinic in clinics:
        own = mapping.replace('id = "rx01"', f'id = "{clinic}"')
        (workspace.clinics / f"{clinic}.toml").write_text(own, encoding="utf-8")
    for night in range(len(FILES)):
        for clinic, order in clinics.items():
            drop(workspace, clinic, order[night], (MESS / order[night]).read_bytes())
        nightly(workspace, FIRST + timedelta(days=night))
    ends = {clinic: found(workspace, clinic) for clinic in clinics}
    wrong = {clinic: order for clinic, order in clinics.items() if ends[clinic] != expected(clinic)}
    assert not wrong
    assert len(expected("rx01")) > 5
