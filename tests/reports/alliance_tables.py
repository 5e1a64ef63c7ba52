"""Made-up rows of the tables about the alliance: a service's page, and open courses of two therapists."""

from datetime import date
from decimal import Decimal
from typing import Any

Rows = list[dict[str, Any]]
PATIENT = "0DDBA11A"


def alliance_tables(hostile: str, therapist_id: str) -> dict[str, Rows]:
    """Rows of every table that the page of the alliance and the care team's pages read.

    Two open courses are those of the therapist named, a third is somebody else's.
    """
    return {
        "alliance_phase": _phases(hostile),
        "congruence": [
            {
                "level": level,
                "unit_id": unit_id,
                "patient_instrument_id": "wai_sr",
                "therapist_instrument_id": "wai_srt",
                "forms_text": f"WAI-SR and {hostile}",
                "value_text": value,
                "n_text": counted,
            }
            for level, unit_id, value, counted in (
                ("service", "service", "r 0.49 (0.41 to 0.57)", "152 courses, of 1591 with any"),
                ("clinic", "birch", "too few to show (n < 8)", None),
            )
        ],
        "association": _associations(),
        "patient_factor": _factors(),
        "open_course": _courses(hostile, therapist_id),
        "course_line": _lines(hostile),
    }


def _phases(hostile: str) -> Rows:
    words = ("sessions 1 to 5", "sessions 6 to 10", "session 11 and later")
    values = ((3.93, 3.9, 3.96), (4.02, 3.99, 4.06), (None, None, None))
    return [
        {
            "level": "service",
            "unit_id": "service",
            "instrument_id": "wai_sr",
            "instrument": hostile,
            "phase": number,
            "label": label,
            "value": None if value is None else Decimal(str(value)),
            "low": None if low is None else Decimal(str(low)),
            "high": None if high is None else Decimal(str(high)),
            "value_text": "too few to show (n < 5)"
            if value is None
            else f"{value} ({low} to {high})",
            "n_text": None if value is None else "1528 of 1578 courses",
        }
        for number, (label, (value, low, high)) in enumerate(
            zip(words, values, strict=True), start=1
        )
    ]


def _associations() -> Rows:
    shape = ("model_id", "topic", "label", "on_text", "value_text", "n_text", "note", "row_order")
    rows = (
        ("c", "components", "between therapists", "WAI-SR", None, "9738 ratings", "too few: 12", 1),
        ("l", "lagged", "symptoms next", "WAI-SR and PHQ-9", "-0.14 (-0.16 to -0.12)", "7914 sessions", None, 2),
    )  # fmt: skip
    return [dict(zip(shape, row, strict=True)) for row in rows]


def _factors() -> Rows:
    shape = (
        "factor", "level", "instrument_id", "factor_text", "level_text", "instrument",
        "patients_text", "completeness_text", "early_text", "note", "row_order",
    )  # fmt: skip
    rows = (
        ("sex", "female", "w", "Sex", "female", "WAI-SR", "912", "91 % (830 of 912)", "3.9 (3.8 to 4.0)", None, 1),
        ("sex", "other", "w", "Sex", "other", "WAI-SR", "fewer than 5", None, None, "too few to show (n < 5)", 2),
    )  # fmt: skip
    return [dict(zip(shape, row, strict=True)) for row in rows]


def _courses(hostile: str, therapist_id: str) -> Rows:
    signs = {
        "e1": [
            "Rupture open since session 4: the alliance fell from about 4.2 to 3.3 (WAI-SR).",
            hostile,
        ],
        "e2": [],
        "e3": [],
    }
    return [
        {
            "episode_id": episode_id,
            "clinic_id": "birch",
            "clinic_name": hostile,
            "therapist_id": therapist_id if episode_id != "e3" else "t2",
            "label": "Therapist AB12CD" if episode_id != "e3" else "Therapist 99FFEE",
            "page": "therapist-ab12cd" if episode_id != "e3" else "therapist-99ffee",
            "patient_id": f"p-{episode_id}",
            "patient": PATIENT if episode_id == "e1" else episode_id * 4,
            "n_attended": number,
            "last_attended_on": date(2026, 11, 10),
            "signs": found,
            "course_order": number,
        }
        for number, (episode_id, found) in enumerate(signs.items(), start=1)
    ]


def _lines(hostile: str) -> Rows:
    return [
        {
            "episode_id": episode_id,
            "instrument_id": kind,
            "kind": kind,
            "title": "Alliance" if kind == "alliance" else "Symptoms",
            "name": hostile,
            "range_text": "1 to 5, higher is better",
            "line": "4.0,12.0 81.3,10.0 158.6,25.0" if episode_id == "e1" else None,
            "words": "1: 4.2, 2: 4.3, 3: missing, 4: 3.3",
            "last_x": 158.6 if episode_id == "e1" else None,
            "last_y": 25.0 if episode_id == "e1" else None,
            "onset_x": [158.6] if kind == "alliance" else [],
            "onset_y": [25.0] if kind == "alliance" else [],
            "missing": [120.0],
            "band": "81.3,12.0 158.6,14.0 158.6,30.0 81.3,28.0" if kind == "symptom" else None,
            "line_order": 1,
        }
        for episode_id, kind in (("e1", "alliance"), ("e1", "symptom"), ("e2", "alliance"))
    ]
