"""Made-up rows of the page of who is on track: one questionnaire with bands, one without."""

from decimal import Decimal
from typing import Any

TEST = (
    ("sensitivity", "Of those who ended reliably worse, were red before (sensitivity)", "38 % (25 to 53 %)"),
    ("positive_value", "Of those who were red, ended reliably worse (positive value)", "21 % (13 to 31 %)"),
    ("no_chance", "Of those who ended reliably worse, had no score in between to tell by", "too few to show (n < 5)"),
)  # fmt: skip


def track_rules() -> list[dict[str, Any]]:
    """A questionnaire with bands, and one whose closed courses are too few."""
    facts = {"change_text": "6 points or more", "cutoff_text": "10 or more (caseness)"}
    return [
        {
            **facts,
            "instrument_id": "phq9",
            "name": "PHQ-9",
            "direction_text": "Higher scores are worse.",
            "has_bands": True,
            "rule_text": "Made of 812 closed courses.",
        },
        {
            **facts,
            "instrument_id": "ors",
            "name": "ORS",
            "direction_text": "Lower scores are worse.",
            "has_bands": False,
            "rule_text": "No bands: 41 closed courses with two scores began in the reference window,"
            " 500 are needed. Reliable change decides alone.",
        },
    ]


def track_tests() -> list[dict[str, Any]]:
    """Three figures of how well red foretold, one of them too small to show."""
    return [
        {
            "instrument_id": "phq9",
            "figure": figure,
            "figure_order": order,
            "label": label,
            "value_text": text,
            "n_text": None if "few" in text else "15 of 40",
            "rule": "bands and reliable change",
        }
        for order, (figure, label, text) in enumerate(TEST, start=1)
    ]


def expected_courses() -> list[dict[str, Any]]:
    """Two ranges of intake scores over six sessions; the fifth session is empty."""
    return [
        _cell(band, session, top) for band, top in ((1, 12), (2, 20)) for session in range(1, 7)
    ]


def _cell(band: int, session: int, top: int) -> dict[str, Any]:
    ends = [Decimal(max(top - session - below, 0)) for below in (10, 7, 5, 2, 0)]
    names = ("outer_low", "inner_low", "middle", "inner_high", "outer_high")
    is_empty = session == 5
    return {
        "instrument_id": "phq9",
        "intake_band": band,
        "session_no": session,
        "intake_text": "at intake up to 12" if band == 1 else "at intake above 12",
        "session_text": f"{session} and later" if session == 6 else str(session),
        "made_of_text": "too few courses" if is_empty else f"{300 - session} courses",
        **{name: None if is_empty else end for name, end in zip(names, ends, strict=True)},
        "outer_text": None if is_empty else f"{ends[0]} to {ends[4]}",
        "inner_text": None if is_empty else f"{ends[1]} to {ends[3]}",
        "middle_text": None if is_empty else str(ends[2]),
        "change_text": None if is_empty else f"-{session}",
        "cutoff": Decimal(10),
        "axis_low": Decimal(0),
        "axis_high": Decimal(19),
    }
