"""Reading small made-up files by small made-up mappings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.reading.canonical import Reading, read_canonical
from schemas.export_format import Mapping, check_mapping, read_mapping
from schemas.instrument import SHIPPED, load_instruments

SAMPLES = Path(__file__).parents[1] / "samples"
REGISTRY = load_instruments([SHIPPED])


def phq_mapping(**changes: Any) -> Mapping:
    """A mapping for PHQ-9 rows; keyword `a__b` sets source.a.b."""
    source: dict[str, Any] = {
        "name": "phq",
        "delivery": "append",
        "read": {"format": "csv"},
        "fields": {
            "patient": {"column": "patient"},
            "therapist": {"column": "therapist"},
            "session": {"column": "session", "type": "int"},
            "answered_at": {"column": "date", "formats": ["%Y-%m-%d"]},
        },
        "missing": {"": "blank", "-9": "not_answered"},
        "form": [
            {
                "instrument": "PHQ-9",
                "respondent": "patient",
                "items": {"columns": "q{}", "count": 9},
            }
        ],
    }
    for path, value in changes.items():
        place = source
        *parents, last = path.split("__")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    clinic = {"id": "test", "timezone": "Europe/Berlin"}
    return check_mapping({"mapping": 1, "clinic": clinic, "source": [source]})


HEADER = "patient,therapist,session,date," + ",".join(f"q{n}" for n in range(1, 10))


def row(
    patient: str = "p1",
    session: int = 1,
    day: str = "2026-03-01",
    answers: str = "1,2,0,1,2,0,1,2,0",
) -> str:
    """One line of PHQ-9 answers."""
    return f"{patient},t1,{session},{day},{answers}"


@dataclass
class Read:
    """What came of reading."""

    reading: Reading

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return self.reading.rows.rows()

    @property
    def forms(self) -> int:
        keys = ["patient_id", "session_no", "answered_at", "instrument", "respondent"]
        return self.reading.rows.select(keys).unique().height

    def rules(self, severity: str | None = None) -> set[str]:
        found = self.reading.findings
        if severity:
            found = found.filter(pl.col("severity") == severity)
        return set(found["rule"])

    def at(self, rule: str) -> list[tuple[int | None, str | None]]:
        found = self.reading.findings.filter(pl.col("rule") == rule)
        return found.select("line", "column_name").rows()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Read texts or bytes, each as one delivery in order, by a mapping."""

    def reader(*texts: str | bytes, mapping: Mapping | None = None) -> Read:
        files = []
        for number, text in enumerate(texts):
            path = tmp_path / f"file{number}.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            files.append(path)
        return Read(read_paths(files, mapping or phq_mapping()))

    return reader


def read_paths(files: list[Path], mapping: Mapping | Path) -> Reading:
    """Read files by a mapping or the path of one."""
    if isinstance(mapping, Path):
        mapping = read_mapping(mapping)
    with tempfile.TemporaryDirectory() as scratch:
        return read_canonical(files, mapping, REGISTRY, Path(scratch))
