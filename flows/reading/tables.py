"""Archives of tables: the rows of one table, each with the rows above it, become records of text."""

from __future__ import annotations

import glob

import duckdb
import numpy as np
import polars as pl

from flows.errors import FileRefused
from flows.reading.archive import is_archive, opened
from flows.reading.cells import clean_name
from flows.reading.columns import needed_columns
from flows.reading.correct import refuse_parts
from flows.reading.delimited import refuse_too_wide
from flows.reading.export import Export, Prepared
from flows.reading.table_set import MOST_COLUMNS, STRIDE, Loaded, TableSet
from flows.reading.text_writer import TextWriter
from schemas.export_format import Appointment, Fields, Join, Source

BATCH_ROWS = 50_000
Link = tuple[str, str]


def prepare(export: Export) -> list[Prepared]:
    """Join the child table to the tables above it; a table of appointments becomes a part of its own.

    Raises:
        FileRefused: when a table or a key column is absent, or no row finds the rows above it.
    """
    if not is_archive(export.path):
        raise FileRefused("archive-unreadable")
    source = export.source
    with opened(export) as archive, duckdb.connect() as con:
        tables = TableSet(export, archive, con)
        prepared = []
        apart = source.appointment if source.appointment and source.appointment.table else None
        known = _columns_used(source)
        for place, join in enumerate(source.join):
            part = source.part_of(join)
            part = _ignoring(part.model_copy(update={"fields": part.shared_fields}), known)
            without = {"appointment": None} if apart else {}
            part = part.model_copy(update={"join": (), **without})
            if part.form or part.code or part.wide or part.episode or part.appointment:
                told = _joined(tables, export, part, join.table, join.to, f"child{place}")
                prepared.append(told)
                known |= set(told.table.columns)
        if apart is not None:
            join, chain = _from_here(tables, source, apart)
            part = _ignoring(_appointments(source.part_of(join) if join else source, apart), known)
            told = _joined(tables, export, part, str(apart.table), chain, "appointments")
            prepared.append(_with_fields_at_hand(told))
        refuse_parts(export.corrections, tables.places)
    return prepared


def _columns_used(source: Source) -> set[str]:
    """Columns that some part of the source reads, and the keys of its joins."""
    names = {key for join in source.join for _, key in join.to}
    for part in [source, *(source.part_of(join) for join in source.join)]:
        whole = part.model_copy(update={"fields": part.shared_fields})
        names |= {name for choice in needed_columns(whole) for name in choice}
    return {clean_name(name) for name in names}


def _ignoring(source: Source, names: set[str]) -> Source:
    """The source, with columns ignored that are no surprise: another part reads or told them."""
    ignore = (*source.fields.ignore, *(glob.escape(name) for name in sorted(names)))
    fields = source.fields.model_copy(update={"ignore": ignore})
    return source.model_copy(update={"fields": fields})


def _from_here(
    tables: TableSet, source: Source, apart: Appointment
) -> tuple[Join | None, tuple[Link, ...]]:
    """The join that holds the appointments, where one does, and the tables above theirs in it."""
    wanted = tables.find(str(apart.table))
    for join in source.join:
        if tables.find(join.table) == wanted:
            return join, join.to
        for place, (pattern, _) in enumerate(join.to):
            if tables.find(pattern) == wanted:
                return join, join.to[place + 1 :]
    return None, ()


def _appointments(source: Source, apart: Appointment) -> Source:
    """The part of a source that reads its table of appointments."""
    nothing: dict[str, object] = {"form": (), "code": (), "wide": None}
    changed = {
        "join": (),
        "fields": source.shared_fields,
        "key": (),
        "version": None,
        "episode": None,
        "appointment": apart.model_copy(update={"table": None}),
    }
    return source.model_copy(update={**nothing, **changed})


def _with_fields_at_hand(prepared: Prepared) -> Prepared:
    """Leave out fields of the form's join whose columns do not reach the appointments."""
    fields, there = prepared.source.fields, set(prepared.table.columns)
    gone: dict[str, None] = {
        name: None
        for name in ("therapist", "episode", "session")
        if (rule := getattr(fields, name)) is not None
        and not any(clean_name(column) in there for column in rule.columns)
    }
    source = prepared.source.model_copy(update={"fields": Fields.model_copy(fields, update=gone)})
    return Prepared(source, prepared.table, prepared.rejected)


def _joined(
    tables: TableSet,
    export: Export,
    source: Source,
    pattern: str,
    chain: tuple[Link, ...],
    name: str,
) -> Prepared:
    """Go up the chain link by link; a row that finds nothing above it is told and left out."""
    child = tables.load(pattern)
    con, rejected = tables.con, child.malformed
    con.execute(f"create or replace table joined as select * from {child.name}")
    columns = list(child.columns)
    for above, key in chain:
        parent = tables.load(above)
        new = [name for name in parent.columns if name not in columns]
        refuse_too_wide(len(columns) + len(new), child.header_line, MOST_COLUMNS)
        rejected += _link(
            tables,
            export,
            columns,
            Loaded("joined", tuple(columns), child.header_line, 0),
            parent,
            key,
        )
        columns += new
    writer = TextWriter(export.text(name))
    cells = ", ".join(f"c{n}" for n in range(len(columns)))
    reader = con.execute(f"select line, {cells} from joined order by line").to_arrow_reader(
        BATCH_ROWS
    )
    for batch in reader:
        frame = pl.DataFrame(pl.from_arrow(batch))
        writer.write(frame.drop("line"), frame["line"].to_numpy().astype(np.int64))
    if not writer.lines and rejected:
        raise FileRefused("parents-missing", child.header_line)
    return Prepared(source, writer.finish(columns, child.header_line), rejected)


def _link(
    tables: TableSet,
    export: Export,
    columns: list[str],
    joined: Loaded,
    parent: Loaded,
    key: str,
) -> int:
    """Join one table above; how many rows were left out, because theirs is absent or there twice."""
    con, findings = tables.con, export.findings
    below, above = joined.column(key), parent.column(key)
    if export.source.read.trim:
        below, above = f"trim(j.{below})", f"trim({above})"
    else:
        below = f"j.{below}"
    every = ", ".join(f"c{n}" for n in range(len(parent.columns)))
    con.execute(
        f"""
        create or replace table above as
        select {above} as key, min_by(t, line) as first, min(line) as line,
               count(distinct [{every}]) as kinds
        from {parent.name} t where {above} <> '' group by all"""
    )
    name = tables.places[parent.header_line // STRIDE]
    doubled = con.execute("select line from above where kinds > 1 order by line").pl()
    findings.add_lines("parent-doubled", doubled["line"], key)
    left = con.execute(
        f"select j.line from joined j left join above a on a.key = {below}"
        " where a.key is null or a.kinds > 1 order by 1"
    ).pl()
    findings.add_lines("parent-missing", left["line"], key, names=name)
    new = [n for n, column in enumerate(parent.columns) if column not in columns]
    added = [f"first.c{n} as c{len(columns) + place}" for place, n in enumerate(new)]
    con.execute(
        f"create or replace table joined as select j.*{''.join(', ' + a for a in added)}"
        f" from joined j join above a on a.key = {below} and a.kinds = 1"
    )
    return len(left)
