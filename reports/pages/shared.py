"""What the pages of every audience have in common: a page, its path, and what it says of its night."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from reports import words
from reports.rows import Row, Tables, in_order, only_row

FRONT: Final = "index.html"
STEM: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*")


@dataclass(frozen=True)
class Page:
    """One page: its path in its audience's folder, its template, and what gathers its data.

    A page with a name stands in the navigation of its folder.
    """

    path: str
    template: str
    data: Callable[[], dict[str, Any]]
    name: str | None = None


def stem(row: Row) -> str:
    """Returns what a unit's page or folder is called; ValueError where it could lead elsewhere."""
    if not STEM.fullmatch(row["page"] or ""):
        raise ValueError(f"not a usable page name: {row['page']!r}")
    return row["page"]


def page_path(row: Row) -> str:
    """Returns the path of a unit's page."""
    return f"{stem(row)}.html"


def has_page(tables: Tables, therapist: Row) -> bool:
    """Says whether a therapist gets a page: never where the night withholds therapist figures."""
    is_withheld = only_row(tables, "night")["therapist_figures"] != "shown"
    return not is_withheld and therapist["has_page"] is True


def shared(tables: Tables, page: str, clinic_id: str | None = None) -> dict[str, Any]:
    """Gives what every page says: the night, the audience, and which clinics its figures miss."""
    return {
        "night": only_row(tables, "night"),
        "audience": words.AUDIENCE[page],
        "page": page,
        "root": "",
        "home": (FRONT, only_row(tables, "night")["service_name"]),
        "fresh": [
            row
            for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
            if clinic_id in (None, row["clinic_id"])
        ],
        "words": words,
        "defined": {row["measure"] for row in tables["definition"]},
        "clinic_names": {row["clinic_id"]: row["clinic_name"] for row in tables["clinic"]},
        "missing_clinics": _missing(tables, clinic_id),
    }


def _missing(tables: Tables, clinic_id: str | None) -> list[Row]:
    """Clinics whose night failed, among those that a page speaks about: one of them, or all."""
    return [
        row
        for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
        if row["state"] == "failed" and clinic_id in (None, row["clinic_id"])
    ]


def facts(tables: Tables, page: str, *names: str) -> dict[str, Any]:
    """Gathers the lines of a page by topic; a topic without lines has an empty list."""
    facts: defaultdict[str, list[Row]] = defaultdict(list)
    for name in names:
        for row in in_order(tables, name, "topic", "line_order"):
            facts[row["topic"]].append(row)
    return shared(tables, page) | {"facts": facts}


def clinics(tables: Tables) -> list[dict[str, Any]]:
    """Lists the clinics with the paths of their pages."""
    return [
        {**row, "path": page_path(row)}
        for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
    ]


def to_do(tables: Tables, therapist: Row) -> dict[str, Any]:
    """Gives what a therapist is to act on this week, and whether there is a worklist at all."""
    theirs = [
        row
        for row in in_order(tables, "worklist", "place")
        if row["section"] == "to_do" and row["therapist_id"] == therapist["therapist_id"]
    ]
    heads = [row["therapist_id"] for row in tables["worklist_page"]]
    return {
        "to_do": by_number(tables, theirs),
        "has_worklist": therapist["therapist_id"] in heads,
    }


def fix_list(tables: Tables) -> list[Row]:
    """Lists what is to be mended, the most urgent first."""
    columns = ("fix_order", "clinic_id", "file_name", "rule", "column_name")
    return in_order(tables, "fix_list", *columns)


def by_clinic(rows: list[Row]) -> list[dict[str, Any]]:
    """Groups rows by the clinic they name, in the order in which clinics come."""
    clinics = {row["clinic_id"]: row["clinic_name"] for row in rows}
    return [
        {"name": name, "rows": [row for row in rows if row["clinic_id"] == clinic_id]}
        for clinic_id, name in clinics.items()
    ]


def by_number(tables: Tables, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Gives the rows with the clinic's own number of each patient, where it is known here."""
    numbers = {row["patient_id"]: row["number"] for row in tables["patient_number"]}
    return [{**row, "patient": numbers.get(row["patient_id"], row["patient"])} for row in rows]


def called(tables: Tables, therapist: Row) -> str:
    """Returns what a therapist is called in the folders of the care team."""
    names = {row["therapist_id"]: row["name"] for row in tables["therapist_name"]}
    return names.get(therapist["therapist_id"], therapist["label"])
