"""The mapping file: how one clinic's exports become canonical records.

The vocabulary is closed: a key that is not named here is a fault, told with its dotted path.
"""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from schemas.mapping_care import Appointment, Episode, Shared, known_values
from schemas.mapping_faults import (
    MappingFaults,
    describe_fault,
    follows_from_another,
    repeated_names,
    unprintable,
)
from schemas.mapping_parts import (
    Condition,
    DropRule,
    FieldRule,
    Items,
    MissingIf,
    Strict,
    Values,
    known_zone,
)
from schemas.mapping_shapes import Code, Wide
from schemas.presets import BELONGS_TO, WITH_HEADER, with_presets

RESPONDENTS = ("patient", "therapist", "relative", "observer")
# The reader's own word for an answer that is none.
RESERVED_REASON = "invalid"
# Codecs of Python that turn bytes into text and are no encoding of files.
NO_ENCODINGS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}


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
        return rule if isinstance(rule, str) else known_values(rule, RESPONDENTS)

    @model_validator(mode="after")
    def _has_content(self) -> Form:
        if self.items is None and not self.scores:
            raise ValueError("needs items or scores")
        if self.totals and self.items is None:
            raise ValueError("totals are checked against items: name the items too")
        return self


class Fields(Shared):
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


class Header(Strict):
    """How the header is found: by names in it, or as the first rows of the file."""

    find: tuple[str, ...] = ()
    rows: int = Field(default=1, ge=1, le=9)


# A reader for each is in flows/reading/prepare.py.
FileFormat = Literal["csv", "tsv", "xlsx", "sav", "dta", "xpt", "tables", "json", "fhir"]


class Read(Strict):
    """How the bytes of the file become cells of text."""

    format: FileFormat
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    sheets: tuple[str, ...] = ()
    password_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    password_file: str | None = Field(default=None, min_length=1)
    decimal: Literal[".", ","] = "."
    trim: bool = False
    header: Header = Header()
    keep: tuple[Condition, ...] = ()
    drop: tuple[DropRule, ...] = ()

    @model_validator(mode="after")
    def _fits_format(self) -> Read:
        if self.password_env and self.password_file:
            raise ValueError("needs one of password_env and password_file, not both")
        faults = [
            f"{key} belongs to {', '.join(formats)}: the format is {self.format}"
            for key, formats in BELONGS_TO.items()
            if key in self.model_fields_set and self.format not in formats
        ]
        if any(rule.header_again for rule in self.drop) and self.format not in WITH_HEADER:
            faults.append(f"drop.header_again: files of {self.format} have no header line")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @field_validator("password_file")
    @classmethod
    def _stays_inside(cls, name: str | None) -> str | None:
        parts = Path(name or "").parts
        if name is not None and (Path(name).is_absolute() or ".." in parts):
            raise ValueError("is a path inside the workspace")
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
            known = codecs.lookup(name).name.replace("-", "_") not in NO_ENCODINGS
        except (LookupError, ValueError):
            known = False
        if not known:
            raise ValueError(f"{name!r} is not a known encoding of text files")
        return name

    @field_validator("delimiter")
    @classmethod
    def _splits(cls, delimiter: str) -> str:
        if delimiter != "\t" and (
            not delimiter.isprintable() or delimiter in "\"'" or delimiter.isalnum()
        ):
            raise ValueError(f"{delimiter!r} cannot stand between cells")
        return delimiter


class Shrink(Strict):
    """Share of the last accepted snapshot's records below which to warn, or to hold the file."""

    warn: float = Field(default=0.95, ge=0, le=1)
    hold: float = Field(default=0.8, ge=0, le=1)


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
        faults += self._shape_faults() + self._table_faults()
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

        def is_here(part: Form | Code | Episode) -> bool:
            return part.table in (None, join.table)

        changes = {
            "join": (join,),
            "form": tuple(form for form in self.form if is_here(form)),
            "code": tuple(code for code in self.code if is_here(code)),
            "episode": self.episode if self.episode and is_here(self.episode) else None,
        }
        return self.model_copy(update=changes)

    def _table_faults(self) -> list[str]:
        """Words for tables belong to the format of tables; where there are several, each part says its own."""
        apart = self.appointment is not None and self.appointment.table is not None
        named = [(f"form.{n}", form.table) for n, form in enumerate(self.form, start=1)]
        named += [(f"code.{n}", code.table) for n, code in enumerate(self.code, start=1)]
        named += [("episode", self.episode.table)] if self.episode else []
        if self.read.format != "tables":
            words = ["join"] if self.join else []
            words += ["appointment.table"] if apart else []
            words += [f"{path}.table" for path, table in named if table is not None]
            return [f'{word} belongs to read.format = "tables"' for word in words]
        if not self.join and not apart:
            return ["tables need a join, or appointment.table"]
        tables = [join.table for join in self.join]
        faults = [
            f"{path}.table: there is no join of this table; there are {', '.join(tables)}"
            for path, table in named
            if table is not None and table not in tables
        ]
        return faults if len(tables) < 2 else faults + self._several_faults(tables, named)

    def _several_faults(self, tables: list[str], named: list[tuple[str, str | None]]) -> list[str]:
        """With several joins nothing is left to guess: which part is read from which table."""
        faults = [
            f"{path} needs table: there are several joins" for path, table in named if table is None
        ]
        if self.appointment is not None and self.appointment.table is None:
            faults.append("appointment needs table: there are several joins")
        if self.wide is not None:
            faults.append("wide is for a single join")
        used = {table for _, table in named} | {getattr(self.appointment, "table", None)}
        for place, table in enumerate(tables, start=1):
            if table in tables[: place - 1]:
                faults.append(f"join.{place}.table: another join has this table")
            elif table not in used:
                faults.append(f"join.{place}: nothing is read from {table}")
        return faults


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
