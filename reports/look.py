"""The shared look of all drawings: colours, sizes, and what every chart is dressed in.

Widths and paddings are fixed and nothing is measured in a font, so the bytes of a chart do not
depend on the fonts of the machine. Colours are those of the light theme; the style sheet finds
them by their attribute and changes them on dark pages.
"""

from typing import Any, Final

INK: Final = "#24292f"
MUTED: Final = "#57606a"
GRID: Final = "#d8dee4"
OWN: Final = "#14568f"
OWN_PALE: Final = "#a9cbe8"
SERVICE: Final = "#6e7781"
BAND: Final = "#c8d0d9"
CONCERN: Final = "#a3480b"

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
LIMITS: Final = ("low", "high")
TARGET_DASH: Final = [8, 3, 2, 3]
# Shape, size and colour of a month without and with a special cause; never colour alone.
CAUSES: Final = {
    "none": ("circle", 26, SERVICE),
    "improvement": ("circle", 60, OWN),
    "concern": ("diamond", 70, CONCERN),
    "neither": ("square", 50, INK),
}
PERCENT: Final = "format(datum.value * 100, '.0f') + ' %'"


def rows() -> Any:
    """Returns the data set that is filled when a page is drawn."""
    import altair as alt

    return alt.Data(name="rows", values=[{}])


def dressed(chart: Any, padding: dict[str, int]) -> Any:
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


def strip_row(lines: int) -> int:
    """Returns the height of a row whose label takes so many lines."""
    return STRIP_ROW + LABEL_LINE * lines
