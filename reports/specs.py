"""The drawings themselves: one altair chart per kind, compiled once and filled with rows later.

The words of a row (label and value) are not drawn here: the converter spends a millisecond on
measuring every text, so they are written into the SVG afterwards, at `row_top`.

Widths and paddings are fixed and nothing is measured in a font, so the bytes of a chart do not
depend on the fonts of the machine. Colours are those of the light theme; the style sheet finds
them by their attribute and changes them on dark pages.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

INK: Final = "#24292f"
MUTED: Final = "#57606a"
GRID: Final = "#d8dee4"
OWN: Final = "#14568f"
OWN_PALE: Final = "#a9cbe8"
SERVICE: Final = "#6e7781"
BAND: Final = "#c8d0d9"

WIDTH: Final = 340
TREND_HEIGHT: Final = 150
FUNNEL_HEIGHT: Final = 200
TREND_PAD: Final = {"left": 44, "right": 8, "top": 8, "bottom": 50}
COURSE_WIDTH: Final = 250
COURSE_HEIGHT: Final = 130
COURSE_PAD: Final = {"left": 36, "right": 8, "top": 8, "bottom": 24}
STRIP_PAD: Final = {"left": 6, "right": 6, "top": 2, "bottom": 26}
STRIP_ROW: Final = 30
LABEL_LINE: Final = 15
OWN_AXIS: Final = 36
PERCENT: Final = "format(datum.value * 100, '.0f') + ' %'"


@cache
def _compiled(kind: str, lines: int) -> dict[str, Any]:
    """Compiles a kind of chart to Vega with an empty data set, rows; shared, so never edited."""
    # Deferred: loading altair and the converter takes longer than all of `rapport check`.
    import vl_convert

    kinds = {
        "trend": _trend,
        "compare": _compare,
        "bars": _bars,
        "funnel": _funnel,
        "course": _course,
    }
    draw = kinds[kind.split("_")[0]]
    vega = vl_convert.vegalite_to_vega(draw(kind.endswith("_mean"), lines).to_dict())
    for scale in vega.get("scales", []):
        if kind.startswith("trend") and scale["name"] == "x":
            # Otherwise a quarter that is not shown would move to the end of the axis.
            scale["domain"] = {"data": "rows", "field": "period"}
    return vega


def filled(kind: str, rows: Sequence[Mapping[str, Any]], lines: int = 2) -> dict[str, Any]:
    """Returns the Vega of a chart with these rows in it.

    Kinds: trend_rate and trend_mean (quarters), compare_rate and compare_mean (one unit against
    the service; means get an axis per row), bars (shares of completeness), course (percentiles over
    sessions). `lines` is how many the longest label of a row takes, one or two.
    """
    vega = dict(_compiled(kind, lines))
    vega["data"] = [
        {**data, "values": list(rows)} if data["name"] == "rows" else data for data in vega["data"]
    ]
    if kind == "compare_mean":
        vega["width"] = WIDTH - STRIP_PAD["left"] - STRIP_PAD["right"]
        vega["height"] = len(rows) * (_strip_row(lines) + OWN_AXIS) - OWN_AXIS
    return vega


def row_top(kind: str, row: Mapping[str, Any], lines: int) -> int:
    """Returns where the words of a row begin, in pixels from the top of the SVG.

    A label of one line stands just above its strip, also where other rows have two.
    """
    step = _strip_row(lines) + (OWN_AXIS if kind == "compare_mean" else 0)
    return STRIP_PAD["top"] + row["row"] * step + LABEL_LINE * (lines - len(row["label"]))


def _strip_row(lines: int) -> int:
    return STRIP_ROW + LABEL_LINE * lines


def _trend(is_mean: bool, _lines: int) -> Any:
    """Draws quarters: whiskers for intervals, dots for values, dashes for the service."""
    import altair as alt

    axis = alt.Axis(title=None, tickCount=5, domain=False)
    if not is_mean:
        axis["labelExpr"] = PERCENT
    quarters = alt.X("period:N", sort=None, title=None, scale=alt.Scale(padding=0.5)).axis(
        labelExpr="split(datum.label, '|')", labelAngle=0, grid=False, labelFontSize=11
    )
    base = alt.Chart().encode(x=quarters)
    low = alt.Y("low:Q", scale=alt.Scale(zero=not is_mean, nice=True), axis=axis)
    whisker = base.mark_rule(strokeWidth=8, color=OWN_PALE).encode(y=low, y2="high:Q")
    service = base.mark_line(strokeDash=[4, 3], strokeWidth=1.5, color=SERVICE)
    line = base.mark_line(strokeWidth=1.5, color=OWN).encode(y="value:Q")
    dot = base.mark_point(filled=True, size=46, color=OWN, opacity=1).encode(y="value:Q")
    absent = base.transform_filter("datum.value === null").mark_text(
        angle=270, fontSize=11, align="left", baseline="middle", color=MUTED, text="not shown"
    )
    layers = (
        whisker,
        service.encode(y="service:Q"),
        line,
        dot,
        absent.encode(y=alt.value(TREND_HEIGHT - 8)),
    )
    width = WIDTH - TREND_PAD["left"] - TREND_PAD["right"]
    chart = alt.layer(*layers, data=_rows()).properties(width=width, height=TREND_HEIGHT)
    return _dressed(chart, TREND_PAD)


def _course(_is_mean: bool, _lines: int) -> Any:
    """Draws two bands and the median over the sessions; charts of one questionnaire share an axis."""
    import altair as alt

    x = alt.X("session:Q", title=None, scale=alt.Scale(nice=False)).axis(grid=False, tickCount=5)
    y = alt.Y("axis_low:Q", scale=alt.Scale(zero=False, nice=True), title=None)
    base = alt.Chart().encode(x=x)
    whole = base.mark_rule(opacity=0).encode(y=y, y2="axis_high:Q")
    outer = base.mark_area(color=BAND, interpolate="step").encode(
        y="outer_low:Q", y2="outer_high:Q"
    )
    inner = base.mark_area(color=OWN_PALE, interpolate="step")
    middle = base.mark_line(strokeWidth=2, color=OWN, interpolate="step").encode(y="middle:Q")
    cutoff = base.mark_line(strokeDash=[4, 3], strokeWidth=1.5, color=INK).encode(y="cutoff:Q")
    layers = (whole, outer, inner.encode(y="inner_low:Q", y2="inner_high:Q"), middle, cutoff)
    width = COURSE_WIDTH - COURSE_PAD["left"] - COURSE_PAD["right"]
    chart = alt.layer(*layers, data=_rows()).properties(width=width, height=COURSE_HEIGHT)
    return _dressed(chart, COURSE_PAD)


def _compare(is_mean: bool, lines: int) -> Any:
    """Draws one unit as a dot with whiskers, on the service's interval as a grey band."""
    base, x = _strip(is_mean)
    down = LABEL_LINE * lines / 2
    track = base.mark_rule(strokeWidth=1, color=GRID, yOffset=down)
    band = base.mark_rule(strokeWidth=16, color=BAND, yOffset=down)
    tick = base.mark_tick(thickness=2, size=16, color=SERVICE, yOffset=down)
    whisker = base.mark_rule(strokeWidth=2.5, color=OWN, yOffset=down)
    dot = base.mark_point(filled=True, size=80, color=OWN, opacity=1, yOffset=down)
    layers = [
        band.encode(x=x("service_low:Q"), x2="service_high:Q"),
        tick.encode(x="service:Q"),
        whisker.encode(x="low:Q", x2="high:Q"),
        dot.encode(x="value:Q"),
    ]
    if not is_mean:
        layers.insert(0, track.encode(x="zero:Q", x2="one:Q"))
    return _stacked(layers, is_mean, lines)


