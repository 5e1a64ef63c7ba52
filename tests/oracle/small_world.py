"""A small, untidy, random service: every rule is met now and then."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from schemas.instrument_types import Instrument
from tests.sql.warehouse_fixture import shipped

AS_OF = date(2026, 11, 22)
THROUGH = {"a": date(2026, 11, 21), "b": date(2026, 9, 30)}
STATUS = ["attended"] * 8 + ["no_show", "cancelled_by_patient", "cancelled_by_service", "booked"]
REASONS = ["completed", "completed", "dropout", "transferred", "service_ended", "died_other", None]
USED = {
    "a": ["phq9", "wai_sr_c", "core10", "wai_sr_t"],
    "b": ["oq45_2", "srs_v3", "wai_sr_t", "ors"],
}


@dataclass
class World:
    """Rows of the upstream tables."""

    episodes: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)


def make_world(seed: int, n_courses: int) -> World:
    """A world of so many courses, one for each patient, in two clinics."""
    chance, world = random.Random(seed), World()
    for number in range(n_courses):
        clinic_id = chance.choice("ab")
        started = date(2025, 1, 7) + timedelta(days=chance.randrange(660))
        ended = started + timedelta(days=chance.randrange(1, 250))
        has_record = chance.random() < 0.6 and ended <= THROUGH[clinic_id]
        course = {
            "episode_id": f"e{number}",
            "clinic_id": clinic_id,
            "patient_id": f"p{number}",
            "therapist_id": f"{clinic_id}-t{chance.randrange(7)}",
            "started_on": started,
            "ended_on": ended if has_record else None,
            "end_reason": chance.choice(REASONS) if has_record else None,
        }
        world.episodes.append(course)
        _attend(chance, world, course)
    return world


def _attend(chance: random.Random, world: World, course: dict[str, Any]) -> None:
    day = course["started_on"]
    keys = {key: course[key] for key in ("episode_id", "clinic_id", "patient_id", "therapist_id")}
    for number in range(chance.choice([0, 1, 2, 3, 5, 8, 12])):
        if day > AS_OF + timedelta(days=20):
            break
        status = chance.choice(STATUS)
        if day > THROUGH[course["clinic_id"]]:
            status = "booked"
        session_id = f"{course['episode_id']}-{number:02d}"
        world.sessions.append(
            {
                **keys,
                "session_id": session_id,
                "session_on": day,
                "planned_at": day,
                "status": status,
                "session_label": f"S{number}",
            }
        )
        for instrument_id in USED[course["clinic_id"]]:
            if status != "booked" and chance.random() < 0.7:
                _fill_in(chance, world, keys, instrument_id, day, session_id)
        day += timedelta(days=chance.choice([7, 7, 7, 8, 14, 21, 60]))


def _fill_in(
    chance: random.Random,
    world: World,
    keys: dict[str, Any],
    instrument_id: str,
    day: date,
    session_id: str,
) -> None:
    instrument = shipped()[instrument_id]
    shift = timedelta(days=chance.choice([0, 0, 0, 0, 1, 3, 6, 7]))
    answered = min(day + shift if instrument.kind == "alliance" else day - shift, AS_OF)
    answers, missing = random_answers(chance, instrument)
    world.forms.append(
        {
            **keys,
            "form_id": f"{session_id}-{instrument_id}",
            "instrument_id": instrument_id,
            "respondent": instrument.respondent,
            "session_label": f"S{int(session_id[-2:])}" if chance.random() < 0.2 else None,
            "answered_on": answered,
            "answered_at": answered,
            "answers": answers,
            "missing": missing,
            "input_form": chance.choice(["raw", "raw", "raw", "keyed"]),
        }
    )


def random_answers(
    chance: random.Random, instrument: Instrument
) -> tuple[list[str | None], list[str | None]]:
    """Answers as exact number text, some missing, some not applicable."""
    step, low = instrument.answer_step, instrument.answer_min
    steps = int((instrument.answer_max - low) / step)
    lost = chance.choice([0, 0, 0, 0, 0, 1, 2, 4, 5, instrument.item_count])
    gone = set(chance.sample(range(instrument.item_count), min(lost, instrument.item_count)))
    level = chance.random()
    answers, missing = [], []
    for item in range(instrument.item_count):
        drawn = chance.triangular(0, steps + 1, level * steps)
        answers.append(None if item in gone else str(low + step * min(int(drawn), steps)))
        reason = "not_applicable" if chance.random() < 0.3 else "not_answered"
        missing.append(reason if item in gone else None)
    return answers, missing
