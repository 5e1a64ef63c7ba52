"""What a mapping must say of the tables of an archive: which part is read from which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.export_format import Source


def table_faults(source: Source) -> list[str]:
    """Words for tables belong to the format of tables; where there are several, each part says its own."""
    apart = source.appointment is not None and source.appointment.table is not None
    named = [(f"form.{n}", form.table) for n, form in enumerate(source.form, start=1)]
    named += [(f"code.{n}", code.table) for n, code in enumerate(source.code, start=1)]
    named += [("wide", source.wide.table)] if source.wide else []
    named += [("episode", source.episode.table)] if source.episode else []
    if source.read.format != "tables":
        words = ["join"] if source.join else []
        words += ["appointment.table"] if apart else []
        words += [f"{path}.table" for path, table in named if table is not None]
        return [f'{word} belongs to read.format = "tables"' for word in words]
    if not source.join and not apart:
        return ["tables need a join, or appointment.table"]
    tables = [join.table for join in source.join]
    faults = [
        f"{path}.table: there is no join of this table; there are {', '.join(tables)}"
        for path, table in named
        if table is not None and table not in tables
    ]
    return faults if len(tables) < 2 else faults + _several_faults(source, tables, named)


def _several_faults(
    source: Source, tables: list[str], named: list[tuple[str, str | None]]
) -> list[str]:
    """With several joins nothing is left to guess: which part is read from which table."""
    faults = [
        f"{path} needs table: there are several joins" for path, table in named if table is None
    ]
    if source.appointment is not None and source.appointment.table is None:
        faults.append("appointment needs table: there are several joins")
    used = {table for _, table in named} | {getattr(source.appointment, "table", None)}
    for place, table in enumerate(tables, start=1):
        if table in tables[: place - 1]:
            faults.append(f"join.{place}.table: another join has this table")
        elif table not in used:
            faults.append(f"join.{place}: nothing is read from {table}")
    return faults
