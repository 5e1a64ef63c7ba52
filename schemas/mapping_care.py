"""What a record may carry beside forms: appointments, episodes and actions, and the fields all share."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import field_validator, model_validator

from schemas.facts import (
    ACTION_FACTS,
    ACTION_KINDS,
    APPOINTMENT_FACTS,
    EPISODE_FACTS,
    fact_fault,
)
from schemas.field_kinds import Day, Id, Instant, Text, Word
from schemas.mapping_parts import Condition, FieldRule, Strict

SESSION_STATUS = (
    "booked", "attended", "no_show", "cancelled_by_patient", "cancelled_by_service",
    "too_late_not_seen",
)  # fmt: skip
END_REASONS = ("completed", "dropout", "transferred", "service_ended", "died_other")


class Shared(Strict):
    """Fields that a source states for all its parts, and a part for itself."""

    patient: Id | None = None
    therapist: Id | None = None
    episode: Id | None = None


class Appointment(Shared):
    """The appointment a record carries, or a row of a table of appointments."""

    table: str | None = None
    session: Text | None = None
    id: Id | None = None
    when: Condition | None = None
    planned_at: Instant | None = None
    status: Word
    mode: Word | None = None
    interpreter: Word | None = None

    @model_validator(mode="after")
    def _known_facts(self) -> Appointment:
        _refuse_unknown_facts(self, APPOINTMENT_FACTS)
        return self

    @field_validator("status")
    @classmethod
    def _known_status(cls, rule: FieldRule) -> FieldRule:
        return known_values(rule, SESSION_STATUS)


class Episode(Shared):
    """The course of treatment a record carries; `table` as in a form."""

    table: str | None = None
    when: Condition | None = None
    start: Day
    end: Day | None = None
    end_reason: Word | None = None
    referral: Day | None = None
    sex: Word | None = None
    age_band: Word | None = None
    language: Word | None = None
    interpreter_needed: Word | None = None
    diagnosis_group: Word | None = None
    previous_treatment: Word | None = None
    employment: Word | None = None
    end_planned: Word | None = None

    @model_validator(mode="after")
    def _known_facts(self) -> Episode:
        _refuse_unknown_facts(self, EPISODE_FACTS)
        return self

    @field_validator("end_reason")
    @classmethod
    def _known_reason(cls, rule: FieldRule | None) -> FieldRule | None:
        return None if rule is None else known_values(rule, END_REASONS)


class Action(Shared):
    """What the clinic did for a patient: one line of its log. Free text is not read."""

    when: Condition | None = None
    acted_on: Day
    kind: Word
    outcome: Word | None = None

    @model_validator(mode="after")
    def _known_facts(self) -> Action:
        _refuse_unknown_facts(self, ACTION_FACTS)
        return self

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, rule: FieldRule) -> FieldRule:
        return known_values(rule, ACTION_KINDS)


def _refuse_unknown_facts(
    part: Appointment | Episode | Action, facts: Mapping[str, object]
) -> None:
    rules = {name: getattr(part, name) for name in facts}
    faults = [
        fault
        for name, rule in rules.items()
        if rule is not None and (fault := fact_fault(name, rule.targets, facts))
    ]
    if faults:
        raise ValueError("; ".join(faults))


def known_values(rule: FieldRule, known: tuple[str, ...]) -> FieldRule:
    """The rule, where its map (or the lookup after it) leads to known words alone."""
    unknown = sorted(rule.targets - set(known))
    if unknown or not rule.targets:
        told = f"{', '.join(unknown)} is not one" if unknown else "there is no map"
        raise ValueError(f"map must lead to {', '.join(known)}: {told}")
    return rule
