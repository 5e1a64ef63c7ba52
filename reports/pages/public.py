"""Pages for everyone outside of the service: the service as a whole, rounded, and the notice for patients.

They read no table but those made for them: nothing of a clinic, a therapist or a patient is at hand.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from reports import words
from reports.pages.shared import Page
from reports.rows import Tables, in_order, only_row

FRONT: Final = "index.html"
NOTICE: Final = "notice.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for the public."""
    yield Page(FRONT, "public.html.j2", partial(_front, tables), "This service in figures")
    yield Page(NOTICE, "notice.html.j2", partial(_notice, tables), "What happens with your answers")


def _front(tables: Tables) -> dict[str, Any]:
    figures = in_order(tables, "public_figure", "figure_order", "label")
    sections = dict.fromkeys(row["section"] for row in figures)
    return _shared(tables, "public") | {
        "window": figures[0]["period_label"] if figures else None,
        "sections": [
            {
                "title": words.SECTIONS[name].title,
                "rows": [row for row in figures if row["section"] == name],
            }
            for name in sections
        ],
    }


def _notice(tables: Tables) -> dict[str, Any]:
    return _shared(tables, "notice") | {
        "notice": only_row(tables, "notice"),
        "instruments": sorted({row["name"] for row in tables["instrument"]}),
    }


def _shared(tables: Tables, page: str) -> dict[str, Any]:
    night = only_row(tables, "night")
    return {
        "night": night,
        "audience": words.AUDIENCE[page],
        "page": page,
        "home": (FRONT, night["service_name"]),
        "root": None,
        "words": words,
        "missing_clinics": [],
        "fresh": [],
    }
