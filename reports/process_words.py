"""Texts of the pages of figures over time: what limits and special causes are, and what they do not say."""

from typing import Final

LEGEND: Final = (
    ("rule", "Mean"),
    ("dash", "Process limits"),
    ("common", "No special cause"),
    ("improvement", "Special cause: improvement"),
    ("concern", "Special cause: concern"),
    ("neither", "Special cause: neither direction is better"),
)

# Stands in the legend where a target is drawn.
TARGET: Final = ("target", "Target")

LEAD: Final = (
    "Every figure goes up and down by chance. The dashed lines show how far it usually does: 2.66 times the mean "
    "step from one month to the next, on both sides of the mean. Between them, a single higher or lower month "
    "tells nothing. Four patterns would be rare by chance; they are called a special cause, and are a reason to "
    "ask what was different, the data first:"
)

RULES: Final = (
    "a month beyond a limit;",
    "a run of seven months or more on one side of the mean;",
    "a trend: seven months or more, each higher or each lower than the one before;",
    "two of three months in a row near the same limit.",
)

SOURCE: Final = (
    "XmR charts after Wheeler 1993, with the rules of NHS England's Making Data Count. A month that is not shown "
    "interrupts every run. Where fewer than twelve months can be shown, quarters are drawn without limits. "
    "Chance alone shows a special cause somewhere in about one of six charts of 24 months in which nothing happened."
)
