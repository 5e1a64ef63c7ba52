"""Made-up rows of two therapists' worklists: one in the order of risk, one by plain facts."""

from datetime import date
from typing import Any

Rows = list[dict[str, Any]]
LISTED, OBJECTING = "11AA22BB", "0B7EC700"


def worklist_tables(hostile: str, therapist_id: str) -> dict[str, Rows]:
    """Rows of the tables that the worklists read; the therapist named has chances shown."""
    return {
        "worklist_page": [
            _page(therapist_id, "ab12cd", "risk", f"Impact assessment: {hostile}."),
            _page("t2", "99ffee", "facts", "Chances of leaving are not shown: too few."),
        ],
        "worklist": [
            _course(therapist_id, LISTED, "to_do", 1, hostile) | _chance(hostile),
            _course(therapist_id, "33CC44DD", "acted_on", 1, hostile)
            | {
                "tried_on": [date(2026, 11, 16), date(2026, 11, 12)],
                "tried": ["Called", "Wrote a letter"],
                "tried_outcome": ["not reached", None],
            },
            _course(therapist_id, "BE70BE70", "beyond", 1, hostile),
            _course("t2", "55EE66FF", "to_do", 1, hostile),
        ],
    }


def _page(therapist_id: str, name: str, ordered_by: str, why: str) -> dict[str, Any]:
    return {
        "therapist_id": therapist_id,
        "clinic_id": "birch",
        "label": f"Therapist {name.upper()}",
        "page": f"therapist-{name}",
        "ordered_by": ordered_by,
        "order_text": "In the order of what is known.",
        "why_text": why,
        "budget_text": "At most 3 courses a week are put on the list, so that each can be acted on; this week it was 3."
        " Left out for that: 1.",
        "unknown_text": None,
        "objection_text": "Patients of the clinic who object to being estimated, and stand on no"
        " list: 2.",
        "log_text": None,
    }


def _course(
    therapist_id: str, patient: str, section: str, place: int, hostile: str
) -> dict[str, Any]:
    return {
        "episode_id": f"episode of {patient}",
        "clinic_id": "birch",
        "therapist_id": therapist_id,
        "patient_id": f"p-{patient}",
        "patient": patient,
        "n_attended": 7,
        "last_attended_on": date(2026, 11, 10),
        "next_booked_on": None,
        "is_booking_known": True,
        "section": section,
        "place": place,
        "signs": ["No further appointment is booked.", hostile],
        "chance_text": None,
        "raises": None,
        "lowers": None,
        "tried_on": [],
        "tried": [],
        "tried_outcome": [],
    }


def _chance(hostile: str) -> dict[str, Any]:
    return {
        "chance_text": "17 %",
        "raises": ["the appointment just before the last session was missed", hostile],
        "lowers": ["a higher alliance so far"],
        "next_booked_on": date(2026, 11, 24),
    }
