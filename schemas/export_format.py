"""The mapping file: how one clinic's exports become canonical records.

The vocabulary is closed: a key that is not named here is a fault, told with its dotted path.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from collections.abc import Mapping as Mapping_
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from schemas.facts import APPOINTMENT_FACTS, EPISODE_FACTS, fact_fault
from schemas.mapping_joins import table_faults
from schemas.mapping_parts import (
    Condition,
    FieldRule,
    Items,
    MissingIf,
    Strict,
    Values,
    known_zone,
)
from schemas.mapping_read import Read, Shrink
from schemas.mapping_shapes import Code, Wide
from schemas.presets import with_presets

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
SESSION_STATUS = (
    "booked", "attended", "no_show", "cancelled_by_patient", "cancelled_by_service",
    "too_late_not_seen",
)  # fmt: skip
RESPONDENTS = ("patient", "therapist", "relative", "observer")
# The reader's own word for an answer that is none.
RESERVED_REASON = "invalid"
END_REASONS = ("completed", "dropout", "transferred", "service_ended", "died_other")


class MappingFaults(ValueError):
    """Everything wrong with one mapping file.

    Args:
        faults: one sentence each, beginning with the dotted path of the key.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class Form(Strict):
    """One questionnaire that a record may carry.

    `table` names the join it is read from, where there are several.
    """

    table: str | None = None
    when: Condition | None = None
    instrument: str
    version: str | None = None
    respondent: Literal["patient", "therapist", "relative", "observer"] | FieldRule
    answered_at: FieldRule | None = None
    items: Items | None = None
    values: Values | None = None
    reversed: Literal["raw", "already"] = "raw"
    scores: dict[str, str] = {}
    totals: dict[Literal["answered_sum"], str] = {}

    @field_validator("respondent")
    @classmethod
    def _known_respondent(cls, rule: str | FieldRule) -> str | FieldRule:
        return rule if isinstance(rule, str) else _known_values(rule, RESPONDENTS)

    @model_validator(mode="after")
    def _has_content(self) -> Form:
        if self.items is None and not self.scores:
            raise ValueError("needs items or scores")
        if self.totals and self.items is None:
            raise ValueError("totals are checked against items: name the items too")
        return self


class _Shared(Strict):
    patient: FieldRule | None = None
    therapist: FieldRule | None = None
    episode: FieldRule | None = None
    session: FieldRule | None = None


class Fields(_Shared):
    """Columns shared by everything a record carries."""

    answered_at: FieldRule | None = None
    ignore: tuple[str, ...] = ()


class Join(Strict):
    """Several tables of one archive: the child's rows, each with the rows above it.

    Attributes:
        table: pattern of the child table's file name.
        to: pattern and key column of each table above, from the child upwards.
        fields: columns of any of them.
    """

    table: str
    to: tuple[tuple[str, str], ...] = ()
    fields: Fields = Fields()


class Appointment(_Shared):
    """The appointment a record carries, or a row of a table of appointments."""

    table: str | None = None
    id: FieldRule | None = None
    when: Condition | None = None
    planned_at: FieldRule | None = None
    status: FieldRule
    mode: FieldRule | None = None
    interpreter: FieldRule | None = None

    @model_validator(mode="after")
    def _known_facts(self) -> Appointment:
        _refuse_unknown_facts(self, APPOINTMENT_FACTS)
        return self

    @field_validator("status")
    @classmethod
    def _known_status(cls, rule: FieldRule) -> FieldRule:
        return _known_values(rule, SESSION_STATUS)


class Episode(_Shared):
    """The course of treatment a record carries; `table` as in a form."""

    table: str | None = None
    when: Condition | None = None
    start: FieldRule
    end: FieldRule | None = None
    end_reason: FieldRule | None = None
    referral: FieldRule | None = None
    sex: FieldRule | None = None
    age_band: FieldRule | None = None
    language: FieldRule | None = None
    interpreter_needed: FieldRule | None = None
    diagnosis_group: FieldRule | None = None
    previous_treatment: FieldRule | None = None
    employment: FieldRule | None = None
    end_planned: FieldRule | None = None

    @model_validator(mode="after")
    def _known_facts(self) -> Episode:
        _refuse_unknown_facts(self, EPISODE_FACTS)
        return self

    @field_validator("end_reason")
    @classmethod
    def _known_reason(cls, rule: FieldRule | None) -> FieldRule | None:
        return None if rule is None else _known_values(rule, END_REASONS)


