"""The figures of the managers' pages as a workbook, for those who answer to a commissioner.

One sheet for each section of figures. A number is a number cell; a figure that is not shown has its
reason in place of a number, never a blank that could be taken for nothing. The same rows give the same
bytes: no clock is asked.
"""

import datetime
import io
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports import words
from reports.language import _
from reports.rows import Row, Tables, in_order, only_row

# A format is declared by the file, not taken from the machine's clock or the reader's settings.
WRITTEN: Final = datetime.datetime(2000, 1, 1)
UNSAFE: Final = re.compile(r"[\[\]:*?/\\']")
LONGEST_NAME: Final = 31
FORMATS: Final = {
    "rate": "0.0%", "mean": "0.00", "count": "0", "number": "0", "date": "yyyy-mm-dd",
}  # fmt: skip


class Column(NamedTuple):
    """A column of a sheet: its heading, the column of the row, its format, its width."""

    head: str
    name: str
    form: str = "text"
    width: int = 12


COLUMNS: Final = (
    Column("Figure", "label", width=44),
    Column("Unit", "unit_name", width=24),
    Column("Period", "period_label", width=30),
    Column("From", "period_start", "date"),
    Column("To", "period_end", "date"),
    Column("Period is", "period_state"),
    Column("Value", "value", "value"),
    Column("95 % interval, low", "low", "value"),
    Column("95 % interval, high", "high", "value"),
    Column("Numerator", "numerator", "number"),
    Column("Counted (n)", "n", "number"),
    Column("Eligible", "n_eligible", "number"),
    Column("If all unknown went badly", "worst", "value"),
    Column("If all unknown went well", "best", "value"),
    Column("Note", "note", width=50),
    Column("Target", "target", "value"),
    Column("Target is", "target_direction"),
    Column("Set by", "target_source", width=24),
    Column("What is counted", "numerator_words", width=50),
    Column("Of what", "denominator_words", width=50),
    Column("Definition", "version", width=10),
    Column("As of", "as_of", "date"),
)
WITHHELD: Final = frozenset({"value", "low", "high", "numerator"})
NOT_SHOWN: Final = "not shown"


def figures_workbook(tables: Tables) -> bytes:
    """Returns the workbook; see `reports.render.render` for the tables."""
    held = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    }  # fmt: skip
    book = xlsxwriter.Workbook(held, options)
    book.set_properties({"title": "Rapport", "created": WRITTEN})
    forms = {name: book.add_format({"num_format": mask}) for name, mask in FORMATS.items()}
    forms |= {"text": book.add_format(), "head": book.add_format({"bold": True, "text_wrap": True})}
    _notes(book.add_worksheet(_name(_("Notes"), set())), tables, forms)
    taken = {_name(_("Notes"), set())}
    sections: dict[str, list[Row]] = {}
    for row in in_order(tables, "workbook_line", "line_order"):
        sections.setdefault(row["section"], []).append(row)
    for section, members in sections.items():
        known = words.SECTIONS.get(section)
        name = _name(_(known.title) if known else section, taken)
        taken.add(name)
        _sheet(book.add_worksheet(name), members, forms)
    book.close()
    return held.getvalue()


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name as spreadsheets allow it, and not one that is there."""
    stem = UNSAFE.sub(" ", title).strip()[:LONGEST_NAME] or "-"
    name, number = stem, 1
    while name.casefold() in {other.casefold() for other in taken}:
        number += 1
        name = f"{stem[: LONGEST_NAME - len(str(number)) - 1]} {number}"
    return name


def _sheet(sheet: Worksheet, rows: Sequence[Row], forms: dict[str, Format]) -> None:
    for place, column in enumerate(COLUMNS):
        sheet.write_string(0, place, _(column.head), forms["head"])
        sheet.set_column(place, place, column.width)
    for line, row in enumerate(rows, start=1):
        for place, column in enumerate(COLUMNS):
            _write(sheet, line, place, _cell(row, column), forms[_form(row, column)])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(COLUMNS) - 1)


def _cell(row: Row, column: Column) -> Any:
    """What stands in a cell: words where a figure is withheld, never nothing in place of its value."""
    if column.name == "unit_name" and row["unit_name"] is None:
        return _("Whole service")
    if column.name in WITHHELD and not row["is_shown"]:
        return _(row["note"] or NOT_SHOWN) if column.name == "value" else None
    return _(row[column.name]) if column.form == "text" else row[column.name]


def _form(row: Row, column: Column) -> str:
    return row["kind"] if column.form == "value" else column.form


def _write(sheet: Worksheet, line: int, place: int, cell: Any, form: Format) -> None:
    """A text is written as text whatever it begins with: nothing that was exported becomes a formula."""
    if cell is None:
        return
    if isinstance(cell, str):
        sheet.write_string(line, place, cell)
    elif isinstance(cell, datetime.date):
        sheet.write_datetime(line, place, datetime.datetime.combine(cell, datetime.time()), form)
    else:
        sheet.write_number(line, place, float(cell), form)


def _notes(sheet: Worksheet, tables: Tables, forms: dict[str, Format]) -> None:
    """What the figures are of, how fresh each clinic is, and what not to conclude."""
    night = only_row(tables, "night")
    lines = [
        (_("Service"), night["service_name"]),
        (_("As of"), night["as_of"]),
        (_("Revision"), night["revision"]),
        (_("Night"), _(night["state_text"])),
        ("", ""),
        *(
            (row["clinic_name"], _(row["state_text"]))
            for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
        ),
        ("", ""),
        *((_("How to read it"), _(text)) for text in words.WORKBOOK_NOTES),
        ("", ""),
        *((f"{_('Do not conclude')}: {_(what)}", _(why)) for what, why in words.DO_NOT_CONCLUDE),
    ]
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 120)
    for line, (what, said) in enumerate(lines):
        _write(sheet, line, 0, what, forms["text"])
        _write(sheet, line, 1, said, forms["number" if isinstance(said, int) else "date"])
