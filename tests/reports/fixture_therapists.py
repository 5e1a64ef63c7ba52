"""Report rows about therapists: compared with what was to be expected, and as points of funnels."""

from decimal import Decimal
from typing import Any

WINDOW = "12 months to 31 October 2026"


def therapist_tables(therapists: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Tables comparison, funnel and funnel_point of a made-up service; the last point is a signal."""
    return {
        "comparison": [_comparison(t, n) for n, t in enumerate(therapists) if t["has_page"]],
        "running_sum": [_running_sum(t) for t in therapists if t["has_page"]],
        "funnel": [_funnel(is_drawn=True), _funnel(is_drawn=False)],
        "funnel_point": [_point(t, n, len(therapists)) for n, t in enumerate(therapists, start=1)],
    }


def _comparison(therapist: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "therapist_id": therapist["therapist_id"],
        "measure": "reliable_improvement",
        "instrument_id": None,
        "comparison_order": 11001,
        "label": "Reliably improved",
        "period_label": WINDOW,
        "n_text": f"{10 + number} of {30 + number}",
        "crude_text": f"{33 + number} %",
        "expected_text": "45 %" if number % 2 else None,
        "adjusted_text": "38 %" if number % 2 else None,
        "drawn_text": "41 % (30 to 52 %)",
        "ratio_text": "12 where 14.2 were to be expected: 0.8 times as many (0.4 to 1.5)."
        if number % 2
        else None,
        "range_text": "28 to 62 %" if number % 3 else None,
        "share_text": "In this service 6 % (2 to 11 %) of the differences between patients go with the therapist.",
        "shared_text": None if number % 2 else "2.5 points (12 of 404 courses of the service)",
        "signal_text": "Within what is usual: nothing follows from the place.",
    }


def _running_sum(therapist: dict[str, Any]) -> dict[str, Any]:
    return {
        "therapist_id": therapist["therapist_id"],
        "model_id": "reliable_deterioration",
        "label": "Reliably worse",
        "better": "lower",
        "line": "4.0,36.0 120.0,30.0 236.0,44.0",
        "state_text": "After 48 courses 4, 1.2 more than expected from who they were at intake.",
        "alarm_text": "Neither sum has passed its threshold.",
        "sum_order": 1,
    }


def _funnel(*, is_drawn: bool) -> dict[str, Any]:
    measure = "reliable_improvement" if is_drawn else "early_alliance_mean"
    return {
        "measure": measure,
        "instrument_id": None if is_drawn else "srs_v3",
        "funnel_order": 11001 if is_drawn else 21001,
        "title": "Reliably improved" if is_drawn else "Early alliance (SRS)",
        "period_label": WINDOW,
        "better": "higher",
        "is_drawn": is_drawn,
        "outer_low": Decimal("-3.09"),
        "inner_low": Decimal("-1.96"),
        "inner_high": Decimal("1.96"),
        "outer_high": Decimal("3.09"),
        "why_not": None
        if is_drawn
        else "no funnel: 12 therapists have courses here, and a funnel takes 30",
        "spread_text": "15 therapists. Their distances spread 1.7 times as much as chance."
        if is_drawn
        else None,
        "power_text": "What the rule can find, at 48 courses in each year: hardly anything."
        if is_drawn
        else None,
        "review_text": "Nobody is on the review list." if is_drawn else None,
    }


def _point(therapist: dict[str, Any], number: int, last: int) -> dict[str, Any]:
    is_signal = number == last
    distance = Decimal("-3.40") if is_signal else Decimal(number * 37 % 40 - 20) / 10
    return {
        "measure": "reliable_improvement",
        "instrument_id": None,
        "point": number,
        "clinic_id": therapist["clinic_id"],
        "n": 15 + 7 * number % 50,
        "distance": distance,
        "zone": "below 99.8" if is_signal else "within",
        "label": therapist["label"] if is_signal else None,
        "n_text": str(15 + 7 * number % 50),
        "distance_text": str(distance),
        "zone_text": "below the 99.8 % limit" if is_signal else "within the limits",
    }