def _refuse_unknown_facts(part: Appointment | Episode, facts: Mapping_[str, object]) -> None:
    rules = {name: getattr(part, name) for name in facts}
    faults = [
        fault
        for name, rule in rules.items()
        if rule is not None and (fault := fact_fault(name, set(rule.map.values()), facts))
    ]
    if faults:
        raise ValueError("; ".join(faults))


def _known_values(rule: FieldRule, known: tuple[str, ...]) -> FieldRule:
    unknown = sorted(set(rule.map.values()) - set(known))
    if unknown or not rule.map:
        told = f"{', '.join(unknown)} is not one" if unknown else "there is no map"
        raise ValueError(f"map must lead to {', '.join(known)}: {told}")
    return rule


class Source(Strict):
    """One kind of file a clinic delivers."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")
    match: str = "*"
    delivery: Literal["snapshot", "window", "append"]
    key: tuple[str, ...] = ()
    version: str | None = None
    shrink: Shrink | None = None
    read: Read
    join: tuple[Join, ...] = ()
    fields: Fields = Fields()
    missing: dict[str, str | MissingIf] = {}
    form: tuple[Form, ...] = ()
    appointment: Appointment | None = None
    episode: Episode | None = None
    code: tuple[Code, ...] = ()
    wide: Wide | None = None
    preset: str | None = None

    @field_validator("missing")
    @classmethod
    def _own_reasons(cls, codes: dict[str, str | MissingIf]) -> dict[str, str | MissingIf]:
        for reason in codes.values():
            words = [reason] if isinstance(reason, str) else [reason.reason, reason.otherwise]
            if RESERVED_REASON in words:
                raise ValueError(f"{RESERVED_REASON} is Rapport's own word: choose another reason")
        return codes

    @model_validator(mode="after")
    def _carries_something(self) -> Source:
        shaped = bool(self.code) or self.wide is not None
        if not (self.form or shaped or self.appointment or self.episode):
            raise ValueError("carries nothing: needs form, code, wide, appointment or episode")
        faults = [
            f"{what} needs {key} (fields.{key} or its own)"
            for what, part in [("appointment", self.appointment), ("episode", self.episode)]
            if part is not None
            for key in ("patient",)
            if self.field_for(part, key) is None
        ]
        faults += self._shape_faults() + table_faults(self)
        parts = [self.part_of(join) for join in self.join] or [self]
        for part in parts:
            faults += [fault for fault in part._field_faults() if fault not in faults]
        if self.appointment and not (self.appointment.planned_at or self.shared_fields.answered_at):
            faults.append("appointment needs planned_at or fields.answered_at")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _field_faults(self) -> list[str]:
        """Fields that the forms of this source need."""
        faults, fields = [], self.shared_fields
        shaped = bool(self.code) or self.wide is not None
        if (self.form or shaped) and fields.patient is None:
            faults.append("a form needs fields.patient")
        undated = shaped or any(form.answered_at is None for form in self.form)
        if (self.form or shaped) and undated and fields.answered_at is None:
            faults.append("a form needs answered_at (fields.answered_at or its own)")
        return faults

    def _shape_faults(self) -> list[str]:
        faults = []
        if self.code and self.wide is not None:
            faults.append("code and wide exclude one another")
        if self.wide is not None and self.fields.session is not None:
            faults.append("with wide the session stands in the column's name: no fields.session")
        linked = any(form.items is not None and form.items.links for form in self.form)
        if linked and self.read.format != "fhir":
            faults.append('items.links needs read.format = "fhir"')
        return faults

    def field_for(self, part: _Shared, key: str) -> FieldRule | None:
        """The rule a part uses for a shared field: its own, else the source's."""
        return getattr(part, key) or getattr(self.shared_fields, key)

    @property
    def shared_fields(self) -> Fields:
        """Fields of the join where they are stated there, else the source's."""
        if not self.join:
            return self.fields
        joined = self.join[0].fields
        own = {name: getattr(joined, name) for name in joined.model_fields_set}
        own["ignore"] = (*self.fields.ignore, *joined.ignore)
        return self.fields.model_copy(update=own)

    def part_of(self, join: Join) -> Source:
        """What is read from the rows of one join: its forms, its fields."""

        def is_here(part: Form | Code | Episode) -> bool:
            return part.table in (None, join.table)

        changes = {
            "join": (join,),
            "form": tuple(form for form in self.form if is_here(form)),
            "code": tuple(code for code in self.code if is_here(code)),
            "episode": self.episode if self.episode and is_here(self.episode) else None,
        }
        return self.model_copy(update=changes)


