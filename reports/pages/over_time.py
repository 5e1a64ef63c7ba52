"""Pages of figures over time, for managers: of the service and of each clinic, one for each section.

A section has a page of its own because a service with many questionnaires has a hundred charts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from reports import process_words, words
from reports.artist import Artist, has_chart
from reports.language import _
from reports.pages.shared import Page, page_path, shared, stem
from reports.rows import (
    Figure,
    FigureKey,
    Figures,
    Row,
    Tables,
    by_section,
    figure_key,
    in_order,
)

SERVICE: Final = "over-time"
Unit = tuple[str, str]


class Months:
    """The months of every figure with its process limits, sorted by whose they are once for all pages."""

    def __init__(self, tables: Tables) -> None:
        """Takes the report tables."""
        points: defaultdict[tuple[Unit, FigureKey], list[Row]] = defaultdict(list)
        for row in in_order(tables, "process_point", "month_no"):
            points[_unit(row), figure_key(row)].append(row)
        self._charts: defaultdict[Unit, dict[FigureKey, tuple[Row, list[Row]]]] = defaultdict(dict)
        for row in tables["process_chart"]:
            key = figure_key(row)
            self._charts[_unit(row)][key] = (row, points[_unit(row), key])

    def of(self, unit: Unit) -> dict[FigureKey, tuple[Row, list[Row]]]:
        """Gives the figures of one unit."""
        return self._charts[unit]


class Subject(NamedTuple):
    """Whose figures: the service's (`clinic` is None), or a clinic's."""

    unit: Unit
    stem: str
    name: str
    clinic: Row | None


def clinic_path(clinic: Row) -> str:
    """Returns the path of a clinic's figures over time; a clinic's own stem has no dot."""
    return f"{_clinic(clinic).stem}.html"


def _clinic(clinic: Row) -> Subject:
    of_it = {**clinic, "path": page_path(clinic)}
    unit = ("clinic", clinic["clinic_id"])
    return Subject(unit, f"{stem(clinic)}.{SERVICE}", "This clinic", of_it)


def pages(tables: Tables, figures: Figures) -> Iterator[Page]:
    """Lists the pages of the service, then those of each clinic: what is there, then each section."""
    service = Subject(("service", "service"), SERVICE, "Whole service", None)
    clinics = in_order(tables, "clinic", "clinic_name", "clinic_id")
    months = Months(tables)
    for subject in (service, *map(_clinic, clinics)):
        sections = by_section(figures.of(*subject.unit))
        name = "Over time" if subject.clinic is None else None
        front = partial(_front, tables, months, subject, sections)
        yield Page(f"{subject.stem}.html", "over_time.html.j2", front, name)
        for section, members in sections:
            gather = partial(_section, tables, months, subject, section, members)
            yield Page(_section_path(subject, members), "over_time_section.html.j2", gather)


def _section_path(subject: Subject, members: Sequence[Figure]) -> str:
    return f"{subject.stem}.{members[0].year['section'].replace('_', '-')}.html"


def _front(
    tables: Tables,
    months: Months,
    subject: Subject,
    sections: Sequence[tuple[words.Section, list[Figure]]],
) -> dict[str, Any]:
    charts = months.of(subject.unit)
    return _shared(tables, subject) | {
        "sections": [
            (
                section.title,
                _section_path(subject, members),
                [
                    (figure.year["label"], _stands_out(charts.get(figure.key)))
                    for figure in members
                    if has_chart(figure, charts)
                ],
            )
            for section, members in sections
        ]
    }


def _stands_out(chart: tuple[Row, Sequence[Row]] | None) -> str | None:
    """Says what the latest month tells, where that is a special cause."""
    if chart is None or not chart[0]["is_drawn"]:
        return None
    causes = [point["cause"] for point in chart[1] if point["value"] is not None]
    return chart[0]["latest_text"] if causes and causes[-1] else None


def _section(
    tables: Tables,
    months: Months,
    subject: Subject,
    section: words.Section,
    members: Sequence[Figure],
) -> dict[str, Any]:
    """Draws one section; the legends stand once for all of its charts."""
    drawn = Artist(subject.name).over_time(members, months.of(subject.unit))
    legends = [chart.legend for chart in drawn["charts"]]
    has_target = any(figure.target_over_time is not None for figure in members)
    marks = (*process_words.LEGEND, *([process_words.TARGET] if has_target else []))
    return _shared(tables, subject) | {
        "section": section,
        "group": drawn,
        "over_time_path": f"{subject.stem}.html",
        "months": [(mark, _(name)) for mark, name in marks],
        "quarters": max(legends, key=len, default=()),
    }


def _shared(tables: Tables, subject: Subject) -> dict[str, Any]:
    clinic_id = subject.clinic["clinic_id"] if subject.clinic is not None else None
    about = {"clinic": subject.clinic, "process_words": process_words}
    return shared(tables, "over_time", clinic_id) | about


def _unit(row: Row) -> Unit:
    return row["level"], row["unit_id"]