def _bars(is_mean: bool, lines: int) -> Any:
    """Draws a share as a filled track from 0 to 100 %, with the service's share as a tick."""
    base, x = _strip(is_mean)
    down = LABEL_LINE * lines / 2 - 1
    layers = [
        base.mark_rule(strokeWidth=12, color=BAND, yOffset=down).encode(x=x("zero:Q"), x2="one:Q"),
        base.mark_rule(strokeWidth=12, color=OWN, yOffset=down).encode(x="zero:Q", x2="value:Q"),
        base.mark_tick(thickness=2.5, size=22, color=INK, yOffset=down).encode(x="service:Q"),
    ]
    return _stacked(layers, is_mean, lines)


def _funnel(_is_mean: bool, _lines: int) -> Any:
    """Draws therapists as dots over their caseload; limits are lines, because distances are scaled.

    Rows with `limit` are lines, the others dots; the dots of the page's own clinic come last.
    """
    import altair as alt

    number = alt.Axis(grid=False, tickCount=5, domain=False)
    x = alt.X("n:Q", scale=alt.Scale(zero=True, nice=True), axis=number, title=None)
    y = alt.Y("distance:Q", scale=alt.Scale(domainMin=-4, domainMax=4, nice=True), title=None)
    y = y.axis(tickCount=5, domain=False, grid=False)
    base = alt.Chart().encode(y=y)
    inner = base.transform_filter("datum.limit === 'inner'").mark_rule(
        strokeDash=[4, 3], strokeWidth=1.2, color=SERVICE
    )
    outer = base.transform_filter("datum.limit === 'outer'").mark_rule(
        strokeWidth=1.5, color=SERVICE
    )
    others = base.transform_filter("datum.own === false").mark_point(
        filled=True, size=44, color=BAND, opacity=1
    )
    own = base.transform_filter("datum.own === true").mark_point(
        filled=True, size=60, color=OWN, opacity=1
    )
    named = (
        base.transform_filter("isValid(datum.label)")
        .mark_text(dy=-9, fontSize=11, color=INK)
        .encode(text="label:N")
    )
    layers = (inner, outer, *(layer.encode(x=x) for layer in (others, own, named)))
    width = WIDTH - TREND_PAD["left"] - TREND_PAD["right"]
    chart = alt.layer(*layers, data=_rows()).properties(width=width, height=FUNNEL_HEIGHT)
    return _dressed(chart, {**TREND_PAD, "bottom": 26})


