"""Pages of figures over time, for managers: of the service, and of each clinic."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from reports import process_words
from reports.artist import Artist
from reports.language import _
from reports.pages.shared import Page, page_path, shared, stem
from reports.rows import Figures, Row, Tables, figure_key, in_order

SERVICE: Final = "over-time.html"


def clinic_path(clinic: Row) -> str:
    """Returns the path of a clinic's figures over time; a clinic's own stem has no dot."""
    return f"{stem(clinic)}.over-time.html"


def service_page(tables: Tables, figures: Figures) -> Page:
    """Returns the page of the service."""
    gather = partial(_service, tables, figures)
    return Page(SERVICE, "over_time.html.j2", gather, "Over time")


def clinic_pages(tables: Tables, figures: Figures) -> Iterator[Page]:
    """Lists a page for each clinic."""
    for clinic in in_order(tables, "clinic", "clinic_name", "clinic_id"):
        gather = partial(_clinic, tables, figures, clinic)
        yield Page(clinic_path(clinic), "over_time.html.j2", gather)


def _service(tables: Tables, figures: Figures) -> dict[str, Any]:
    return shared(tables, "over_time") | {
        "clinic": None,
        **_drawn(tables, figures, Artist("Whole service"), "service", "service"),
    }


def _clinic(tables: Tables, figures: Figures, clinic: Row) -> dict[str, Any]:
    unit = ("clinic", clinic["clinic_id"])
    return shared(tables, "over_time", clinic["clinic_id"]) | {
        "clinic": {**clinic, "path": page_path(clinic)},
        **_drawn(tables, figures, Artist("This clinic"), *unit),
    }


def _drawn(
    tables: Tables, figures: Figures, draw: Artist, level: str, unit_id: str
) -> dict[str, Any]:
    """Groups drawings by section; the legends stand once for all of them."""
    unit = (level, unit_id)
    points: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in in_order(tables, "process_point", "month_no"):
        if (row["level"], row["unit_id"]) == unit:
            points[figure_key(row)].append(row)
    months = {
        figure_key(row): (row, points[figure_key(row)])
        for row in tables["process_chart"]
        if (row["level"], row["unit_id"]) == unit
    }
    sections = draw.over_time(figures.of(*unit), months)
    legends = [chart.legend for section in sections for chart in section["charts"]]
    return {
        "process_words": process_words,
        "sections": sections,
        "months": [(mark, _(name)) for mark, name in process_words.LEGEND],
        "quarters": max(legends, key=len, default=()),
    }
