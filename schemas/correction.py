"""corrections.toml: cells of delivered files known to be wrong, and what should stand there.

The file holds what patients said: it is readable by its owner alone, and nothing of it is printed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.mapping_faults import describe_fault
from schemas.private_file import Faults, read_private

Words = Annotated[str, Field(min_length=1, max_length=400)]


class Correction(BaseModel):
    """One wrong cell.

    Attributes:
        file: sha-256 of the file as delivered, in hex digits.
        part: of a file of several tables or sheets the one that the cell is in, as findings name it.
        line: physical line on which its record begins, counted from 1; of a sheet, its row.
        column: header name.
        old: the cell's text as delivered.
        new: what should stand there.
        reason: why.
        by: who says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    file: str = Field(pattern=r"^[0-9a-f]{64}$")
    part: Words | None = None
    line: int = Field(ge=1)
    column: Words
    old: str
    new: str
    reason: Words
    by: Words

    @model_validator(mode="after")
    def _changes_something(self) -> Correction:
        if self.old == self.new:
            raise ValueError("old and new are the same")
        return self


class _Corrections(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    correction: tuple[Correction, ...] = ()

    @model_validator(mode="after")
    def _each_cell_once(self) -> _Corrections:
        cells = [(entry.file, entry.part, entry.line, entry.column) for entry in self.correction]
        twice = [place for place, cell in enumerate(cells, start=1) if cell in cells[: place - 1]]
        if twice:
            raise ValueError(f"correction.{twice[0]}: another one is of the same cell")
        return self


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read and check corrections.toml; no file, no corrections.

    Raises:
        Faults: with every fault; never with what stands in a cell.
    """
    name, text = path.name, read_private(path)
    if text is None:
        return ()
    try:
        return _Corrections.model_validate(tomllib.loads(text)).correction
    except tomllib.TOMLDecodeError as error:
        # Its message names line and column, and no text.
        raise Faults([f"{name}: is not TOML: {error}"]) from None
    except ValidationError as error:
        raise Faults([describe_fault(name, fault) for fault in error.errors()]) from None
