"""The smaller parts of a mapping: conditions, fields, item columns and answer codes, each checked."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,3})?")
DATE_PARTS = re.compile(r"%-?([A-Za-z%])")
# Dates that are no strptime format. excel: a date cell or a serial number; days from 1904 only where the
# workbook says that it counts so.
NAMED_FORMATS = ("iso", "excel", "excel-1904")
# Parts of a format that tell the hour.
TIME_PARTS = set("HIcX")


def whole_cell(pattern: str) -> str:
    """The pattern, where it is one; it is matched against whole cells."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression ({error})") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A table of the mapping: no key but the named ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(Strict):
    """A cell of the record that must match as a whole."""

    column: str
    matches: Pattern

    _pattern = field_validator("matches")(whole_cell)


class DropRule(Strict):
    """Which records are not data: by a cell, or because the header is repeated."""

    column: str | None = None
    matches: Pattern | None = None
    header_again: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> DropRule:
        if self.header_again == (self.column is not None and self.matches is not None):
            raise ValueError("needs either column and matches, or header_again = true")
        if self.matches is not None:
            whole_cell(self.matches)
        return self


class FieldRule(Strict):
    """Where one value of a record is found and how its text is read.

    `missing` are texts that say nothing in this field alone. Applied in this order: missing codes, extract, map, lookup, pad, matches, type or formats.
    """

    column: str | None = None
    first_of: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
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
        return self

    @field_validator("matches")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        return None if pattern is None else whole_cell(pattern)

    @field_validator("extract")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        groups = 1 if pattern is None else re.compile(whole_cell(pattern)).groups
        if groups != 1:
            raise ValueError(f"needs exactly one group, and has {groups}: write (?:...) for others")
        return pattern

    @field_validator("map")
    @classmethod
    def _targets(cls, rules: dict[str, str]) -> dict[str, str]:
        faults = []
        for place, (pattern, target) in enumerate(rules.items(), start=1):
            groups = re.compile(whole_cell(pattern)).groups
            faults += [f"entry {place} {fault}" for fault in target_faults(target, groups)]
        if faults:
            raise ValueError("; ".join(faults))
        return rules

    @field_validator("lookup")
    @classmethod
    def _leads_somewhere(cls, pairs: dict[str, str]) -> dict[str, str]:
        empty = [place for place, to in enumerate(pairs.values(), start=1) if not to.strip()]
        if empty:
            raise ValueError(f"entry {empty[0]} leads to nothing")
        return pairs

    @field_validator("formats")
    @classmethod
    def _have_days(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for place, form in enumerate(forms, start=1):
            if form not in NAMED_FORMATS and form.lower() in NAMED_FORMATS:
                raise ValueError(f"format {place}: write {form.lower()} in small letters")
            if form not in NAMED_FORMATS and not set(DATE_PARTS.findall(form)) & set("djxc"):
                raise ValueError(
                    f"format {place} has no day: it needs %d or %j, or is iso or excel"
                )
        return forms

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return name if name in (None, "clinic") else known_zone(str(name))

    @property
    def targets(self) -> set[str]:
        """What the field may say, where a map or a lookup closes the list."""
        return set((self.lookup or self.map).values())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read, in order of preference."""
        return (self.column,) if self.column is not None else self.first_of


def tells_time(form: str) -> bool:
    """True where a date format may tell a time of day."""
    return form in NAMED_FORMATS or bool(set(DATE_PARTS.findall(form)) & TIME_PARTS)


def target_faults(target: str, groups: int) -> list[str]:
    """What is wrong with the target of a map: empty, or a backslash that leads to no group."""
    if not target.strip():
        return ["leads to nothing"]
    after = re.findall(r"\\(.?)", target, re.DOTALL)
    wrong = [
        sign for sign in after if sign != "\\" and not (sign.isdigit() and int(sign) <= groups)
    ]
    return [
        f"refers to group {sign}, and its pattern has {groups}"
        if sign.isdigit()
        else "has a backslash that leads to no group: write two for one"
        for sign in wrong
    ]


def known_zone(name: str) -> str:
    """The name, where a time zone has it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name} is not a time zone") from error
    return name


class MissingIf(Strict):
    """A missing code whose reason depends on another cell of the record."""

    reason: str
    when: Condition = Field(alias="if")
    otherwise: str = Field(alias="else")


class Items(Strict):
    """The item columns of a form: a pattern with a count, or a list in item order.

    `links` holds patterns of FHIR link ids instead, one for each item.
    """

    columns: str | None = None
    count: int | None = Field(default=None, ge=1, le=400)
    list: tuple[str, ...] = ()
    links: tuple[Pattern, ...] = ()
    omit_if_all_blank: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Items:
        if (self.columns is not None) != (self.count is not None):
            raise ValueError("columns and count belong together")
        if sum((self.columns is not None, bool(self.list), bool(self.links))) != 1:
            raise ValueError("needs either columns with count, or list, or links")
        for pattern in self.links:
            whole_cell(pattern)
        if self.columns is not None and not _has_one_place(self.columns):
            raise ValueError("columns needs one place for the item number, {} or {:02}")
        spelled = Counter(" ".join(name.split()) for name in self.list)
        if twice := [name for name, times in spelled.items() if times > 1]:
            raise ValueError(f"list names a column twice: {', '.join(twice)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in item order; those of links are made while reading."""
        if self.columns is not None and self.count is not None:
            return tuple(self.columns.format(number) for number in range(1, self.count + 1))
        return self.list


def _has_one_place(columns: str) -> bool:
    """True where a pattern of column names has one place, {} or {:02}, for the item number."""
    try:
        parts = list(string.Formatter().parse(columns))
    except ValueError:
        return False
    places = [(name, form, turn) for _, name, form, turn in parts if name is not None]
    return len(places) == 1 and all(
        name in ("", "0") and turn is None and re.fullmatch(r"(0?[1-9])?d?", form or "")
        for name, form, turn in places
    )


class Values(Strict):
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

    @model_validator(mode="after")
    def _apart(self) -> Values:
        folded = [" ".join(code.split()).lower() for code in self.map] if self.fold else []
        if same := [code for code, times in Counter(folded).items() if times > 1]:
            raise ValueError(f"map: with fold these codes are one: {', '.join(same)}")
        return self
