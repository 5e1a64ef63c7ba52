"""What each kind of chart is drawn of, and what its legend and its table say."""

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from reports import words
from reports.chart import NOTHING, Chart, written
from reports.language import _, spoken
from reports.rows import Figure, Row, is_shown

FUNNEL_AXES: Final = (
    "From left to right: courses of a therapist. Up and down: distance from what was to be expected, "
    "in standard errors."
)
NOT_SHOWN: Final = "not shown"
NOT_COMPARED: Final = "not compared"
LABEL_WIDTH: Final = 26
# Letters that fit on one line: those of a label, two of space and those of its value.
ROW_WIDTH: Final = 44


def trend(chart_id: str, figure: Figure, unit_name: str) -> Chart:
    """Draws the quarters of one figure, with the service's as a dashed line where it is known."""
    kind = "trend_rate" if figure.year["kind"] == "rate" else "trend_mean"
    services = [figure.service_quarters.get(row["period_id"]) for row in figure.quarters]
    has_service = any(is_shown(row) for row in services)
    values = [
        {"period": _months(own), "service": _number(service, "value"), "absent": _(NOT_SHOWN)}
        | {name: _number(own, name) for name in ("value", "low", "high")}
        for own, service in zip(figure.quarters, services, strict=True)
    ]
    head = ("Quarter", unit_name, "95 % interval", "Counted")
    body = [
        (own["period_label"], *_texts(own), *((_value(service),) if has_service else ()))
        for own, service in zip(figure.quarters, services, strict=True)
    ]
    legend = [("dot", unit_name), ("whisker", "95 % interval")]
    if has_service:
        head += ("Whole service",)
        legend.append(("dash", "Whole service"))
    head, body = _draw_target(figure.target_over_time, values, head, body)
    title = f"{figure.year['label']}, by quarter"
    told = "; ".join(_target_words(figure.target_over_time))
    return written(chart_id, kind, values, title, legend, head, body, remark=told)


def phases(chart_id: str, rows: Sequence[Row]) -> Chart:
    """Draws one questionnaire's means by phase of treatment, in the order of the phases."""
    values = [
        {"period": _broken(_(row["label"])), "service": None, "absent": _(NOT_SHOWN)}
        | {
            name: None if row[name] is None else float(row[name])
            for name in ("value", "low", "high")
        }
        for row in rows
    ]
    body = [(row["label"], row["value_text"], row["n_text"] or "–") for row in rows]
    legend = [("dot", "Mean of those in treatment then"), ("whisker", "95 % interval")]
    title = f"{rows[0]['instrument']}, by phase of treatment"
    return written(
        chart_id, "trend_mean", values, title, legend, ("Phase", "Mean", "Counted"), body
    )


def compare(chart_id: str, title: str, figures: Sequence[Figure], unit_name: str) -> Chart:
    """Draws one unit's figures of one kind on the service's intervals.

    A shrunken estimate takes the place of the crude value where there is one.
    """
    kind = "compare_mean" if figures[0].year["kind"] == "mean" else "compare_rate"
    values = [_compared(number, figure) for number, figure in enumerate(figures)]
    body = [
        (
            figure.year["label"],
            _estimate(figure.year),
            figure.year["n_text"] or "–",
            _full(figure.service),
        )
        for figure in figures
    ]
    legend = [
        ("dot", unit_name),
        ("line", "95 % interval"),
        ("band", "Whole service, 95 % interval"),
    ]
    head = ("Figure", unit_name, "Counted", "Whole service")
    return written(chart_id, kind, values, title, legend, head, body)


def bars(chart_id: str, title: str, figures: Sequence[Figure], unit_name: str) -> Chart:
    """Draws shares from 0 to 100 %, with the service's share as a tick where it is known."""
    values = [
        {
            "row": number,
            "label": _lines(_(figure.year["label"]), _(figure.year["value_text"])),
            "text": _(figure.year["value_text"]),
            "zero": 0,
            "one": 1,
            "value": _number(figure.year, "value"),
            "service": _number(figure.service, "value"),
        }
        for number, figure in enumerate(figures)
    ]
    has_service = any(is_shown(figure.service) for figure in figures)
    head = ("Figure", unit_name, "95 % interval", "Counted")
    legend = [("bar", unit_name)]
    if has_service:
        head += ("Whole service",)
        legend.append(("tick", "Whole service"))
    body = [
        (
            figure.year["label"],
            *_texts(figure.year),
            *((_value(figure.service),) if has_service else ()),
        )
        for figure in figures
    ]
    return written(chart_id, "bars", values, title, legend, head, body)


