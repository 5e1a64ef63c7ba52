"""Drawings of figures side by side: rows beside the service, shares, therapists in a funnel."""

from collections.abc import Sequence
from typing import Any

from reports import look


def compare(is_mean: bool, lines: int) -> Any:
    """Draws one unit as a dot with whiskers, on the service's interval as a grey band."""
    base, x = _strip(is_mean)
    down = look.LABEL_LINE * lines / 2
    track = base.mark_rule(strokeWidth=1, color=look.GRID, yOffset=down)
    band = base.mark_rule(strokeWidth=16, color=look.BAND, yOffset=down)
    tick = base.mark_tick(thickness=2, size=16, color=look.SERVICE, yOffset=down)
    whisker = base.mark_rule(strokeWidth=2.5, color=look.OWN, yOffset=down)
    dot = base.mark_point(filled=True, size=80, color=look.OWN, opacity=1, yOffset=down)
    layers = [
        band.encode(x=x("service_low:Q"), x2="service_high:Q"),
        tick.encode(x="service:Q"),
        whisker.encode(x="low:Q", x2="high:Q"),
        dot.encode(x="value:Q"),
    ]
    if not is_mean:
        layers.insert(0, track.encode(x="zero:Q", x2="one:Q"))
    return _stacked(layers, is_mean, lines)


def bars(is_mean: bool, lines: int) -> Any:
    """Draws a share as a filled track from 0 to 100 %, with the service's share as a tick."""
    base, x = _strip(is_mean)
    down = look.LABEL_LINE * lines / 2 - 1
    layers = [
        base.mark_rule(strokeWidth=12, color=look.BAND, yOffset=down).encode(
            x=x("zero:Q"), x2="one:Q"
        ),
        base.mark_rule(strokeWidth=12, color=look.OWN, yOffset=down).encode(
            x="zero:Q", x2="value:Q"
        ),
        base.mark_tick(thickness=2.5, size=22, color=look.INK, yOffset=down).encode(x="service:Q"),
    ]
    return _stacked(layers, is_mean, lines)


def funnel(_is_mean: bool, _lines: int) -> Any:
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
        strokeDash=[4, 3], strokeWidth=1.2, color=look.SERVICE
    )
    outer = base.transform_filter("datum.limit === 'outer'").mark_rule(
        strokeWidth=1.5, color=look.SERVICE
    )
    others = base.transform_filter("datum.own === false").mark_point(
        filled=True, size=44, color=look.BAND, opacity=1
    )
    own = base.transform_filter("datum.own === true").mark_point(
        filled=True, size=60, color=look.OWN, opacity=1
    )
    named = (
        base.transform_filter("isValid(datum.label)")
        .mark_text(dy=-9, fontSize=11, color=look.INK)
        .encode(text="label:N")
    )
    layers = (inner, outer, *(layer.encode(x=x) for layer in (others, own, named)))
    width = look.WIDTH - look.TREND_PAD["left"] - look.TREND_PAD["right"]
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.FUNNEL_HEIGHT)
    return look.dressed(chart, {**look.TREND_PAD, "bottom": 26})


def calibration(_is_mean: bool, _lines: int) -> Any:
    """Draws what came against what was expected, with intervals, beside the line on which both agree.

    Rows with `same` are the ends of that line, the others points.
    """
    import altair as alt

    scale = alt.Scale(zero=True, nice=True)
    axis = alt.Axis(title=None, tickCount=5, domain=False, grid=False)
    axis["labelExpr"] = "format(datum.value * 100, '.2~f') + ' %'"
    base = alt.Chart().encode(x=alt.X("expected:Q", scale=scale, axis=axis))
    y = alt.Y("observed:Q", scale=scale, axis=axis)
    same = base.transform_filter("isValid(datum.same)").mark_line(
        strokeDash=[4, 3], strokeWidth=1.5, color=look.SERVICE
    )
    points = base.transform_filter("isValid(datum.observed)")
    whisker = points.mark_rule(strokeWidth=2.5, color=look.OWN_PALE).encode(
        y=alt.Y("low:Q"), y2="high:Q"
    )
    dot = points.mark_point(filled=True, size=50, color=look.OWN, opacity=1).encode(y=y)
    width = look.WIDTH - look.TREND_PAD["left"] - look.TREND_PAD["right"]
    layers = (same.encode(y=alt.Y("same:Q")), whisker, dot)
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.FUNNEL_HEIGHT)
    return look.dressed(chart, {**look.TREND_PAD, "bottom": 26, "right": 20})


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
        axis["labelExpr"] = look.PERCENT

    def x(column: str) -> Any:
        return alt.X(column, scale=scale, axis=axis)

    return alt.Chart().encode(y=alt.Y("row:O", sort=None, axis=None)), x


def _stacked(layers: Sequence[Any], is_mean: bool, lines: int) -> Any:
    """Stacks the rows on one axis for rates; instruments differ in scale and get an axis each."""
    import altair as alt

    chart = alt.layer(*layers, data=look.rows())
    chart = chart.properties(width=look.WIDTH - look.STRIP_PAD["left"] - look.STRIP_PAD["right"])
    if not is_mean:
        return look.dressed(
            chart.properties(height=alt.Step(look.strip_row(lines))), look.STRIP_PAD
        )
    facets = chart.properties(height=look.strip_row(lines)).facet(
        row=alt.Row("row:O", header=None, sort=None), spacing=look.OWN_AXIS, bounds="flush"
    )
    own = facets.resolve_scale(x="independent", y="independent").resolve_axis(x="independent")
    return look.dressed(own, look.STRIP_PAD)