def _strip(is_mean: bool) -> tuple[Any, Any]:
    """Returns what comparisons and bars share: rows from top to bottom and the horizontal scale."""
    import altair as alt

    scale = alt.Scale(zero=False, nice=True) if is_mean else alt.Scale(domain=[0, 1])
    axis = alt.Axis(
        title=None,
        tickCount=4 if is_mean else 5,
        grid=False,
        ticks=True,
        tickSize=4,
        labelFlush=True,
    )
    if not is_mean:
        axis["labelExpr"] = PERCENT

    def x(column: str) -> Any:
        return alt.X(column, scale=scale, axis=axis)

    return alt.Chart().encode(y=alt.Y("row:O", sort=None, axis=None)), x


def _stacked(layers: Sequence[Any], is_mean: bool, lines: int) -> Any:
    """Stacks the rows on one axis for rates; instruments differ in scale and get an axis each."""
    import altair as alt

    chart = alt.layer(*layers, data=_rows())
    chart = chart.properties(width=WIDTH - STRIP_PAD["left"] - STRIP_PAD["right"])
    if not is_mean:
        return _dressed(chart.properties(height=alt.Step(_strip_row(lines))), STRIP_PAD)
    facets = chart.properties(height=_strip_row(lines)).facet(
        row=alt.Row("row:O", header=None, sort=None), spacing=OWN_AXIS, bounds="flush"
    )
    own = facets.resolve_scale(x="independent", y="independent").resolve_axis(x="independent")
    return _dressed(own, STRIP_PAD)


def _rows() -> Any:
    import altair as alt

    return alt.Data(name="rows", values=[{}])


def _dressed(chart: Any, padding: dict[str, int]) -> Any:
    """Applies the shared look: fixed size and no label hidden, so that no font is measured."""
    return (
        chart.properties(padding=padding, autosize={"type": "none"})
        .configure(aria=False, background="transparent", font="sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12,
            labelColor=MUTED,
            labelPadding=6,
            labelBound=False,
            labelFlush=False,
            labelOverlap=False,
            gridColor=GRID,
            domainColor=MUTED,
            tickColor=MUTED,
            ticks=False,
        )
    )
