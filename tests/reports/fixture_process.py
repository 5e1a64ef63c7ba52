"""Made-up months with process limits: one figure with every kind of special cause, one with too few months."""

from datetime import date
from typing import Any

CAUSES = {
    4: ("concern", "limit", "special cause, concern: beyond the lower limit"),
    **dict.fromkeys(
        range(15, 23),
        ("improvement", None, "special cause, improvement: part of a run of 7 or more above the mean"),
    ),
    23: ("neither", "trend", "special cause, neither direction is better: part of a trend of 7 or more downwards"),
}  # fmt: skip


def process_tables(leak: str) -> dict[str, list[dict[str, Any]]]:
    """Charts and months of the service and of one clinic; what is withheld keeps a tell-tale value."""
    charts, points = [], []
    for level, unit_id in (("service", "service"), ("clinic", "birch")):
        for measure, instrument_id, kind in (
            ("reliable_improvement", "phq9", "rate"),
            ("early_alliance_mean", "wai_sr", "mean"),
            ("early_ending", None, "rate"),
        ):
            unit: dict[str, Any] = {"level": level, "unit_id": unit_id, "measure": measure}
            unit["instrument_id"] = instrument_id
            is_drawn = measure != "early_ending"
            scale = 0.1 if kind == "rate" else 1.0
            charts.append(unit | {
                "section": "outcome", "chart_order": 1, "label": f"{measure} month", "kind": kind,
                "better": "higher", "is_drawn": is_drawn,
                "mean": 4 * scale if is_drawn else leak, "low": 2 * scale if is_drawn else leak,
                "high": 6 * scale if is_drawn else leak,
                "limits_text": f"Mean of 23 months {4 * scale}, process limits {2 * scale} to {6 * scale}",
                "latest_text": f"October 2026: {CAUSES[23][2]}",
                "target_text": "Target at least 50 %: it lies between the process limits" if is_drawn else None,
                "why_not": None if is_drawn else "fewer than 12 months can be shown (9 of 24)",
            })  # fmt: skip
            points += [unit | _point(number, scale) for number in range(24)]
    return {"process_chart": charts, "process_point": points}


def _point(number: int, scale: float) -> dict[str, Any]:
    cause, mark, text = CAUSES.get(number, (None, None, None))
    month = {
        "month_no": number + 1,
        "month_start": date(2024 + (number + 10) // 12, (number + 10) % 12 + 1, 1),
        "label": f"month {number + 1}",
    }
    if number == 9:
        withheld = dict.fromkeys(("interval_text", "n_text", "cause", "mark_text", "cause_text"))
        return month | {"value": None, "value_text": "too few to show (n < 5)"} | withheld
    value = round((1 if number == 4 else 3.6 + number % 3 * 0.4) * scale, 2)
    return month | {
        "value": value,
        "value_text": f"{value}",
        "interval_text": f"{value / 2} to {value * 2}",
        "n_text": "40 of 90",
        "cause": cause,
        "mark_text": mark,
        "cause_text": text,
    }