def funnel(chart_id: str, row: Row, points: Sequence[Row], clinic_id: str) -> Chart:
    """Draws a funnel: dots without names but for signals, those of the page's own clinic darker."""
    limits = [
        {"limit": limit, "distance": float(row[f"{limit}_{side}"])}
        for limit in ("inner", "outer")
        for side in ("low", "high")
    ]
    dots = [
        {
            "n": point["n"],
            "distance": float(point["distance"]),
            "own": point["clinic_id"] == clinic_id,
            "label": point["label"],
        }
        for point in points
    ]
    body = [
        (
            point["label"] or f"Point {point['point']}",
            "this clinic" if point["clinic_id"] == clinic_id else "another clinic",
            point["n_text"],
            point["distance_text"],
            point["zone_text"],
        )
        for point in points
    ]
    legend = [
        ("dot", "Therapists of this clinic"),
        ("pale", "Other therapists"),
        ("dash", "95 % limits"),
        ("rule", "99.8 % limits"),
    ]
    head = ("Therapist", "Clinic", "Courses", "Distance", "Place")
    summary = f"{_(FUNNEL_AXES)} {_(words.BETTER[row['better']])}"
    return written(chart_id, "funnel", [*limits, *dots], row["title"], legend, head, body, summary)


def course(chart_id: str, name: str, cells: Sequence[Row]) -> Chart:
    """Draws where earlier patients' scores lay, session by session, for one range of intake scores."""
    numbers = ("outer_low", "inner_low", "middle", "inner_high", "outer_high")
    values = [
        {"session": cell["session_no"]}
        | {
            column: None if cell[column] is None else float(cell[column])
            for column in (*numbers, "cutoff", "axis_low", "axis_high")
        }
        for cell in cells
    ]
    head = ("Session", "Outer band", "Inner band", "Median", "Median change", "Made of")
    columns = ("session_text", "outer_text", "inner_text", "middle_text", "change_text")
    rows = [tuple(cell[column] or "–" for column in (*columns, "made_of_text")) for cell in cells]
    body = _together(rows)
    told = [row for row in body if row[3] != NOTHING] or body
    legend = [
        ("line", "Median"),
        ("area", "Inner band"),
        ("wide", "Outer band"),
        ("cutoff", "Cut-off"),
    ]
    title = f"{name}, {cells[0]['intake_text']}"
    ends = dict.fromkeys((told[0], told[-1]))
    return written(chart_id, "course", values, title, legend, head, body, ends=ends)


