"""What a field is: an id, a text, a word of a closed list, an instant or a day; which options each takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from schemas.mapping_parts import FieldRule, tells_time

OF_DATES = ("formats", "zone", "precision")


def _refuse(rule: FieldRule, options: tuple[str, ...], why: str) -> FieldRule:
    stated = [
        name for name in options if getattr(rule, name) != FieldRule.model_fields[name].default
    ]
    if stated:
        raise ValueError(f"{', '.join(stated)}: {why}")
    return rule


def as_id(rule: FieldRule) -> FieldRule:
    """The rule, where it is one for an id that is stored as a pseudonym."""
    return _refuse(rule, OF_DATES, "says how a date is read, and this field is none")


def as_text(rule: FieldRule) -> FieldRule:
    """The rule, where it is one for text that is stored as it is read."""
    why = "is for ids, which are stored as pseudonyms; this field is stored as it is read"
    return _refuse(as_id(rule), ("personal",), why)


def as_word(rule: FieldRule) -> FieldRule:
    """The rule, where it is one for a word that the grammar knows."""
    return _refuse(as_text(rule), ("pad", "type"), "is for ids, and this field is a word")


def as_instant(rule: FieldRule) -> FieldRule:
    """The rule, where it is one for a day with or without a time."""
    _refuse(rule, ("type", "personal"), "says how a text is read, and this field is a date")
    if rule.formats and not any(map(tells_time, rule.formats)):
        _refuse(rule, ("zone",), "none of the formats tells a time of day")
        if rule.precision != "date":
            _refuse(rule, ("precision",), "none of the formats tells a time of day")
    return rule


def as_day(rule: FieldRule) -> FieldRule:
    """The rule, where it is one for a day: of an instant, its day is kept."""
    if rule.precision != "date":
        _refuse(rule, ("precision",), "this field is a day, whatever its cells tell")
    return as_instant(rule)


Id = Annotated[FieldRule, AfterValidator(as_id)]
Text = Annotated[FieldRule, AfterValidator(as_text)]
Word = Annotated[FieldRule, AfterValidator(as_word)]
Instant = Annotated[FieldRule, AfterValidator(as_instant)]
Day = Annotated[FieldRule, AfterValidator(as_day)]
