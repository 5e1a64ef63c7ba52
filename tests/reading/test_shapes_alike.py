"""A table written long, wide or joined reads as its plain text does; damage to it is never silent."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.reading.canonical import Reading, as_plain_csv
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, phq_mapping, read_paths, row

GENTLE = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ITEMS = {f"q{n}": ["PHQ-9", n] for n in range(1, 10)}
# At least one answer: a form without any has no place in a table of sessions.
answers = st.lists(st.sampled_from(["0", "1", "3", "", "-9"]), min_size=9, max_size=9).filter(
    lambda cells: any(cell not in ("", "-9") for cell in cells)
)
# By patient, then session.
courses = st.lists(st.lists(answers, min_size=1, max_size=3), min_size=1, max_size=4)
Courses = list[list[list[str]]]


def days(session: int) -> str:
    return f"2026-03-{session:02d}"


def plain(forms: Courses) -> bytes:
    lines = [
        row(f"p{p}", s, days(s), ",".join(cells))
        for p, sessions in enumerate(forms)
        for s, cells in enumerate(sessions, start=1)
    ]
    return "\n".join([HEADER, *lines, ""]).encode()


def long(forms: Courses) -> bytes:
    lines = [
        f"p{p},t1,{s},{days(s)},q{n},{cell}"
        for p, sessions in enumerate(forms)
        for s, cells in enumerate(sessions, start=1)
        for n, cell in enumerate(cells, start=1)
    ]
    return "\n".join(["patient,therapist,session,date,code,answer", *lines, ""]).encode()


def wide(forms: Courses) -> bytes:
    most = max(map(len, forms))
    sessions = range(1, most + 1)
    names = [f"{name}_s{s}" for s in sessions for name in ["date", *ITEMS]]
    lines = []
    for p, course in enumerate(forms):
        cells = [
            cell
            for s in sessions
            for cell in ([days(s), *course[s - 1]] if s <= len(course) else [""] * 10)
        ]
        lines.append(",".join([f"p{p}", "t1", *cells]))
    return "\n".join([",".join(["patient", "therapist", *names]), *lines, ""]).encode()


def joined(forms: Courses) -> bytes:
    """Answers in one table, sessions above it, patients above those."""
    places = [(p, s) for p, sessions in enumerate(forms) for s in range(1, len(sessions) + 1)]
    sessions = [f"v{p}-{s},p{p},{s},{days(s)}" for p, s in places]
    cells = [f"v{p}-{s},{','.join(forms[p][s - 1])}" for p, s in places]
    tables = {
        "patients.csv": ["patient,therapist", *(f"p{p},t1" for p in range(len(forms)))],
        "visits.csv": ["visit,patient,session,date", *sessions],
        "answers.csv": ["visit," + ",".join(ITEMS), *cells],
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, lines in tables.items():
            archive.writestr(name, "\n".join([*lines, ""]))
    return held.getvalue()


DATE = {"column": "date", "formats": ["%Y-%m-%d"]}
PEOPLE = {"patient": {"column": "patient"}, "therapist": {"column": "therapist"}}
SHAPES: dict[str, tuple[Callable[[Courses], bytes], Mapping]] = {
    "plain": (plain, phq_mapping()),
    "long": (
        long,
        phq_mapping(form=[], code=[{"column": "code", "value": "answer", "map": ITEMS}]),
    ),
    "wide": (
        wide,
        phq_mapping(
            form=[],
            fields={**PEOPLE, "answered_at": DATE},
            wide={
                "columns": "{form}_{time}",
                "forms": ITEMS,
                "times": {r"s(\d+)": r"\1"},
                "carry": ["date"],
            },
        ),
    ),
    "joined": (
        joined,
        phq_mapping(
            read={"format": "tables"},
            join=[{"table": "answers*", "to": [["visits*", "visit"], ["patients*", "patient"]]}],
        ),
    ),
}  # fmt: skip


def read(content: bytes, mapping: Mapping) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delivered"
        path.write_bytes(content)
        return read_paths([path], mapping)


@pytest.mark.parametrize("shape", ["long", "wide", "joined"])
@GENTLE
@given(forms=courses)
def test_every_shape_of_a_table_reads_alike(shape: str, forms: Courses) -> None:
    write, mapping = SHAPES[shape]
    expected = read(plain(forms), SHAPES["plain"][1]).rows
    found = read(write(forms), mapping).rows
    assert sorted(found.rows(), key=str) == sorted(expected.rows(), key=str)


FIXED = [[["1", "2", "0", "3", "1", "1", "0", "0", "2"]] * 2, [["0"] * 8 + ["3"]]]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    at = draw(st.integers(0, len(whole) - 2))
    lines = whole.splitlines(keepends=True)
    which = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(["cut", "delimiter", "quote", "nul", "name", "column"]))
    return {
        "cut": whole[:at],
        "delimiter": whole[:at] + b"," + whole[at:],
        "quote": whole[:at] + b'"' + whole[at:],
        "nul": whole[:at] + b"\x00" + whole[at:],
        "name": whole[: at % len(lines[0])] + b"z" + whole[at % len(lines[0]) :],
        "column": b"".join([*lines[:which], b",".join(lines[which].split(b",")[1:]), *lines[which + 1 :]]),
    }[kind]  # fmt: skip


@pytest.mark.parametrize("shape", ["long", "wide"])
@GENTLE
@given(data=st.data())
def test_damage_to_a_shape_ends_in_a_finding_or_the_same_rows(
    shape: str, data: st.DataObject
) -> None:
    write, mapping = SHAPES[shape]
    whole = write(FIXED)
    before, after = read(whole, mapping), read(data.draw(damaged(whole)), mapping)
    if not after.rows.equals(before.rows):
        told = set(after.findings["rule"]) - {"answer-missing"}
        grown = after.findings.height > before.findings.height
        assert told or grown, "other rows, and nothing was said"


def test_rows_written_for_people_hold_no_formula() -> None:
    texts = ["=1+1", "+49", "@x", "-x", "-9", "-1.5", "p1", ""]
    written = as_plain_csv(pl.DataFrame({"patient_id": texts}))
    found = pl.read_csv(io.StringIO(written), infer_schema=False)["patient_id"].fill_null("")
    assert found.to_list() == ["'=1+1", "'+49", "'@x", "'-x", "-9", "-1.5", "p1", ""]


def test_an_id_that_is_a_formula_is_kept_as_it_is() -> None:
    content = (HEADER + "\n" + row("=HYPERLINK(1)") + "\n").encode()
    assert read(content, SHAPES["plain"][1]).rows["patient_id"][0] == "=HYPERLINK(1)"
