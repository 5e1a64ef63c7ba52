"""What moved since the night before: the managers' page of it, and its part of their first page."""

from typing import Any, Final, NamedTuple

from reports.pages.shared import shared
from reports.rows import Row, Tables, in_order, only_row

LEAD: Final = (
    "Each course that counts otherwise than the night before belongs to one part whole, and the parts add up to the "
    "movement. A figure that moves by one course has not become better or worse: look at the interval."
)
PARTS: Final = (
    (
        "rule_text",
        "Rule change",
        "a definition or setting was changed, and the same data count otherwise",
    ),
    (
        "time_text",
        "Passing of time",
        "the twelve months moved on, or silence became an ending; no row changed",
    ),
    (
        "corrected_text",
        "Corrected rows",
        "rows were mended, exported again otherwise, or taken back",
    ),
    ("late_text", "Late pairs", "a form came that completes the pair of a course that had ended"),
    ("new_text", "New data", "appointments, forms and courses that were not there"),
    (
        "together_text",
        "Not told apart",
        "several of these at once in one course, or parts with too few courses to be shown one by one",
    ),
)
TOGETHER: Final = "together_text"
# Of the service's figures, so many stand on the first page.
FIRST = 5


class Part(NamedTuple):
    """What moved a figure: in words, by how much, and whether these are several that are not told apart."""

    what: str
    amount: str | None
    is_together: bool


def changed(tables: Tables) -> dict[str, Any]:
    """Gathers every figure that moved, by unit: the year's, and those of other periods."""
    return shared(tables, "changed") | {
        "lead": LEAD,
        "change": only_row(tables, "change_night"),
        "moved_by": PARTS,
        "rule_changes": in_order(tables, "rule_change", "kind", "name"),
        "units": [
            {
                "row": rows[0],
                "years": [_told(row) for row in rows if row["period_kind"] == "year"],
                "others": [_told(row) for row in rows if row["period_kind"] != "year"],
            }
            for rows in _by_unit(tables)
        ],
    }


def first_changes(tables: Tables) -> dict[str, Any]:
    """Gathers what the first page says of it: how much came, and the service's own figures."""
    moved = [
        row
        for row in in_order(tables, "changed", "change_order")
        if row["level"] == "service" and row["period_kind"] == "year" and row["is_visible"]
    ]
    return {
        "change": only_row(tables, "change_night"),
        "rule_changes": in_order(tables, "rule_change", "kind", "name"),
        "first_changes": [_told(row) for row in moved[:FIRST]],
        "has_more_changes": len(moved) > FIRST,
    }


def _told(row: Row) -> Row:
    """Adds what moved a figure; what did so alone has no number, because it is the whole movement."""
    told = [
        Part((key == TOGETHER and row["together_of"]) or name, row[key], key == TOGETHER)
        for key, name, _ in PARTS
        if row[key] is not None
    ]
    return {
        **row,
        "parts": [part._replace(amount=None) for part in told] if len(told) == 1 else told,
    }


def _by_unit(tables: Tables) -> list[list[Row]]:
    units: dict[str, list[Row]] = {}
    for row in in_order(tables, "changed", "change_order"):
        if row["is_visible"]:
            units.setdefault(f"{row['level']} {row['unit_id']}", []).append(row)
    return list(units.values())
