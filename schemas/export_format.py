"""The mapping file: how one clinic's exports become canonical records.

The vocabulary is closed: a key that is not named here is a fault, told with its dotted path.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from schemas.field_kinds import Instant, Text, as_word
from schemas.mapping_care import Action, Appointment, Episode, Shared, known_values
from schemas.mapping_faults import (
    MappingFaults,
    describe_fault,
    follows_from_another,
    repeated_names,
    unprintable,
)
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
from schemas.mapping_shapes import Code, Wide, code_gaps
from schemas.presets import with_presets

RESPONDENTS = ("patient", "therapist", "relative", "observer")
# The reader's own word for an answer that is none.
RESERVED_REASON = "invalid"


class Form(Strict):
    """One questionnaire that a record may carry.

    `table` names the join it is read from, where there are several.
    """

    table: str | None = None
    when: Condition | None = None
    instrument: str
    version: str | None = None
    respondent: Literal["patient", "therapist", "relative", "observer"] | FieldRule
    answered_at: Instant | None = None
    items: Items | None = None
    values: Values | None = None
    reversed: Literal["raw", "already"] = "raw"
    scores: dict[str, str] = {}
    totals: dict[Literal["answered_sum"], str] = {}

    @field_validator("respondent")
    @classmethod
    def _known_respondent(cls, rule: str | FieldRule) -> str | FieldRule:
        return rule if isinstance(rule, str) else known_values(as_word(rule), RESPONDENTS)

    @model_validator(mode="after")
    def _has_content(self) -> Form:
        if self.items is None and not self.scores:
            raise ValueError("needs items or scores")
        if self.totals and self.items is None:
            raise ValueError("totals are checked against items: name the items too")
        if self.items is None and (self.values or self.reversed == "already"):
            raise ValueError("values and reversed speak of items: there are none")
        return self


class Fields(Shared):
    """Columns shared by everything a record carries."""

    session: Text | None = None
    answered_at: Instant | None = None
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
    action: Action | None = None
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
        others = bool(self.form or shaped or self.appointment or self.episode)
        if not (others or self.action):
            raise ValueError(
                "carries nothing: needs form, code, wide, appointment, episode or action"
            )
        faults = [
            f"{what} needs {key} (fields.{key} or its own)"
            for what, part, keys in [
                ("appointment", self.appointment, ("patient",)),
                ("episode", self.episode, ("patient", "episode")),
                ("action", self.action, ("patient",)),
            ]
            if part is not None
            for key in keys
            if self.field_for(part, key) is None
        ]
        if self.action and (others or self.join):
            faults.append("action needs a source of its own: no form, appointment, episode or join")
        faults += code_gaps(self.code) + table_faults(self)
        parts = [self.part_of(join) for join in self.join] or [self]
        for part in parts:
            told = part._shape_faults() + part._field_faults()
            faults += [fault for fault in told if fault not in faults]
        if self.shrink is not None and self.delivery != "snapshot":
            faults.append('shrink is for delivery = "snapshot"')
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
        if self.wide is not None and self.shared_fields.session is not None:
            faults.append("with wide the session stands in the column's name: no fields.session")
        linked = any(form.items is not None and form.items.links for form in self.form)
        if linked and self.read.format != "fhir":
            faults.append('items.links needs read.format = "fhir"')
        return faults

    def field_for(self, part: Shared, key: str) -> FieldRule | None:
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

        def is_here(part: Form | Code | Wide | Episode | None) -> bool:
            return part is not None and part.table in (None, join.table)

        changes = {
            "join": (join,),
            "form": tuple(form for form in self.form if is_here(form)),
            "code": tuple(code for code in self.code if is_here(code)),
            "wide": self.wide if is_here(self.wide) else None,
            "episode": self.episode if is_here(self.episode) else None,
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
    faults = [f"{name}: {fault}" for fault in repeated_names(content)]
    try:
        content, unknown = with_presets(content)
        faults += [f"{name}: {fault}" for fault in unknown]
        faults += [f"{name}: {path}: holds a control character" for path in unprintable(content)]
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        told = [
            describe_fault(name, fault)
            for fault in error.errors()
            if not follows_from_another(fault)
        ]
        raise MappingFaults(told + faults) from error
    except RecursionError:
        raise MappingFaults([f"{name}: is nested too deeply"]) from None
    if faults:
        raise MappingFaults(faults)
    return mapping
