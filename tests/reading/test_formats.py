"""Every format reads to the rows its text would read to; damage ends in a finding, never in a breakdown."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
import pyzipper
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.reading.canonical import Reading
from tests.reading.conftest import HEADER, phq_mapping, read_paths

GENTLE = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NAMES = HEADER.split(",")
LETTERS = "abcXYZ019 .-_,;\"'"
WIDE_LETTERS = LETTERS + "äßéøЖ中\t"
cells = st.sampled_from(["0", "1", "2", "3", "", "-9"])


def tables(letters: str) -> st.SearchStrategy[list[list[str]]]:
    patient = st.text(letters, min_size=1, max_size=12).map(lambda text: f"p{text}q")
    answers = st.lists(cells, min_size=9, max_size=9)
    records = st.lists(st.tuples(patient, answers), min_size=1, max_size=12)
    return records.map(
        lambda found: [
            [f"{patient}{n}", "t1", str(n), "2026-03-01", *answers]
            for n, (patient, answers) in enumerate(found, start=1)
        ]
    )


def frame(rows: list[list[str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=NAMES, orient="row")


def as_csv(rows: list[list[str]], separator: str = ",") -> bytes:
    return frame(rows).write_csv(separator=separator).encode()


def as_workbook(rows: list[list[str]]) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for place, cells in enumerate(rows, start=1):
            sheet.write_string(place, 0, cells[0])
            sheet.write_string(place, 1, cells[1])
            sheet.write_number(place, 2, int(cells[2]))
            sheet.write_string(place, 3, cells[3])
            for column, cell in enumerate(cells[4:], start=4):
                if cell:
                    sheet.write_number(place, column, int(cell))
    return held.getvalue()


def as_data_file(rows: list[list[str]], write: Callable[..., None], **about: Any) -> bytes:
    numbers = [pl.col(n).replace("", None).cast(pl.Float64) for n in ["session", *NAMES[4:]]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d"
        write(frame(rows).with_columns(numbers), str(path), **about)
        return path.read_bytes()


def as_archive(rows: list[list[str]]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.csv", as_csv(rows))
    return held.getvalue()


def as_locked_archive(rows: list[list[str]]) -> bytes:
    held = io.BytesIO()
    with pyzipper.AESZipFile(held, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"secret")
        archive.writestr("export.csv", as_csv(rows))
    return held.getvalue()


def as_tables(rows: list[list[str]]) -> bytes:
    """Answers in one table, who and when in another."""
    held = io.BytesIO()
    above, below = frame(rows).select(NAMES[:4]), frame(rows).select("session", *NAMES[4:])
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("above.csv", above.write_csv())
        archive.writestr("below.csv", below.write_csv())
    return held.getvalue()


JOIN = [{"table": "below*", "to": [["above*", "session"]]}]
Writer = Callable[[list[list[str]]], bytes]
FORMATS: dict[str, tuple[Writer, str, dict[str, Any]]] = {
    "tsv": (lambda rows: as_csv(rows, "\t"), WIDE_LETTERS, {"format": "tsv"}),
    "utf-16": (
        lambda rows: as_csv(rows, "\t").decode().encode("utf-16"),
        WIDE_LETTERS,
        {"format": "tsv", "encoding": "cp1252"},
    ),
    "latin": (
        lambda rows: as_csv(rows).decode().encode("iso-8859-15"),
        LETTERS + "äé€",
        {"format": "csv", "encoding": "iso-8859-15"},
    ),
    "sep line": (
        lambda rows: b"sep=;\r\n" + as_csv(rows, ";").replace(b"\n", b"\r\n"),
        LETTERS,
        {"format": "csv", "delimiter": ";", "header": {"find": ["patient", "q9"]}},
    ),
    "xlsx": (as_workbook, WIDE_LETTERS, {"format": "xlsx"}),
    "sav": (lambda r: as_data_file(r, pyreadstat.write_sav), WIDE_LETTERS, {"format": "sav"}),
    "zsav": (
        lambda rows: as_data_file(rows, pyreadstat.write_sav, compress=True),
        WIDE_LETTERS,
        {"format": "sav"},
    ),
    "dta": (lambda r: as_data_file(r, pyreadstat.write_dta), WIDE_LETTERS, {"format": "dta"}),
    "xpt": (lambda r: as_data_file(r, pyreadstat.write_xport), LETTERS, {"format": "xpt"}),
    "zip": (as_archive, WIDE_LETTERS, {"format": "csv"}),
    "aes": (as_locked_archive, WIDE_LETTERS, {"format": "csv", "password_env": "SECRET"}),
    "tables": (as_tables, WIDE_LETTERS, {"format": "tables"}),
}


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "secret")


def read(content: bytes, how: dict[str, Any]) -> Reading:
    # Quotes and all, so that every format has to keep them.
    patient = {"column": "patient", "matches": ".+"}
    join = {"join": JOIN} if how["format"] == "tables" else {}
    mapping = phq_mapping(read=how, fields__patient=patient, **join)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delivered"
        path.write_bytes(content)
        return read_paths([path], mapping)


@pytest.mark.parametrize("name", FORMATS)
@GENTLE
@given(data=st.data())
def test_a_table_reads_as_its_text_does(name: str, data: st.DataObject) -> None:
    write, letters, how = FORMATS[name]
    rows = data.draw(tables(letters))
    expected = read(as_csv(rows), {"format": "csv"}).rows
    assert expected.height == 9 * len(rows)
    assert read(write(rows), how).rows.rows() == expected.rows()


SAMPLE = [[f"p{n}", "t1", str(n), "2026-03-01", *("0123" * 3)[n % 4 : n % 4 + 9]] for n in range(1, 20)]  # fmt: skip
BINARY = ["xlsx", "sav", "zsav", "dta", "xpt", "zip", "aes", "tables"]
WHOLE = {name: FORMATS[name][0](SAMPLE) for name in BINARY}
# Nothing guards the bytes of these formats: another digit is another digit.
UNGUARDED = {"sav", "zsav", "dta", "xpt"}


@st.composite
def damage(draw: st.DrawFn, whole: bytes) -> bytes:
    kind = draw(st.sampled_from(["flip", "flip", "cut", "drop", "double", "blank"]))
    at = draw(st.integers(0, len(whole) - 1))
    if kind == "cut":
        return whole[:at]
    length = draw(st.integers(1, 64))
    if kind == "drop":
        return whole[:at] + whole[at + length :]
    if kind == "double":
        return whole[:at] + whole[at : at + length] + whole[at:]
    if kind == "blank":
        return whole[:at] + bytes([draw(st.sampled_from([0, 255]))]) * length + whole[at + length :]
    changed = bytearray(whole)
    for _ in range(draw(st.integers(1, 8))):
        changed[draw(st.integers(0, len(whole) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


@pytest.mark.parametrize("name", BINARY)
@GENTLE
@given(data=st.data())
def test_damaged_bytes_end_in_a_finding_or_the_same_rows(name: str, data: st.DataObject) -> None:
    content = data.draw(damage(WHOLE[name]))
    how = FORMATS[name][2]
    before, after = read(WHOLE[name], how), read(content, how)
    if not after.rows.equals(before.rows) and name not in UNGUARDED:
        told = after.findings.filter(pl.col("severity") == "reject")
        assert not told.is_empty(), "other rows, and nothing was said"
