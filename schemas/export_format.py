"""The mapping file: how one clinic's exports become canonical records.

The vocabulary is closed: a key that is not named here is a fault, told with its dotted path.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

# Words of the grammar that this version knows of but cannot read yet: named apart, so that nobody
# looks for a typing mistake.
NOT_READ_YET = {"wide", "code", "join", "links", "password_env", "sheets", "table", "id"}

SESSION_STATUS = (
    "booked", "attended", "no_show", "cancelled_by_patient", "cancelled_by_service",
    "too_late_not_seen",
)  # fmt: skip
NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,3})?")
END_REASONS = ("completed", "dropout", "transferred", "service_ended", "died_other")


class MappingFaults(ValueError):
    """Everything wrong with one mapping file.

    Args:
        faults: one sentence each, beginning with the dotted path of the key.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def _whole_cell(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression ({error})") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(_Strict):
    """A cell of the record that must match as a whole."""

    column: str
    matches: Pattern

    _pattern = field_validator("matches")(_whole_cell)


class DropRule(_Strict):
    """Which records are not data: by a cell, or because the header is repeated."""

    column: str | None = None
    matches: Pattern | None = None
    header_again: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> DropRule:
        if self.header_again == (self.column is not None and self.matches is not None):
            raise ValueError("needs either column and matches, or header_again = true")
        if self.matches is not None:
            _whole_cell(self.matches)
        return self


class FieldRule(_Strict):
    """Where one value of a record is found and how its text is read.

    Applied in this order: missing codes, extract, map, lookup, pad, matches, type or formats.
    """

    column: str | None = None
    first_of: tuple[str, ...] = ()
    extract: Pattern | None = None
    map: dict[str, str] = {}
    lookup: dict[str, str] = {}
    pad: int | None = Field(default=None, ge=1, le=64)
    matches: Pattern | None = None
    type: Literal["int", "text"] = "text"
    formats: tuple[str, ...] = ()
    zone: str | None = None
    precision: Literal["date", "minute", "second"] | None = None
    personal: bool = False

    @model_validator(mode="after")
    def _complete(self) -> FieldRule:
        if (self.column is None) == (not self.first_of):
            raise ValueError("needs either column or first_of")
        for pattern in (self.extract, self.matches, *self.map):
            if pattern is not None:
                _whole_cell(pattern)
        if self.zone not in (None, "clinic"):
            ZoneInfo(str(self.zone))
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read, in order of preference."""
        return (self.column,) if self.column is not None else self.first_of


class MissingIf(_Strict):
    """A missing code whose reason depends on another cell of the record."""

    reason: str
    when: Condition = Field(alias="if")
    otherwise: str = Field(alias="else")


class Items(_Strict):
    """The item columns of a form: a pattern with a count, or a list in item order."""

    columns: str | None = None
    count: int | None = Field(default=None, ge=1, le=400)
    list: tuple[str, ...] = ()
    omit_if_all_blank: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Items:
        if (self.columns is not None) != (self.count is not None):
            raise ValueError("columns and count belong together")
        if (self.columns is None) == (not self.list):
            raise ValueError("needs either columns with count, or list")
        if self.columns is not None:
            try:
                first, second = self.columns.format(1), self.columns.format(2)
            except (IndexError, KeyError, ValueError) as error:
                raise ValueError(
                    "columns needs one place for the item number, {} or {:02}"
                ) from error
            if first == second:
                raise ValueError("columns needs one place for the item number, {} or {:02}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in item order."""
        if self.columns is not None and self.count is not None:
            return tuple(self.columns.format(number) for number in range(1, self.count + 1))
        return self.list


class Values(_Strict):
    """Answer codes of the export and the instrument's own; every code must be declared."""

    map: dict[str, int | float | str]
    fold: bool = False

    @field_validator("map")
    @classmethod
    def _numbers(cls, codes: dict[str, int | float | str]) -> dict[str, int | float | str]:
        wrong = [code for code, value in codes.items() if not NUMBER.fullmatch(str(value))]
        if wrong:
            raise ValueError(f"must lead to numbers: {', '.join(wrong)} does not")
        return codes


class Form(_Strict):
    """One questionnaire that a record may carry."""

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

    @model_validator(mode="after")
    def _has_content(self) -> Form:
        if self.items is None and not self.scores:
            raise ValueError("needs items or scores")
        if self.totals and self.items is None:
            raise ValueError("totals are checked against items: name the items too")
        return self


class _Shared(_Strict):
    patient: FieldRule | None = None
    therapist: FieldRule | None = None
    episode: FieldRule | None = None
    session: FieldRule | None = None


class Fields(_Shared):
    """Columns shared by everything a record carries."""

    answered_at: FieldRule | None = None
    ignore: tuple[str, ...] = ()


class Appointment(_Shared):
    """The appointment a record carries."""

    when: Condition | None = None
    planned_at: FieldRule | None = None
    status: FieldRule

    @field_validator("status")
    @classmethod
    def _known_status(cls, rule: FieldRule) -> FieldRule:
        return _known_values(rule, SESSION_STATUS)


class Episode(_Shared):
    """The course of treatment a record carries."""

    when: Condition | None = None
    start: FieldRule
    end: FieldRule | None = None
    end_reason: FieldRule | None = None

    @field_validator("end_reason")
    @classmethod
    def _known_reason(cls, rule: FieldRule | None) -> FieldRule | None:
        return None if rule is None else _known_values(rule, END_REASONS)


def _known_values(rule: FieldRule, known: tuple[str, ...]) -> FieldRule:
    unknown = sorted(set(rule.map.values()) - set(known))
    if unknown or not rule.map:
        told = f"{', '.join(unknown)} is not one" if unknown else "there is no map"
        raise ValueError(f"map must lead to {', '.join(known)}: {told}")
    return rule


class Header(_Strict):
    """How the header is found: by names in it, or as the first rows of the file."""

    find: tuple[str, ...] = ()
    rows: int = Field(default=1, ge=1, le=9)


class Read(_Strict):
    """How the bytes of the file become cells of text."""

    format: Literal["csv"]
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    trim: bool = False
    header: Header = Header()
    keep: tuple[Condition, ...] = ()
    drop: tuple[DropRule, ...] = ()

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError as error:
            raise ValueError(f"{name} is not a known encoding") from error
        return name


class Shrink(_Strict):
    """Share of the last accepted snapshot's records below which to warn, or to hold the file."""

    warn: float = Field(default=0.95, ge=0, le=1)
    hold: float = Field(default=0.8, ge=0, le=1)


class Source(_Strict):
    """One kind of file a clinic delivers."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")
    match: str = "*"
    delivery: Literal["snapshot", "window", "append"]
    key: tuple[str, ...] = ()
    version: str | None = None
    shrink: Shrink | None = None
    read: Read
    fields: Fields = Fields()
    missing: dict[str, str | MissingIf] = {}
    form: tuple[Form, ...] = ()
    appointment: Appointment | None = None
    episode: Episode | None = None

    @model_validator(mode="after")
    def _carries_something(self) -> Source:
        if not (self.form or self.appointment or self.episode):
            raise ValueError("carries nothing: needs form, appointment or episode")
        faults = [
            f"{what} needs {key} (fields.{key} or its own)"
            for what, part in [("appointment", self.appointment), ("episode", self.episode)]
            if part is not None
            for key in ("patient",)
            if self.field_for(part, key) is None
        ]
        if self.form and self.fields.patient is None:
            faults.append("a form needs fields.patient")
        if any(f.answered_at is None and self.fields.answered_at is None for f in self.form):
            faults.append("a form needs answered_at (fields.answered_at or its own)")
        if self.appointment and not (self.appointment.planned_at or self.fields.answered_at):
            faults.append("appointment needs planned_at or fields.answered_at")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def field_for(self, part: _Shared, key: str) -> FieldRule | None:
        """The rule a part uses for a shared field: its own, else the source's."""
        return getattr(part, key) or getattr(self.fields, key)


class Clinic(_Strict):
    """Whose mapping this is."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    timezone: str
    name: str | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name} is not a time zone") from error
        return name


class Mapping(_Strict):
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
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingFaults([f"{path.name}: is not TOML: {error}"]) from error
    return check_mapping(content, path.name)


def check_mapping(content: dict[str, Any], name: str = "mapping") -> Mapping:
    """Check a mapping that is already a dictionary; see `read_mapping`."""
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        raise MappingFaults([describe_fault(name, fault) for fault in error.errors()]) from error


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
        last = fault["loc"][-1]
        message = "this version cannot read this yet" if last in NOT_READ_YET else "unknown key"
    return f"{name}: {path or 'file'}: {message}"
