"""Finding the rows a page needs: plain look-ups over report.* in an order that never varies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports import words

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
FigureKey = tuple[str, str]


def figure_key(row: Row) -> FigureKey:
    """Names one figure over units and periods: its measure and its instrument."""
    return row["measure"], row["instrument_id"] or ""


def is_shown(row: Row | None) -> bool:
    """Says whether a figure may be printed; a withheld one is never read beyond label and note."""
    return row is not None and row["is_shown"] is True


@dataclass(frozen=True)
class Figure:
    """One figure of one unit: the year, shorter and financial periods in time order, the service beside.

    The service stands beside a row only where the row itself names the service's value: report.*
    leaves it out where the two must not be compared.
    """

    year: Row
    quarters: tuple[Row, ...] = ()
    months: tuple[Row, ...] = ()
    financial_years: tuple[Row, ...] = ()
    service: Row | None = None
    service_quarters: Mapping[str, Row] = field(default_factory=dict)
    target: Row | None = None

    @property
    def key(self) -> FigureKey:
        """Names the figure within its unit."""
        return figure_key(self.year)

    @property
    def is_shown(self) -> bool:
        """Says whether the year's value may be printed."""
        return is_shown(self.year)

    @property
    def target_over_time(self) -> Row | None:
        """Gives the target of shorter periods; one for a count is of twelve months."""
        return None if self.year["kind"] == "count" else self.target

    @property
    def has_trend(self) -> bool:
        """Says whether at least two quarters may be drawn."""
        return len([row for row in self.quarters if is_shown(row)]) > 1


class Figures:
    """Looks figures up by unit, in the order they are read: section, figure_order, measure."""

    def __init__(self, rows: Iterable[Row], targets: Iterable[Row] = ()) -> None:
        """Sorts `report.figure` once; the rows, and those of `report.target`, may come in any order."""
        self._targets = {
            (row["level"], row["unit_id"], figure_key(row)): row
            for row in targets
            if row["period_id"] == "year"
        }
        self._years: dict[tuple[str, str], dict[FigureKey, Row]] = defaultdict(dict)
        self._periods: dict[tuple[str, str, str], dict[FigureKey, list[Row]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row in sorted(rows, key=_reading_order):
            level, unit_id = row["level"], row["unit_id"]
            if row["period_kind"] == "year":
                self._years[level, unit_id][figure_key(row)] = row
            else:
                self._periods[level, unit_id, row["period_kind"]][figure_key(row)].append(row)

    def of(self, level: str, unit_id: str) -> list[Figure]:
        """Lists the figures of one unit, each with its quarters and the service's figure."""
        service = ("service", "service")
        quarters, months, financial_years = (
            self._periods[level, unit_id, kind] for kind in ("quarter", "month", "financial_year")
        )
        service_quarters = self._periods[*service, "quarter"]
        return [
            Figure(
                year=year,
                quarters=tuple(quarters.get(key, ())),
                months=tuple(months.get(key, ())),
                financial_years=tuple(financial_years.get(key, ())),
                service=self._years[service].get(key) if _is_compared(year) else None,
                service_quarters={
                    row["period_id"]: service_row
                    for row, service_row in _paired(
                        quarters.get(key, ()), service_quarters.get(key, ())
                    )
                    if _is_compared(row)
                },
                target=self._targets.get((level, unit_id, key)),
            )
            for key, year in self._years[level, unit_id].items()
        ]


def _is_compared(row: Row) -> bool:
    return row["level"] != "service" and row["service_value"] is not None


def _paired(own: Iterable[Row], service: Iterable[Row]) -> list[tuple[Row, Row]]:
    """Puts the service's row of the same period beside each row that has one."""
    by_period = {row["period_id"]: row for row in service}
    return [(row, by_period[row["period_id"]]) for row in own if row["period_id"] in by_period]


def _reading_order(row: Row) -> tuple[Any, ...]:
    """Sorts figures by section, then as given, then by period, so that ties cannot occur."""
    return (
        _section_rank(row["section"]),
        row["section"],
        row["figure_order"],
        *figure_key(row),
        row["period_start"],
        row["period_end"],
    )


def _section_rank(section: str) -> int:
    known = list(words.SECTIONS)
    return known.index(section) if section in known else len(known)


def by_section(figures: Iterable[Figure]) -> list[tuple[words.Section, list[Figure]]]:
    """Groups figures under the headings of their sections; an unknown section heads itself."""
    groups: dict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        groups[figure.year["section"]].append(figure)
    return [
        (words.SECTIONS.get(name, words.Section(name.capitalize(), "")), members)
        for name, members in groups.items()
    ]


def levels_without_course(figures: Iterable[Figure]) -> set[FigureKey]:
    """Names the early alliance levels that stand alone, because no course is shown beside them."""
    shown = [figure.year for figure in figures if figure.is_shown]
    courses = {row["instrument_id"] for row in shown if row["measure"] == words.ALLIANCE_COURSE}
    levels = [row for row in shown if row["measure"] == words.ALLIANCE_LEVEL]
    return {figure_key(row) for row in levels if row["instrument_id"] not in courses}


def only_row(tables: Tables, name: str) -> Row:
    """Returns the single row of a table such as night; ValueError where it has none or several."""
    rows = tables[name]
    if len(rows) != 1:
        raise ValueError(f"report.{name} must have exactly one row, it has {len(rows)}")
    return rows[0]


def in_order(tables: Tables, name: str, *columns: str) -> list[Row]:
    """Sorts a table by the text of the given columns, empty cells first."""
    return sorted(tables[name], key=lambda row: [_sortable(row[column]) for column in columns])


def _sortable(cell: Any) -> tuple[bool, Any]:
    return (False, "") if cell is None else (True, cell)
