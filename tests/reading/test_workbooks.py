"""Workbooks: which sheets, which cells, what is said of them, and what is refused."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import xlsxwriter

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, REGISTRY, Read, phq_mapping, read_paths

NAMES = HEADER.split(",")
Write = Callable[[xlsxwriter.Workbook], None]
DATES = {"column": "date", "formats": ["excel", "%d.%m.%Y"]}


def by(**changes: Any) -> Mapping:
    return phq_mapping(**{"read__format": "xlsx", "fields__answered_at": DATES, **changes})


def record(patient: Any = "p1", day: Any = "01.03.2026", answers: Sequence[Any] = (1,) * 9) -> list:
    return [patient, "t1", 1, day, *answers]


def book(path: Path, sheets: dict[str, list[list[Any]]], **options: Any) -> Path:
    """A workbook of sheets; dates become date cells."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd.mm.yyyy", **options}) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for place, cells in enumerate(rows):
                sheet.write_row(place, 0, cells)
    return path


def read(path: Path, mapping: Mapping | None = None) -> Read:
    return Read(read_paths([path], mapping or by()))


def told(result: Read, rule: str) -> list[str]:
    return result.reading.findings.filter(pl.col("rule") == rule)["message"].to_list()


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Read]:
    def make(*records: list[Any], mapping: Mapping | None = None, **options: Any) -> Read:
        path = book(tmp_path / "b.xlsx", {"Sheet": [NAMES, *records]}, **options)
        return read(path, mapping)

    return make


def test_numbers_are_read_as_people_see_them(made: Callable[..., Read]) -> None:
    result = made(record(417, answers=[0, 1.0, 2, 3, "3", 2, 1, 0, -9]))
    assert {r[1] for r in result.rows} == {"417"}
    assert [(r[8], r[9]) for r in result.rows][-2:] == [("0", None), (None, "not_answered")]


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 10, 30), "2026-03-01T10:30:00"),
        (46082, "2026-03-01"),
        (46082.4375, "2026-03-01T10:30:00"),
        ("46082", "2026-03-01"),
        ("01.03.2026", "2026-03-01"),
        (59, "1900-02-28"),
        (61, "1900-03-01"),
    ],
)
def test_date_cells_serial_numbers_and_texts_are_one_date(
    made: Callable[..., Read], cell: Any, seen: str
) -> None:
    assert {r[10] for r in made(record(day=cell)).rows} == {seen}


def test_days_may_be_counted_from_1904(made: Callable[..., Read]) -> None:
    records = [record("a", day=date(2026, 3, 1)), record("b", day=44620)]
    assert {r[10] for r in made(*records, date_1904=True).rows} == {"2026-03-01"}


@pytest.mark.parametrize("cell", [60, 0, -1, 1e9, "60.5", "1e4"])
def test_a_serial_number_without_a_day_is_refused(made: Callable[..., Read], cell: Any) -> None:
    assert made(record(day=cell)).at("date-unreadable") == [(2, "date")]