def _together(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Joins rows that follow each other and differ in nothing but the session: they are one cell."""
    joined = []
    for cells, members in groupby(rows, key=lambda row: row[1:]):
        names = [row[0] for row in members]
        is_open = not names[-1].isdecimal()
        span = f"{names[0]} and later" if is_open else f"{names[0]} to {names[-1]}"
        joined.append((span if len(names) > 1 else names[0], *cells))
    return joined


def process(chart_id: str, row: Row, points: Sequence[Row], target: Row | None) -> Chart:
    """Draws months with mean and process limits; a month with a special cause has a shape of its own.

    Its legend stands once above all charts of a page. A target is a line, and the words of the row
    say whether the process as it runs will reach it.
    """
    limits = {name: float(row[name]) for name in ("mean", "low", "high")}
    values = [
        {
            "period": _named_month(point, place),
            "value": None if point["value"] is None else float(point["value"]),
            "cause": None if point["value"] is None else point["cause"] or "none",
            "mark": _(point["mark_text"]),
        }
        | (limits if place in (0, len(points) - 1) else dict.fromkeys(limits))
        for place, point in enumerate(points)
    ]
    body = [
        (
            point["label"],
            point["value_text"],
            point["interval_text"] or "–",
            point["n_text"] or "–",
            point["cause_text"] or "–",
        )
        for point in points
    ]
    head = ("Month", "Value", "95 % interval", "Counted", "Special cause")
    head, body = _draw_target(target, values, head, body)
    kind = "process_rate" if row["kind"] == "rate" else "process_mean"
    title = f"{row['label']}, month by month"
    told = [_(row["limits_text"]), _(row["latest_text"])]
    if target is not None:
        told += [_(row["target_text"]), _target_words(target)[1]]
    summary = " ".join(f"{sentence}." for sentence in told)
    return written(chart_id, kind, values, title, (), head, body, summary)


def _draw_target(
    target: Row | None,
    values: list[dict[str, Any]],
    head: tuple[str, ...],
    body: list[tuple[str, ...]],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Puts a target at both ends of the rows to draw, and beside every row of the table."""
    if target is None or not values:
        return head, body
    for end in (values[0], values[-1]):
        end["target"] = float(target["value"])
    values[0]["target_word"] = _("Target")
    return (*head, "Target"), [(*row, target["target_text"]) for row in body]


def _target_words(target: Row | None) -> tuple[str, ...]:
    """Says what a target is, and who set it."""
    if target is None:
        return ()
    return f"{_('Target')} {_(target['target_text'])}", f"{_('Set by')} {target['source']}"


def calibration(chart_id: str, points: Sequence[Row]) -> Chart:
    """Draws how many sessions were the last against how many were expected to be, by tenths of chances."""
    names = ("expected", "observed", "low", "high")
    values: list[dict[str, Any]] = [
        {name: None if point[name] is None else float(point[name]) for name in names}
        for point in points
    ]
    reach = max(value for row in values for value in row.values() if value is not None)
    values += [{"expected": end, "same": end} for end in (0, reach)]
    body = [(f"{point['curve_order']}", f"{point['n']}", point["label"]) for point in points]
    legend = [
        ("dot", "Came; to the right: was expected"),
        ("area", "95 % interval"),
        ("dash", "As many as expected"),
    ]
    head = ("Tenth of the chances", "Sessions", "What was expected and what came")
    title = "Expected and come, from low to high chances"
    return written(chart_id, "calibration", values, title, legend, head, body)


def incidence(chart_id: str, points: Sequence[Row]) -> Chart:
    """Draws how many had ended in one way, or in either of two, by so many sessions."""
    causes = list(dict.fromkeys(point["cause_text"] for point in points))
    values = [
        {"session": point["session_no"], "first": point["cause_text"] == causes[0]}
        | {name: float(point[name]) for name in ("share", "low", "high")}
        for point in points
    ]
    body = [
        (f"{point['session_no']}", point["cause_text"], point["value_text"], point["n_text"])
        for point in points
    ]
    marks = (("line", "area"), ("cutoff", "wide"))
    legend = [
        entry
        for cause, (line, band) in zip(causes, marks, strict=False)
        for entry in ((line, _(cause)), (band, "95 % interval"))
    ]
    head = ("Session", "What", "Share, 95 % interval", "Still followed")
    title = f"{points[0]['label']}, by session"
    told = (
        " ".join((_(_by_session(point)), _(point["value_text"])))
        for point in points
        if point["session_no"] == points[-1]["session_no"]
    )
    summary = f"{'; '.join(told)}."
    return written(chart_id, "incidence", values, title, legend, head, body, summary)


def _by_session(point: Row) -> str:
    return f"by session {point['session_no']}: {point['cause_text']}"


def _named_month(point: Row, place: int) -> str:
    """Names every sixth month on the axis, on two lines; the others have names that are not shown."""
    if place % 6:
        return f"~{place}"
    start = point["month_start"]
    return f"{spoken().month(start)}|{start.year}"


def _compared(number: int, figure: Figure) -> dict[str, Any]:
    own, service = figure.year, figure.service
    prefix = "shrunken" if own["shrunken"] is not None else "value"
    bounds = ("shrunken_low", "shrunken_high") if prefix == "shrunken" else ("low", "high")
    text = _(own["value_text"] if prefix == "value" else own["shrunken_text"])
    return {
        "row": number,
        "label": _lines(_(own["label"]), text),
        "text": text,
        "zero": 0,
        "one": 1,
        "value": _number(own, prefix),
        "low": _number(own, bounds[0]),
        "high": _number(own, bounds[1]),
        "service": _number(service, "value"),
        "service_low": _number(service, "low"),
        "service_high": _number(service, "high"),
    }


def _number(row: Row | None, column: str) -> float | None:
    """Reads a drawable number; a withheld figure has none, whatever its cells say."""
    if row is None or not is_shown(row) or row[column] is None:
        return None
    return float(row[column])


def _texts(row: Row) -> tuple[str, str, str]:
    if not is_shown(row):
        return (row["note"] or NOT_SHOWN, "–", "–")
    return row["value_text"] or "–", row["interval_text"] or "–", row["n_text"] or "–"


def _value(row: Row | None) -> str:
    if row is None:
        return NOT_COMPARED
    return row["value_text"] or "–" if is_shown(row) else NOT_SHOWN


def _full(row: Row | None) -> str:
    if row is None or not is_shown(row):
        return _value(row)
    return f"{row['value_text']} ({row['interval_text']})" if row["interval_text"] else _value(row)


def _estimate(row: Row) -> str:
    return row["shrunken_text"] if row["shrunken"] is not None else _full(row)


def _broken(label: str) -> str:
    """Breaks a short label for an axis, one word a line after the first."""
    first, _, rest = label.partition(" ")
    return f"{first}|{rest}"


def _months(row: Row) -> str:
    """Names a quarter on three short lines that fit under a dot, such as Oct–, Dec, 2026."""
    first, last = row["period_start"], row["period_end"]
    return f"{spoken().month(first)}–|{spoken().month(last)}|{last.year}"


def _lines(label: str, value: str | None) -> list[str]:
    """Breaks a label into at most two lines; one where it fits beside its value."""
    if len(label) + 2 + len(value or "") <= ROW_WIDTH:
        return [label]
    beside = max(min(LABEL_WIDTH, ROW_WIDTH - 2 - len(value or "")), LABEL_WIDTH // 2)
    first = textwrap.wrap(label, beside, break_on_hyphens=False)[0]
    # nothing stands beside the second line
    rest = textwrap.shorten(
        label[len(first) :], ROW_WIDTH, placeholder=" …", break_on_hyphens=False
    )
    return [first, rest] if rest else [first]