class Clinic(Strict):
    """Whose mapping this is."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    timezone: str
    name: str | None = None

    _zone = field_validator("timezone")(known_zone)


class Mapping(Strict):
    """One clinic's mapping file, checked."""

    mapping: Literal[1]
    clinic: Clinic
    source: tuple[Source, ...] = Field(min_length=1)


def read_mapping(path: Path) -> Mapping:
    """Read and check one mapping file.

    Raises:
        MappingFaults: with every fault of the file, each beginning with its dotted path.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingFaults([f"{path.name}: is not TOML: {error}"]) from error
    except RecursionError:
        raise MappingFaults([f"{path.name}: is nested too deeply"]) from None
    return check_mapping(content, path.name)


def check_mapping(content: dict[str, Any], name: str = "mapping") -> Mapping:
    """Check a mapping that is already a dictionary; see `read_mapping`."""
    faults = [f"{name}: {fault}" for fault in _repeated_names(content)]
    try:
        content, unknown = with_presets(content)
        faults += [f"{name}: {fault}" for fault in unknown]
        faults += [f"{name}: {path}: holds a control character" for path in _unprintable(content)]
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        told = [describe_fault(name, fault) for fault in error.errors() if not _is_other(fault)]
        raise MappingFaults(told + faults) from error
    except RecursionError:
        raise MappingFaults([f"{name}: is nested too deeply"]) from None
    if faults:
        raise MappingFaults(faults)
    return mapping


def _unprintable(value: object, path: str = "") -> Iterator[str]:
    """Paths of texts with control characters other than tab and line breaks."""
    if isinstance(value, str) and CONTROL.search(value):
        yield path
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value, start=1))
    for key, part in inner:
        below = f"{path}.{key}" if path else str(key)
        if CONTROL.search(str(key)):
            yield path
        yield from _unprintable(part, below)


def _repeated_names(content: dict[str, Any]) -> list[str]:
    """Sources of one name would retract each other's records."""
    sources = content.get("source")
    names = [
        str(source.get("name")) if isinstance(source, dict) else ""
        for source in (sources if isinstance(sources, list) else [])
    ]
    return [
        f"source.{place}.name: another source has this name"
        for place, name in enumerate(names, start=1)
        if name and name in names[: place - 1]
    ]


def _is_other(fault: Any) -> bool:
    """True for faults that follow from others: of the alternative that was not meant, or emptiness."""
    if fault["type"] == "too_short":
        return len(fault["input"]) > 0
    kinds = [str(part).startswith("literal[") for part in fault["loc"]]
    return any(kinds) and isinstance(fault["input"], dict)


def describe_fault(name: str, fault: Any) -> str:
    """One sentence for a pydantic fault: file, dotted path, what is wrong.

    The value itself is left out: a mapping or settings file may hold names or passwords.
    """
    path = ".".join(
        str(part + 1) if isinstance(part, int) else str(part)
        for part in fault["loc"]
        if part not in ("FieldRule", "MissingIf", "str")
    )
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    return f"{name}: {path or 'file'}: {message}"