def test_a_number_beyond_all_numbers_is_no_blank_answer(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", {"S": [NAMES, record(answers=(3,) * 9)]})
    result = read(repacked(path, in_sheet(b"<v>3</v></c></row>", b"<v>1e400</v></c></row>")))
    assert result.at("answer-undeclared") == [(2, "q9")]


def test_an_id_that_lost_digits_is_refused(made: Callable[..., Read]) -> None:
    result = made(record(1234567890123456.0), record("1.23457E+11"), record(123456789012))
    assert result.at("id-mangled") == [(2, "patient"), (3, "patient")]
    assert {r[1] for r in result.rows} == {"123456789012"}


def test_a_declared_decimal_comma_holds_for_number_cells_too(made: Callable[..., Read]) -> None:
    form = {"instrument": "ORS", "respondent": "patient", "scores": {"total": "q1"}}
    cells = [record("a", answers=[21.5] + [""] * 8), record("b", answers=["21,5"] + [""] * 8)]
    result = made(*cells, mapping=by(form=[form], read__decimal=","))
    assert [r[8] for r in result.rows] == ["21.5", "21.5"]


def test_truths_are_words(made: Callable[..., Read]) -> None:
    keep = [{"column": "q9", "matches": "TRUE"}]
    form = {
        "instrument": "PHQ-9", "respondent": "patient", "items": {"columns": "q{}", "count": 9},
        "values": {"map": {"1": 1, "TRUE": 3}},
    }  # fmt: skip
    records = [record("a", answers=[1] * 8 + [True]), record("b", answers=[1] * 8 + [False])]
    assert {r[1] for r in made(*records, mapping=by(read__keep=keep, form=[form])).rows} == {"a"}


def test_title_lines_blank_rows_and_columns_do_not_shift_lines(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("Erika Mustermann")
        sheet.write(1, 1, "Export of the practice")
        sheet.write_row(4, 2, NAMES)
        sheet.write_row(6, 2, record("a"))
        sheet.write_row(9, 2, record("b", day="never"))
    result = read(path, by(read__header={"find": ["patient", "q9"]}))
    assert result.at("date-unreadable") == [(10, "date")]
    assert told(result, "date-unreadable")[0].endswith("(sheet 1)")
    assert result.at("preamble") == [(1, None)]
    assert result.forms == 1


def test_a_name_merged_over_header_rows_stands_in_each(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        for place, name in enumerate(NAMES[:4]):
            sheet.merge_range(0, place + 1, 1, place + 1, name)
        sheet.merge_range(0, 5, 0, 13, "PHQ")
        sheet.write_row(1, 5, NAMES[4:])
        sheet.write_row(2, 1, record("a"))
    assert read(path, by(read__header={"find": ["patient", "q9"]})).forms == 1


def test_sessions_merged_over_their_columns_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd.mm.yyyy"}) as made:
        sheet = made.add_worksheet()
        sheet.merge_range(0, 0, 1, 0, "patient")
        for session in (1, 2):
            sheet.merge_range(0, 2 * session - 1, 0, 2 * session, f"Sitzung {session}")
            sheet.write_row(1, 2 * session - 1, ["Datum", "Summe"])
        sheet.write_row(2, 0, ["p1", date(2026, 3, 1), 20, date(2026, 3, 8), 15])
    wide = {
        "columns": "{time} | {form}", "carry": ["Datum"],
        "forms": {"Summe": ["CORE-10", "total"]}, "times": {r"Sitzung (\d+)": r"\1"},
    }  # fmt: skip
    fields = {
        "patient": {"column": "patient"},
        "answered_at": {"column": "Datum", "formats": ["excel"]},
    }
    mapping = by(form=(), wide=wide, fields=fields, read__header={"rows": 2, "join": True})
    rows = read(path, mapping).reading.rows.select("session_no", "value", "answered_at").rows()
    assert rows == [("1", "20", "2026-03-01"), ("2", "15", "2026-03-08")]


def test_rows_under_several_header_rows(made: Callable[..., Read]) -> None:
    labels = [f"label of {name}" for name in NAMES]
    result = made(labels, record("a"), record("b", day="x"), mapping=by(read__header={"rows": 2}))
    assert result.at("header-rows") == [(1, None)]
    assert result.at("date-unreadable") == [(4, "date")]


def test_sheets_with_one_header_are_read_one_after_another(tmp_path: Path) -> None:
    turned = [
        list(reversed(NAMES)),
        list(reversed(record("c", day="x"))),
        list(reversed(record("d"))),
    ]
    sheets = {"2025": [NAMES, record("a"), record("b")], "2026": turned, "Notes": [["x"], ["y"]]}
    result = read(book(tmp_path / "b.xlsx", sheets), by(read__sheets=["20*"]))
    assert {r[1] for r in result.rows} == {"a", "b", "d"}
    assert result.at("date-unreadable") == [(2, "date")]
    assert told(result, "date-unreadable")[0].endswith("(sheet 2)")


def test_a_sheet_without_records_among_others_is_told(tmp_path: Path) -> None:
    sheets = {"A": [NAMES, record("a")], "B": [NAMES], "C": []}
    result = read(book(tmp_path / "b.xlsx", sheets), by(read__sheets=["*"]))
    assert result.forms == 1
    named = [message[-9:] for message in told(result, "sheet-without-records")]
    assert named == ["(sheet 2)", "(sheet 3)"]


def test_conflicts_are_told_by_sheet_and_lines_stored_as_rows_of_it(tmp_path: Path) -> None:
    sheets = {"A": [NAMES, record("a")], "B": [NAMES, record("b"), record("b", answers=[2] * 9)]}
    path = book(tmp_path / "b.xlsx", sheets)
    mapping = by(read__sheets=["A", "B"], key=["patient"], version="session")
    result = read(path, mapping)
    assert result.at("key-conflict") == [(2, None), (3, None)]
    assert all("(sheet B)" in message for message in told(result, "key-conflict"))
    con = duckdb.connect()
    Pseudonyms(None, "test").install(con)
    rules = DeliveryRules(by(read__sheets=["B", "A"]), REGISTRY, date(1990, 1, 1), None)
    task = read_delivery(con, path, rules, tmp_path, "d0")
    merge_file(con, task, open_state(with_text=False), "d0", date(2026, 12, 31), rules)
    stored = con.execute("select patient_id, line from form_version order by all").fetchall()
    assert stored == [("a", 2), ("b", 2), ("b", 3)]


@pytest.mark.parametrize(
    ("sheets", "wanted", "rule"),
    [
        ({"A": [NAMES, record()], "B": [NAMES, record()]}, [], "sheets-unclear"),
        ({"A": [NAMES, record()]}, ["B"], "sheet-not-found"),
        ({"A": [NAMES, record()], "B": [["x", "y"], [1, 2]]}, ["*"], "sheet-header-differs"),
        ({"A": [NAMES]}, [], "file-without-records"),
        ({"A": []}, [], "file-without-records"),
        ({"A": [["x", "y"], record()]}, [], "header-not-recognised"),
    ],
)
def test_sheets_that_cannot_be_meant_are_refused(
    tmp_path: Path, sheets: dict[str, list[list[Any]]], wanted: list[str], rule: str
) -> None:
    result = read(book(tmp_path / "b.xlsx", sheets), by(read__sheets=wanted))
    assert result.rows == []
    assert rule in result.rules("reject")


def test_hidden_sheets_are_told_and_not_read_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        for name in ("Open", "Old"):
            sheet = made.add_worksheet(name)
            sheet.write_row(0, 0, NAMES)
            sheet.write_row(1, 0, record(name))
        sheet.hide()
    result = read(path)
    assert {r[1] for r in result.rows} == {"Open"}
    assert len(told(result, "sheet-hidden")) == 1
    assert {r[1] for r in read(path, by(read__sheets=["O*"])).rows} == {"Open"}
    assert {r[1] for r in read(path, by(read__sheets=["Old"])).rows} == {"Old"}


def test_error_cells_and_uncomputed_formulas_are_told_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("S")
        for place, cells in enumerate([NAMES, record("a"), record("b"), record("c")]):
            sheet.write_row(place, 0, cells)
        results: list[tuple[int, int, Any]] = [(1, 4, "#DIV/0!"), (2, 5, ""), (3, 6, 2)]
        for line, column, result in results:
            sheet.write_formula(line, column, "=A1", None, result)
    result = read(path)
    assert result.at("cell-error") == [(2, None)]
    assert result.at("formula-uncomputed") == [(3, None)]
    seen = {(r[1], r[7]): (r[8], r[9]) for r in result.rows}
    assert seen["a", "1"] == seen["b", "2"] == (None, "blank")
    assert seen["c", "3"] == ("2", None)


def test_findings_of_a_workbook_hold_no_cell(made: Callable[..., Read]) -> None:
    result = made(record("CANARY1", day="CANARY2"), record("b", answers=["CANARY3"] * 9))
    assert result.rules("reject") == {"date-unreadable", "answer-undeclared"}
    assert "CANARY" not in str(result.reading.findings.to_dicts())


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same workbook with its parts changed."""
    with zipfile.ZipFile(path) as old:
        parts = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if name == "xl/worksheets/sheet1.xml":
            assert old in content
            return content.replace(old, new, 1)
        return content

    return change


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
        b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData>",
        b'<row r="1048576"><c s="0"  r = "XFD1048576"><v>1</v></c></row></sheetData>',
        b'<row r="99999999999"><c r="ABCDEFGHI99999999999"><v>1</v></c></row></sheetData>',
    ],
)
def test_a_stray_cell_far_away_is_refused_before_it_takes_all_memory(
    tmp_path: Path, cell: bytes
) -> None:
    path = book(tmp_path / "b.xlsx", {"S": [NAMES, record()]})
    result = read(repacked(path, in_sheet(b"</sheetData>", cell)))
    assert result.rules("reject") & {"sheet-too-large", "not-a-workbook"}
    assert result.rows == []


def test_a_million_empty_rows_take_seconds(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", {"S": [NAMES, record()]})
    rows = b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (n, n) for n in range(10, 1_000_000))
    started = time.monotonic()
    result = read(repacked(path, in_sheet(b"</sheetData>", rows + b"</sheetData>")))
    assert time.monotonic() - started < 30
    assert result.forms == 1


def test_a_cell_of_ten_megabytes_is_read_or_refused(tmp_path: Path) -> None:
    path = book(
        tmp_path / "b.xlsx", {"S": [[*NAMES, "remark"], [*record(), "xxx"]]}, in_memory=True
    )

    def swell(name: str, content: bytes) -> bytes:
        return content.replace(b"xxx", b"x" * (10 << 20))

    mapping = by(fields__ignore=["remark"])
    result = read(repacked(path, swell), mapping)
    assert result.forms == 1 or result.rules("reject")

    def swell_more(name: str, content: bytes) -> bytes:
        return content.replace(b"x" * (10 << 20), b"ab" * (10 << 20))

    assert read(repacked(path, swell_more), mapping).rules("reject") == {"cell-too-large"}


def bomb(path: Path) -> Path:
    """A workbook whose sheet unpacks to a thousand times its size."""
    return repacked(path, in_sheet(b"</sheetData>", b" " * (80 << 20) + b"</sheetData>"))


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (bomb, "archive-too-large"),
        (lambda p: repacked(p, in_sheet(b"<sheetData>", b"<sheetData><row><c r=")), "not-a-workbook"),
        (lambda p: repacked(p, lambda n, c: b"<!DOCTYPE x>" + c if n == "xl/workbook.xml" else c), "not-a-workbook"),
        (lambda p: repacked(p, lambda n, c: b"" if n == "xl/workbook.xml" else c), "not-a-workbook"),
        (lambda p: repacked(p, in_sheet(b"<worksheet ", b"<!DOCTYPE x><worksheet ")), "not-a-workbook"),
        (lambda p: repacked(p, in_sheet(b"<v>1</v>", b"<v>&one;</v>")), "not-a-workbook"),
        (lambda p: repacked(p, in_sheet(b't="s"><v>1</v>', b't="s"><v>-1</v>')), "not-a-workbook"),
        (lambda p: repacked(p, in_sheet(b't="s"><v>1</v>', b"t='s' ><v > 1</v>")), "not-a-workbook"),
        (lambda p: p.write_bytes(p.read_bytes()[:2000]), "archive-unreadable"),
        (lambda p: p.write_bytes(b"PK\x03\x04 and nothing"), "archive-unreadable"),
        (lambda p: p.write_bytes(b"patient,therapist\n"), "not-a-workbook"),
        (lambda p: p.write_bytes(b""), "not-a-workbook"),
        (lambda p: p.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000)), "not-a-workbook"),
    ],
)  # fmt: skip
def test_a_hostile_or_damaged_workbook_is_refused(
    tmp_path: Path, damage: Callable[[Path], object], rule: str
) -> None:
    path = book(tmp_path / "b.xlsx", {"S": [NAMES, record()]})
    damage(path)
    result = read(path)
    assert result.rules("reject") == {rule}
    assert result.rows == []


def test_a_size_that_lies_does_not_get_past(tmp_path: Path) -> None:
    """The list of the archive says 100 bytes where there are many more."""
    path = book(tmp_path / "b.xlsx", {"S": [NAMES, record()]})
    raw = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    size = info.file_size.to_bytes(4, "little")
    path.write_bytes(raw.replace(size, (100).to_bytes(4, "little")))
    result = read(path)
    assert result.rules("reject") <= {"archive-unreadable", "not-a-workbook"}
    assert result.rules("reject")


@pytest.mark.parametrize("sign", ["\x01", "\ufffd"])
def test_a_cell_with_what_no_text_should_hold_is_refused_with_its_row(
    made: Callable[..., Read], sign: str
) -> None:
    result = made(record("a"), record(f"b{sign}"))
    assert result.at("cell-control-character") + result.at("cell-damaged") == [(3, None)]


def test_times_of_day_come_back_to_the_second(made: Callable[..., Read]) -> None:
    start = datetime(2026, 3, 1, 0, 0, 1)
    times = [start + timedelta(seconds=7919 * n) for n in range(200)]
    result = made(
        *(record(f"p{n}", day=at) for n, at in enumerate(times)),
        default_date_format="yyyy-mm-dd hh:mm:ss",
    )
    found = {r[1]: r[10] for r in result.rows}
    assert found == {f"p{n}": at.isoformat() for n, at in enumerate(times)}
