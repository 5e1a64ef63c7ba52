"""Pages of single clinics and therapists, for managers."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

from reports.artist import Artist
from reports.pages import over_time
from reports.pages.shared import Page, fix_list, has_page, page_path, shared
from reports.rows import (
    Figures,
    Row,
    Tables,
    figure_key,
    in_order,
    levels_without_course,
    only_row,
)


def pages(tables: Tables, figures: Figures) -> Iterator[Page]:
    """Lists a page for each clinic, and for each therapist who may have one."""
    for clinic in in_order(tables, "clinic", "clinic_name", "clinic_id"):
        yield Page(page_path(clinic), "clinic.html.j2", partial(_clinic, tables, figures, clinic))
    of_therapists = TherapistFigures(tables, figures)
    for row in in_order(tables, "therapist", "clinic_id", "label", "therapist_id"):
        if has_page(tables, row):
            yield Page(page_path(row), "therapist.html.j2", partial(of_therapists.gather, row))


def _clinic(tables: Tables, figures: Figures, clinic: Row) -> dict[str, Any]:
    own = figures.of("clinic", clinic["clinic_id"])
    draw = Artist("This clinic")
    fixes = [row for row in fix_list(tables) if row["clinic_id"] == clinic["clinic_id"]]
    therapists = [
        {**row, "path": page_path(row) if has_page(tables, row) else None}
        for row in in_order(tables, "therapist", "label", "therapist_id")
        if row["clinic_id"] == clinic["clinic_id"]
    ]
    return shared(tables, "clinic", clinic["clinic_id"]) | {
        "clinic": clinic,
        "over_time_path": over_time.clinic_path(clinic),
        "completeness_chart": draw.completeness(own),
        "comparisons": draw.comparisons(own),
        "sections": draw.sections(own),
        "therapists": therapists,
        "funnels": _funnels(tables, clinic, draw),
        "rejects": [row for row in fixes if row["severity"] == "reject"],
        "warnings": [row for row in fixes if row["severity"] != "reject"],
    }


def _funnels(tables: Tables, clinic: Row, draw: Artist) -> list[dict[str, Any]]:
    """Gives the service's funnels, the clinic's own points marked; none without therapist figures."""
    if only_row(tables, "night")["therapist_figures"] != "shown":
        return []
    points = in_order(tables, "funnel_point", "point")
    return [
        {
            "row": row,
            "chart": draw.funnel(
                row, [p for p in points if figure_key(p) == figure_key(row)], clinic["clinic_id"]
            )
            if row["is_drawn"]
            else None,
        }
        for row in in_order(tables, "funnel", "funnel_order", "instrument_id")
    ]


class TherapistFigures:
    """The figures of therapists, sorted by whose they are once for all of their pages."""

    def __init__(self, tables: Tables, figures: Figures) -> None:
        """Takes the report tables and their figures."""
        self._tables, self._figures = tables, figures
        self._compared = _by_therapist(
            in_order(tables, "comparison", "comparison_order", "instrument_id")
        )
        self._sums = _by_therapist(in_order(tables, "running_sum", "sum_order", "model_id"))

    def gather(self, therapist: Row) -> dict[str, Any]:
        """Gathers what the page of one therapist's figures shows."""
        own = self._figures.of("therapist", therapist["therapist_id"])
        alone = levels_without_course(own)
        paired = [figure for figure in own if figure.key not in alone]
        draw = Artist("This therapist")
        clinic = next(
            row for row in self._tables["clinic"] if row["clinic_id"] == therapist["clinic_id"]
        )
        return shared(self._tables, "therapist", clinic["clinic_id"]) | {
            "therapist": therapist,
            "clinic": {**clinic, "path": page_path(clinic)},
            "comparisons": draw.comparisons(paired),
            "completeness_chart": draw.completeness(own),
            "sections": draw.sections(own, kept_back=alone),
            "compared": self._compared[therapist["therapist_id"]],
            "sums": self._sums[therapist["therapist_id"]],
        }


def _by_therapist(rows: list[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["therapist_id"]].append(row)
    return found
