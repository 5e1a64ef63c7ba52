"""Every rule that figures rest on, as name and content: what was in force is compared between nights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flows.reference_rows import Row
from flows.sql_files import SqlFile
from schemas.instrument_types import Instrument

DEFINITION = "definition"
SETTING = "setting"
INSTRUMENT = "instrument"
PROTOCOL = "expected form"
PREFERENCE = "order of questionnaires"
PROGRAM = "program"
# What the report says and how it is laid out moves no figure.
MOVING = ("score", "model", "measure")


def rule_rows(
    files: Iterable[SqlFile],
    instruments: Mapping[str, Instrument],
    disabled: Collection[str],
    rows: Mapping[str, Sequence[Row]],
    program_version: str,
) -> list[Row]:
    """One row per rule: kind, name, content.

    Args:
        files: every SQL file.
        instruments: by id.
        disabled: ids of those that the service does not use.
        rows: of the ref.* tables `setting`, `protocol` and `outcome_preference`.
        program_version: of the program that runs.
    """
    found: list[tuple[str, str, Any]] = [(PROGRAM, "rapport", program_version)]
    found += [
        (DEFINITION, file.name, file.header.words["version"])
        for file in files
        if file.stage in MOVING and "*" not in file.path
    ]
    found += [(SETTING, name, value.normalize()) for name, value, _ in rows["setting"]]
    found += [
        (INSTRUMENT, i.name, f"{i.content_hash[:16]}{', switched off' if i.id in disabled else ''}")
        for i in instruments.values()
    ]
    found += [
        (PROTOCOL, f"{clinic} {instrument}", "first and last" if every is None else every)
        for clinic, instrument, _, every, _ in rows["protocol"]
    ]
    order = ", ".join(str(row[1]) for row in rows["outcome_preference"])
    found.append((PREFERENCE, "outcome", order))
    return sorted({(kind, name, str(content)) for kind, name, content in found})
