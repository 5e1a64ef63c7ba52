"""The workbook of figures, as a spreadsheet opens it."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from reports.workbook import COLUMNS, _name, figures_workbook
from tests.reports.fixture_tables import HOSTILE, LEAK, TOO_FEW, make_tables


@pytest.fixture(scope="module")
def held() -> bytes:
    return figures_workbook(make_tables())


@pytest.fixture(scope="module")
def sheets(held: bytes) -> dict[str, list[dict[str, object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(held))
    found = {}
    for name in book.sheet_names:
        head, *rows = book.get_sheet_by_name(name).to_python()
        found[name] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def test_each_section_has_its_sheet_and_each_figure_its_line(sheets):
    rows = make_tables()["workbook_line"]
    assert len(sheets) == 1 + len({row["section"] for row in rows}) and "Notes" in sheets
    assert sum(len(lines) for name, lines in sheets.items() if name != "Notes") == len(rows)


def test_numbers_are_numbers_and_dates_are_dates(sheets):
    rows = [row for row in make_tables()["workbook_line"] if row["is_shown"]]
    lines = [line for name, found in sheets.items() if name != "Notes" for line in found]
    shown = [line for line in lines if not isinstance(line["Value"], str)]
    assert len(shown) == len(rows)
    assert sorted(line["Value"] for line in shown) == sorted(float(row["value"]) for row in rows)
    assert all(line["As of"] == date(2026, 11, 20) for line in lines)
    assert {type(line["Counted (n)"]) for line in shown} == {float}


def test_a_figure_that_is_not_shown_is_its_reason(sheets, held):
    values = [line["Value"] for name, found in sheets.items() if name != "Notes" for line in found]
    assert TOO_FEW in values and "" not in values
    with zipfile.ZipFile(io.BytesIO(held)) as parts:
        assert not any(LEAK in parts.read(name).decode() for name in parts.namelist())


def test_nothing_in_it_is_a_formula_or_a_link(held, sheets):
    units = {line["Unit"] for name, found in sheets.items() if name != "Notes" for line in found}
    assert HOSTILE in units and "Whole service" in units
    with zipfile.ZipFile(io.BytesIO(held)) as parts:
        texts = {name: parts.read(name).decode() for name in parts.namelist()}
    assert not any("<f>" in text or "<hyperlink" in text for text in texts.values())
    assert not any("http://evil" in text for name, text in texts.items() if name.endswith(".rels"))


def test_the_same_rows_give_the_same_bytes(held):
    assert figures_workbook(make_tables()) == held


def test_notes_say_what_not_to_conclude(sheets):
    said = str(sheets["Notes"])
    assert "one clinic or therapist is better" in said and "It is not zero" in said


def test_a_target_stands_beside_its_figure():
    tables = make_tables()
    tables["workbook_line"] = [
        tables["workbook_line"][0]
        | {"target": Decimal("0.5"), "target_direction": "at least", "target_source": HOSTILE}
    ]
    book = CalamineWorkbook.from_filelike(io.BytesIO(figures_workbook(tables)))
    line = dict(zip(*book.get_sheet_by_index(1).to_python(), strict=True))
    assert (line["Target"], line["Target is"], line["Set by"]) == (0.5, "at least", HOSTILE)


def test_sheets_have_names_that_spreadsheets_allow():
    assert _name("A/B: [c]*?", set()) == "A B   c"
    long = _name("x" * 40, set())
    assert (
        len(long) == 31 and len(_name("x" * 40, {long})) == 31 and _name("x" * 40, {long}) != long
    )
    assert _name("ENDINGS", {"Endings"}) == "ENDINGS 2" and _name("//", set()) == "-"
    assert len({column.head for column in COLUMNS}) == len(COLUMNS)
