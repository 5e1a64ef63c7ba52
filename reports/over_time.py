"""Drawings of what goes on in time: quarters, months with process limits, sessions."""

from typing import Any

from reports import look


def trend(is_mean: bool, _lines: int) -> Any:
    """Draws quarters: whiskers for intervals, dots for values, dashes for the service."""
    import altair as alt

    axis = alt.Axis(title=None, tickCount=5, domain=False)
    if not is_mean:
        axis["labelExpr"] = look.PERCENT
    quarters = alt.X("period:N", sort=None, title=None, scale=alt.Scale(padding=0.5)).axis(
        labelAngle=0, grid=False, labelFontSize=11
    )
    base = alt.Chart().encode(x=quarters)
    low = alt.Y("low:Q", scale=alt.Scale(zero=not is_mean, nice=True), axis=axis)
    whisker = base.mark_rule(strokeWidth=8, color=look.OWN_PALE).encode(y=low, y2="high:Q")
    service = base.mark_line(strokeDash=[4, 3], strokeWidth=1.5, color=look.SERVICE)
    line = base.mark_line(strokeWidth=1.5, color=look.OWN).encode(y="value:Q")
    dot = base.mark_point(filled=True, size=46, color=look.OWN, opacity=1).encode(y="value:Q")
    absent = base.transform_filter("datum.value === null").mark_text(
        angle=270, fontSize=11, align="left", baseline="middle", color=look.MUTED
    )
    layers = (
        whisker,
        service.encode(y="service:Q"),
        line,
        dot,
        absent.encode(y=alt.value(look.TREND_HEIGHT - 8), text="absent:N"),
        *_target(base),
    )
    width = look.WIDTH - look.TREND_PAD["left"] - look.TREND_PAD["right"]
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.TREND_HEIGHT)
    return look.dressed(chart, look.TREND_PAD)


def process(is_mean: bool, _lines: int) -> Any:
    """Draws months beside mean and limits; a special cause has its own shape, and its rule in a word.

    Months whose name begins with ~ are not named on the axis.
    """
    import altair as alt

    axis = alt.Axis(title=None, tickCount=5, domain=False, grid=False)
    if not is_mean:
        axis["labelExpr"] = look.PERCENT
    months = alt.X("period:N", sort=None, title=None, scale=alt.Scale(padding=0.5)).axis(
        labelExpr="datum.label[0] === '~' ? '' : datum.label", labelAngle=0, grid=False
    )
    base = alt.Chart().encode(x=months)
    y = alt.Y("value:Q", scale=alt.Scale(zero=not is_mean, nice=True), axis=axis)
    # These stand in the first and the last row alone: what is between them is a straight line.
    grey = {"strokeWidth": 1.2, "color": look.SERVICE, "invalid": "filter"}
    line = base.mark_line(strokeWidth=1.2, color=look.OWN_PALE).encode(y=y)
    mean = base.mark_line(**grey).encode(y="mean:Q")
    limits = [base.mark_line(strokeDash=[4, 3], **grey).encode(y=f"{end}:Q") for end in look.LIMITS]
    dots = [
        base.transform_filter(f"datum.cause === {cause!r}")
        .mark_point(filled=True, shape=shape, size=size, color=colour, opacity=1)
        .encode(y="value:Q")
        for cause, (shape, size, colour) in look.CAUSES.items()
    ]
    rule = base.transform_filter("isValid(datum.mark)").mark_text(
        dy=-10, fontSize=10, color=look.INK
    )
    layers = (line, mean, *limits, *_target(base), *dots, rule.encode(y="value:Q", text="mark:N"))
    width = look.WIDTH - look.TREND_PAD["left"] - look.TREND_PAD["right"]
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.TREND_HEIGHT)
    return look.dressed(chart, {**look.TREND_PAD, "bottom": 36})


def _target(base: Any) -> list[Any]:
    """Draws a target from the first to the last row, which alone hold it, with its name above."""
    line = base.mark_line(
        strokeDash=look.TARGET_DASH, strokeWidth=1.5, color=look.INK, invalid="filter"
    )
    named = base.transform_filter("isValid(datum.target_word)").mark_text(
        dy=-5, align="left", fontSize=10, color=look.INK
    )
    return [line.encode(y="target:Q"), named.encode(y="target:Q", text="target_word:N")]


def course(_is_mean: bool, _lines: int) -> Any:
    """Draws two bands and the median over the sessions; charts of one questionnaire share an axis."""
    import altair as alt

    x = alt.X("session:Q", title=None, scale=alt.Scale(nice=False)).axis(grid=False, tickCount=5)
    y = alt.Y("axis_low:Q", scale=alt.Scale(zero=False, nice=True), title=None)
    base = alt.Chart().encode(x=x)
    whole = base.mark_rule(opacity=0).encode(y=y, y2="axis_high:Q")
    outer = base.mark_area(color=look.BAND, interpolate="step").encode(
        y="outer_low:Q", y2="outer_high:Q"
    )
    inner = base.mark_area(color=look.OWN_PALE, interpolate="step")
    middle = base.mark_line(strokeWidth=2, color=look.OWN, interpolate="step").encode(y="middle:Q")
    cutoff = base.mark_line(strokeDash=[4, 3], strokeWidth=1.5, color=look.INK).encode(y="cutoff:Q")
    layers = (whole, outer, inner.encode(y="inner_low:Q", y2="inner_high:Q"), middle, cutoff)
    width = look.COURSE_WIDTH - look.COURSE_PAD["left"] - look.COURSE_PAD["right"]
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.COURSE_HEIGHT)
    return look.dressed(chart, look.COURSE_PAD)


def incidence(_is_mean: bool, _lines: int) -> Any:
    """Draws shares that add up over the sessions as steps, each with its band; two at the most."""
    import altair as alt

    x = alt.X("session:Q", title=None, scale=alt.Scale(nice=False)).axis(
        grid=False, tickCount=5, tickMinStep=1
    )
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, 1])).axis(
        labelExpr=look.PERCENT, tickCount=5, domain=False
    )
    layers: list[Any] = []
    for first, band, ink, dash in ((True, look.OWN_PALE, look.OWN, [1, 0]), (False, look.BAND, look.INK, [4, 3])):  # fmt: skip
        base = alt.Chart().transform_filter(f"datum.first === {str(first).lower()}").encode(x=x)
        area = base.mark_area(color=band, interpolate="step-after", opacity=0.6)
        line = base.mark_line(color=ink, strokeWidth=2, strokeDash=dash, interpolate="step-after")
        layers += [area.encode(y=y, y2="high:Q"), line.encode(y="share:Q")]
    width = look.COURSE_WIDTH - look.COURSE_PAD["left"] - look.COURSE_PAD["right"]
    chart = alt.layer(*layers, data=look.rows()).properties(width=width, height=look.COURSE_HEIGHT)
    return look.dressed(chart, {**look.COURSE_PAD, "left": 44})
