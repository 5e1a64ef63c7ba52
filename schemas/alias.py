"""aliases.csv: which patient or therapist numbers mean the same person, as the clinics know it.

One line says that a number stands for another one. Nothing is ever matched by likeness. The file
holds ids as the clinics use them: it is readable by its owner alone, and no id of it is printed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from schemas.private_file import Faults, read_private

HEADER = ("kind", "clinic", "id", "same_as_clinic", "same_as", "since", "until", "reason", "by")
KINDS = ("patient", "therapist")
ALWAYS, FOREVER = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Alias:
    """One number that stands for another.

    Attributes:
        line: of the file.
        kind: patient or therapist.
        clinic: whose number it is.
        id: the number as delivered.
        same_as_clinic: clinic of the number it stands for; a therapist's is the same one.
        same_as: the number it stands for.
        since: first day it holds for; of patients always.
        until: first day it no longer holds for.
    """

    line: int
    kind: str
    clinic: str
    id: str
    same_as_clinic: str
    same_as: str
    since: date = ALWAYS
    until: date = FOREVER


def read_aliases(path: Path) -> list[Alias]:
    """Read and check aliases.csv; no file, no aliases. Chains are followed to their end.

    Raises:
        Faults: with every fault and its line.
    """
    text = read_private(path)
    if text is None:
        return []
    reader = csv.reader(text.splitlines())
    if tuple(next(reader, ())) != HEADER:
        raise Faults([f"{path.name}:1: the header must be {','.join(HEADER)}"])
    faults: list[str] = []
    found = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            alias = _alias(reader.line_num, cells, faults)
            found += [alias] if alias else []
    faults += _overlaps(found)
    if not faults:
        faults += _circles(found)
    if faults:
        raise Faults([f"{path.name}:{fault}" for fault in faults])
    always = _always(found)
    return [_to_the_end(alias, always) for alias in found]


def _alias(line: int, cells: list[str], faults: list[str]) -> Alias | None:
    said = len(faults)
    if len(cells) != len(HEADER):
        faults.append(f"{line}: has {len(cells)} cells, not {len(HEADER)}")
        return None
    row = dict(zip(HEADER, (cell.strip() for cell in cells), strict=True))
    if row["kind"] not in KINDS:
        faults.append(f"{line}: kind: is neither patient nor therapist")
    faults += [
        f"{line}: {key}: is empty" for key in ("clinic", "id", "same_as", "reason", "by")
        if not row[key]
    ]  # fmt: skip
    target = row["same_as_clinic"] or row["clinic"]
    if (row["clinic"], row["id"]) == (target, row["same_as"]):
        faults.append(f"{line}: same_as: is the number itself")
    if row["kind"] == "therapist" and target != row["clinic"]:
        faults.append(f"{line}: same_as_clinic: a therapist's numbers are of one clinic")
    if row["kind"] == "patient" and (row["since"] or row["until"]):
        faults.append(f"{line}: since, until: a patient is the same person on every day")
    days = [_day(line, key, row[key], faults) for key in ("since", "until")]
    since, until = days[0] or ALWAYS, days[1] or FOREVER
    if since >= until:
        faults.append(f"{line}: until: must lie after since")
    if len(faults) > said:
        return None
    return Alias(line, row["kind"], row["clinic"], row["id"], target, row["same_as"], since, until)


def _day(line: int, key: str, text: str, faults: list[str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults.append(f"{line}: {key}: is not a day like 2026-03-31")
        return None


def _overlaps(aliases: list[Alias]) -> Iterator[str]:
    seen: dict[tuple[str, str, str], list[Alias]] = {}
    for alias in aliases:
        same = seen.setdefault((alias.kind, alias.clinic, alias.id), [])
        for other in same:
            if alias.since < other.until and other.since < alias.until:
                yield f"{alias.line}: id: line {other.line} says already what it stands for"
        same.append(alias)


def _always(aliases: list[Alias]) -> dict[tuple[str, str, str], Alias]:
    """The aliases that hold on every day, by the number that they are of."""
    return {
        (alias.kind, alias.clinic, alias.id): alias
        for alias in aliases
        if (alias.since, alias.until) == (ALWAYS, FOREVER)
    }


def _next(alias: Alias, always: Mapping[tuple[str, str, str], Alias]) -> Alias | None:
    """What the number that an alias leads to stands for itself."""
    return always.get((alias.kind, alias.same_as_clinic, alias.same_as))


def _circles(aliases: list[Alias]) -> Iterator[str]:
    always = _always(aliases)
    for alias in aliases:
        passed, step = {alias.line}, _next(alias, always)
        while step is not None and step.line not in passed:
            passed.add(step.line)
            step = _next(step, always)
        if step is not None:
            yield f"{alias.line}: same_as: leads in a circle"


def _to_the_end(alias: Alias, always: Mapping[tuple[str, str, str], Alias]) -> Alias:
    end = alias
    while (step := _next(end, always)) is not None:
        end = step
    return replace(alias, same_as_clinic=end.same_as_clinic, same_as=end.same_as)
