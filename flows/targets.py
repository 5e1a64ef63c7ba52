"""Targets that a service has set itself or was set: a line beside a figure, with its source."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.reference_rows import Row
from flows.sql_files import measures
from schemas.instrument import find
from schemas.instrument_types import Instrument


class Target(BaseModel):
    """What a figure is to reach.

    Attributes:
        measure: name of the measure, as the methods page and sql/measure/ have it.
        level: the service as a whole, or each clinic.
        clinic: one clinic alone; None: each, where the level is clinic.
        instrument: questionnaire, where the measure is per one.
        value: a rate is a share from 0 to 1.
        direction: on which side of it the figure is to lie.
        source: who set it, and where it is written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    level: Literal["service", "clinic"] = "service"
    clinic: str | None = None
    instrument: str | None = None
    value: Decimal
    direction: Literal["at least", "at most"]
    source: str = Field(min_length=1, max_length=200)


def target_faults(
    targets: Sequence[Target], clinics: Collection[str], instruments: Mapping[str, Instrument]
) -> list[str]:
    """Return what is wrong with targets, as sentences."""
    known = {file.table: file.header.words for file in measures()}
    faults = []
    for i, target in enumerate(targets):
        words = known.get(target.measure)
        levels = (words or {}).get("levels", "service, clinic, therapist").split(", ")
        if words is None:
            faults.append(f"target[{i}].measure: no measure {target.measure!r}")
        elif target.level not in levels:
            faults.append(f"target[{i}].level: {target.measure} has no figure of a {target.level}")
        elif words["kind"] == "rate" and not 0 <= target.value <= 1:
            faults.append(f"target[{i}].value: a rate is a share from 0 to 1: 0.5 for 50 %")
        if target.clinic is not None and target.clinic not in clinics:
            faults.append(f"target[{i}].clinic: no clinic {target.clinic!r}")
        if target.clinic is not None and target.level != "clinic":
            faults.append(f'target[{i}].level: must be "clinic" where a clinic is named')
        if target.instrument is not None and find(instruments, target.instrument) is None:
            faults.append(f"target[{i}].instrument: no instrument {target.instrument!r}")
    seen = [(t.measure, t.level, t.clinic, t.instrument) for t in targets]
    faults += [
        f"target[{i}]: the same is set before" for i in range(len(seen)) if seen[i] in seen[:i]
    ]
    return faults


def target_rows(targets: Sequence[Target], instruments: Mapping[str, Instrument]) -> list[Row]:
    """Rows of ref.target."""
    rows: list[Row] = []
    for target in targets:
        instrument = find(instruments, target.instrument) if target.instrument else None
        unit = "service" if target.level == "service" else target.clinic
        about = (target.level, unit, target.measure, instrument.id if instrument else None)
        rows.append((*about, target.value, target.direction, target.source))
    return rows
