"""Ingest of files that only a library reads, against that library's own read of the same file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
from python_calamine import CalamineWorkbook

from tests.benchmark.exports import PHQ9, Shape
from tests.benchmark.ingest import CLINIC, NIGHTS, Times, expect, ingest, make_service, timed

LINKS = tuple(f"q{place}" for place in range(1, 10))
FHIR = f"""
mapping = 1
[clinic]
id = "{CLINIC}"
timezone = "Europe/Berlin"
[[source]]
name = "rows"
match = "rows_*"
delivery = "append"
key = ["id"]
[source.read]
format = "fhir"
[source.fields]
patient = {{ column = "subject.reference", extract = 'Patient/(.+)' }}
episode = {{ column = "subject.reference", extract = 'Patient/(.+)' }}
answered_at = {{ column = "authored", formats = ["iso"] }}
[source.missing]
"" = "blank"
[[source.form]]
instrument = "PHQ-9"
respondent = "patient"
items = {{ links = {json.dumps(LINKS)} }}
values = {{ map = {{ "0" = 0, "1" = 1, "2" = 2, "3" = 3 }} }}
"""


def _write_workbook(frame: pl.DataFrame, path: Path) -> None:
    frame.write_excel(path)


def _write_data_file(frame: Any, path: Path) -> None:
    pyreadstat.write_sav(frame, str(path))


def _write_responses(frame: pl.DataFrame, path: Path) -> None:
    """One QuestionnaireResponse a line."""
    with path.open("w", encoding="utf-8") as lines:
        for number, (patient, _, _, _, day, *answers) in enumerate(frame.iter_rows()):
            response = {
                "resourceType": "QuestionnaireResponse",
                "id": f"r{number}",
                "questionnaire": "http://loinc.org/q/44249-1",
                "status": "completed",
                "subject": {"reference": f"Patient/{patient}"},
                "authored": day.isoformat(),
                "item": [
                    {"linkId": link, "answer": [{"valueInteger": answer}]}
                    for link, answer in zip(LINKS, answers, strict=True)
                ],
            }
            lines.write(json.dumps(response) + "\n")


def _read_workbook(path: Path) -> None:
    CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def _read_responses(path: Path) -> None:
    with path.open("rb") as lines:
        for line in lines:
            json.loads(line)


# Ending, the format's mapping, writer, the library's own read, and whose that is.
Format = tuple[str, str, Callable[[pl.DataFrame, Path], None], Callable[[Path], object], str]
FORMATS: dict[str, Format] = {
    "xlsx": ("xlsx", PHQ9.mapping(written="xlsx"), _write_workbook, _read_workbook, "calamine"),
    "sav": (
        "sav",
        PHQ9.mapping(written="sav"),
        _write_data_file,
        lambda path: pyreadstat.read_sav(str(path)),
        "pyreadstat",
    ),
    "fhir": ("ndjson", FHIR, _write_responses, _read_responses, "json.loads"),
}


def measure_format(folder: Path, name: str, shape: Shape) -> Times:
    """Time a file's ingest against the read of its library, the latter best of three.

    A file of a few rows goes first: what a process does once for all its files is not counted. A
    second such file tells what any file takes.

    Args:
        folder: an empty folder.
        name: of the format.
        shape: of the file, one PHQ-9 a row.
    """
    ending, mapping, write, read, library = FORMATS[name]
    small = Times("of a few rows", 0)
    for name_of_it in ("first", "second"):
        service = make_service(folder / name_of_it, mapping)
        write(replace(shape, rows=10).frame(seed=1), service.inbox / CLINIC / f"rows_1.{ending}")
        small = Times("of a few rows", 0)
        ingest(service, NIGHTS[0], small)
    workspace = make_service(folder / "service", mapping)
    export = workspace.inbox / CLINIC / f"rows_1.{ending}"
    write(shape.frame(seed=1), export)
    floor = min(timed(lambda: read(export)) for _ in range(3))
    title = f"{shape.rows:,} rows: {shape.name} as {name}"
    times = Times(title, floor, of=f"{library}'s read", fixed=small.total)
    ingest(workspace, NIGHTS[0], times)
    expect(workspace, NIGHTS[0], shape.rows, 0)
    return times
