"""The part of a mapping on bytes and cells: format, encoding, header, which records are data."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from schemas.mapping_parts import Condition, DropRule, Strict
from schemas.presets import BELONGS_TO, WITH_HEADER

# Codecs of Python that turn bytes into text and are no encoding of files.
NO_ENCODINGS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}


class Header(Strict):
    """How the header is found: by names in it, or as the first rows of the file.

    With `join` a name goes over all its rows, else the first row has the names.
    """

    find: tuple[str, ...] = ()
    rows: int = Field(default=1, ge=1, le=9)
    join: bool = False

    @model_validator(mode="after")
    def _has_rows_to_join(self) -> Header:
        if self.join and self.rows == 1:
            raise ValueError("join is for names over several rows: say how many")
        return self


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

    @field_validator("format", mode="before")
    @classmethod
    def _is_read(cls, name: object) -> object:
        if name == "odm":
            raise ValueError("odm (XML of CDISC ODM) is not read: export the same data as CSV")
        return name

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
