"""The charts and cards of one page, drawn for one unit: service, clinic or therapist."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, groupby
from typing import Any, NamedTuple

from reports import charts, words
from reports.chart import Chart
from reports.rows import Figure, FigureKey, Row, by_section, levels_without_course

# Rows that one sheet of paper holds; a mean has an axis of its own.
PER_CHART = {"rate": 10, "mean": 5}


class Card(NamedTuple):
    """A figure that is shown, with what must be said beside it."""

    figure: Figure
    caution: str | None


class Withheld(NamedTuple):
    """A figure that is not shown, and why."""

    figure: Figure
    reason: str


class Artist:
    """Draws the charts of one page and numbers them."""

    def __init__(self, unit_name: str) -> None:
        """Takes what the page's own unit is called in legends."""
        self._unit_name = unit_name
        self._numbers = count(1)

    def sections(
        self, figures: Sequence[Figure], kept_back: Iterable[FigureKey] = ()
    ) -> list[dict[str, Any]]:
        """Groups figures by section: those shown as cards, those withheld with their reason.

        `kept_back` names alliance levels that this page must not show without their course.
        """
        hidden, alone = set(kept_back), levels_without_course(figures)
        return [
            {
                "id": f"group-{number}",
                "title": section.title,
                "lead": section.lead,
                "cards": [
                    Card(figure, words.ALLIANCE_CAUTION if figure.key in alone else None)
                    for figure in members
                    if figure.is_shown and figure.key not in hidden
                ],
                "withheld": [
                    Withheld(figure, _reason(figure))
                    for figure in members
                    if not figure.is_shown or figure.key in hidden
                ],
            }
            for number, (section, members) in enumerate(by_section(figures), start=1)
        ]

    def completeness(self, figures: Iterable[Figure]) -> Chart | None:
        """Draws the shares of the completeness section as bars; None where there are none."""
        members = [
            figure
            for figure in figures
            if figure.is_shown and figure.year["section"] == "completeness"
        ]
        rates = [figure for figure in members if figure.year["kind"] == "rate"]
        if not rates:
            return None
        return charts.bars(self._id(), "Completeness", rates, self._unit_name)

    def comparisons(self, figures: Iterable[Figure]) -> list[Chart]:
        """Draws rates on one scale, then means on their own scales, each against the service."""
        members = [
            figure
            for figure in figures
            if figure.is_shown
            and figure.service is not None
            and figure.year["section"] != "completeness"
        ]
        titles = {
            "rate": "Rates beside the whole service",
            "mean": "Means beside the whole service",
        }
        groups = {
            kind: [figure for figure in members if figure.year["kind"] == kind] for kind in titles
        }
        return [
            charts.compare(
                self._id(),
                f"{titles[kind]}, part {number}" if len(group) > PER_CHART[kind] else titles[kind],
                part,
                self._unit_name,
            )
            for kind, group in groups.items()
            for number, part in enumerate(_parts(group, PER_CHART[kind]), start=1)
        ]

    def courses(self, name: str, cells: Iterable[Row]) -> list[Chart]:
        """Draws the expected course of one questionnaire, a chart for each range of intake scores."""
        return [
            charts.course(self._id(), name, list(members))
            for _, members in groupby(cells, key=lambda cell: cell["intake_band"])
        ]

    def phases(self, rows: Sequence[Row]) -> list[Chart]:
        """Draws each questionnaire's phases of treatment; one without a value is left out."""
        names = dict.fromkeys(row["instrument"] for row in rows if row["value"] is not None)
        return [
            charts.phases(self._id(), [row for row in rows if row["instrument"] == name])
            for name in names
        ]

    def funnel(self, row: Row, points: Sequence[Row], clinic_id: str) -> Chart:
        """Draws a funnel in which the points of one clinic are marked."""
        return charts.funnel(self._id(), row, points, clinic_id)

    def calibration(self, points: Sequence[Row]) -> Chart | None:
        """Draws the calibration curve; None without a model that was tested."""
        is_told = any(point["observed"] is not None for point in points)
        return charts.calibration(self._id(), points) if is_told else None

    def incidence(self, points: Iterable[Row]) -> list[Chart]:
        """Draws the curves of endings, a chart for each group."""
        return [
            charts.incidence(self._id(), list(members))
            for _, members in groupby(points, key=lambda point: point["group_id"])
        ]

    def over_time(
        self, figures: Sequence[Figure], months: Mapping[FigureKey, tuple[Row, Sequence[Row]]]
    ) -> dict[str, Any]:
        """Draws figures over time: months with limits, or quarters where they are too few.

        What can be drawn neither way is named under its reason, once for all that share it.
        """
        drawn = [(figure, self._over_time(figure, months)) for figure in figures]
        shown = {figure.key for figure, chart in drawn if chart is not None}
        return {
            "charts": [chart for _, chart in drawn if chart is not None],
            "caution": words.ALLIANCE_CAUTION if levels_without_course(figures) & shown else None,
            "withheld": _by_reason(
                (figure, months[figure.key][0]["why_not"])
                for figure, chart in drawn
                if chart is None and figure.key in months
            ),
        }

    def _over_time(
        self, figure: Figure, months: Mapping[FigureKey, tuple[Row, Sequence[Row]]]
    ) -> Chart | None:
        if not has_chart(figure, months):
            return None
        if figure.key in months and months[figure.key][0]["is_drawn"]:
            row, points = months[figure.key]
            return charts.process(self._id(), row, points, figure.target_over_time)
        return charts.trend(self._id(), figure, self._unit_name)

    def _id(self) -> str:
        return f"chart-{next(self._numbers)}"


def has_chart(figure: Figure, months: Mapping[FigureKey, tuple[Row, Sequence[Row]]]) -> bool:
    """Says whether a figure can be drawn over time: by months with limits, or by quarters."""
    return (figure.key in months and months[figure.key][0]["is_drawn"]) or figure.has_trend


def _parts(figures: Sequence[Figure], most: int) -> list[Sequence[Figure]]:
    return [figures[start : start + most] for start in range(0, len(figures), most)]


def _reason(figure: Figure) -> str:
    """Says why a figure is withheld: its own note, or that a level must not stand alone."""
    if figure.is_shown:
        return words.ALLIANCE_ALONE
    return figure.year["note"] or charts.NOT_SHOWN


def _by_reason(figures: Iterable[tuple[Figure, str]]) -> list[tuple[str, list[Row]]]:
    """Groups what is not drawn by its reason, in the order in which reasons come."""
    reasons: dict[str, list[Row]] = {}
    for figure, reason in figures:
        reasons.setdefault(reason, []).append(figure.year)
    return list(reasons.items())
