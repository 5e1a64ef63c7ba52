"""What a clinic is to mend, as a page of its own that may be mailed, and the same as a table."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from reports.language import _
from reports.pages.shared import Page, page_path, shared, stem
from reports.rows import Row, Tables, in_order

# What a spreadsheet takes for the beginning of a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
HEAD: Final = (
    "Order", "Severity", "File", "Column", "Lines", "How often", "What is wrong", "What to do",
    "At most", "Rule",
)  # fmt: skip


def pages(tables: Tables) -> Iterator[Page]:
    """Lists a page for each clinic; it leads nowhere, so that it can be sent alone."""
    for clinic in in_order(tables, "fix_clinic", "clinic_name", "clinic_id"):
        yield Page(page_path(clinic), "mend.html.j2", partial(_mend, tables, clinic))


def _mend(tables: Tables, clinic: Row) -> dict[str, Any]:
    causes = list(_causes(tables, clinic))
    return shared(tables, "mend", clinic["clinic_id"]) | {
        "clinic": clinic,
        "causes": [{**row, "files": files} for row, files in causes if row["severity"] == "reject"],
        "warnings": [
            place for row, files in causes if row["severity"] != "reject" for place in files
        ],
    }


def _causes(tables: Tables, clinic: Row) -> Iterator[tuple[Row, list[Row]]]:
    """Gives each cause of a clinic, the root first, with the files and lines where it stands."""
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in in_order(tables, "fix_list", "fix_order", "file_name", "delivery_id"):
        if row["clinic_id"] == clinic["clinic_id"]:
            places.setdefault(_key(row), []).append(row)
    for cause in in_order(tables, "fix_cause", "cause_order"):
        if cause["clinic_id"] == clinic["clinic_id"]:
            yield cause, places.get(_key(cause), [])


def _key(row: Row) -> tuple[Any, ...]:
    return row["severity"], row["rule"], row["column_name"]


def mend_tables(tables: Tables) -> Iterator[tuple[str, bytes]]:
    """Yields the list of each clinic as comma-separated text that a spreadsheet opens as text."""
    for clinic in in_order(tables, "fix_clinic", "clinic_name", "clinic_id"):
        held = io.StringIO()
        writer = csv.writer(held, lineterminator="\r\n")
        writer.writerow([_(name) for name in HEAD])
        for cause, files in _causes(tables, clinic):
            for row in files:
                writer.writerow([_cell(cell) for cell in _cells(cause, row)])
        # The mark at the beginning tells spreadsheets that it is UTF-8.
        yield f"{stem(clinic)}.csv", ("\ufeff" + held.getvalue()).encode()


def _cells(cause: Row, row: Row) -> tuple[Any, ...]:
    return (
        cause["cause_order"], row["severity"], row["file_name"], row["column_name"],
        row["lines_text"], row["n"], row["message"], row["what_to_do"], cause["effect_text"],
        row["rule"],
    )  # fmt: skip


def _cell(cell: Any) -> Any:
    """Returns a cell as spreadsheets may have it: text that looks like a formula begins with a quote."""
    if not isinstance(cell, str):
        return cell
    said = _(cell)
    return f"'{said}" if said.startswith(FORMULA) else said
