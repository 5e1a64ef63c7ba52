"""A column for each session: one line becomes one record for each session and form."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from flows.errors import FileRefused
from flows.reading.cells import CellGrammar, literal
from flows.reading.finding import Findings
from flows.reading.number_cells import NumberRule, coded
from schemas.mapping_shapes import Wide
from schemas.shaping import (
    ABSENT,
    FORM_COLUMN,
    REFUSED,
    SESSION_COLUMN,
    STATE_COLUMN,
    ShapedForm,
)


def unpivot_sessions(
    con: duckdb.DuckDBPyConnection,
    grammar: CellGrammar,
    forms: Sequence[ShapedForm],
    shared: list[str],
    findings: Findings,
) -> list[str]:
    """Create the table `shaped` out of `record`; the names of its columns.

    A form without any answer in a session is not there.

    Raises:
        FileRefused: when a form has no column at all, two columns stand for one session, or there
            is no answer in the whole file.
    """
    wide = grammar.source.wide
    if wide is None:
        raise TypeError("the mapping has no wide table")
    found = findings.session_columns = _columns(grammar, wide)
    cells = [name for form in forms for name in form.cells.values()]
    sessions = dict.fromkeys(session for _, session in found)
    selects = [
        _select(grammar, wide, form, (order, session), found, shared, cells)
        for order, session in enumerate(sessions)
        for form in forms
        if any((name, session) in found for name in form.cells.values())
    ]
    con.execute(
        "create or replace temp table shaped as select *, row_number() over"
        f" (order by line, session_order, form) - 1 as position from ({' union all '.join(selects)})"
    )
    row = con.execute("select count(*) from shaped").fetchone()
    if not row or not row[0]:
        raise FileRefused("file-without-forms")
    _tell_out_of_range(con, grammar, wide, found, findings)
    return [*shared, *wide.carry, SESSION_COLUMN, FORM_COLUMN, STATE_COLUMN, *cells]


def _select(
    grammar: CellGrammar,
    wide: Wide,
    form: ShapedForm,
    at: tuple[int, str],
    found: dict[tuple[str, str], str],
    shared: list[str],
    cells: list[str],
) -> str:
    """The records of one form in one session, those without any answer left out."""
    order, session = at
    there = [name for name in form.cells.values() if (name, session) in found]
    texts = [grammar.cell(name) for name in shared]
    texts += [_cell(grammar, found, name, session) for name in wide.carry]
    outs = [_is_out(grammar, wide, name, found[name, session]) for name in there]
    state = f"case when {' or '.join(outs)} then {literal(REFUSED)} else '' end"
    texts += [literal(session), literal(str(form.number)), state]
    texts += [_cell(grammar, found, name, session, literal(ABSENT)) for name in cells]
    filled = " or ".join(f"not {_blank(grammar, found[name, session])}" for name in there)
    put = ", ".join(f"{text} as s{n}" for n, text in enumerate(texts))
    return (
        f"select l.line, {order} as session_order, {form.number} as form, {put}"
        " from record join record_line l on l.row = record.rowid"
        f" where dropped_by is null and ({filled})"
    )


def _columns(grammar: CellGrammar, wide: Wide) -> dict[tuple[str, str], str]:
    """The file's column by form and session."""
    found: dict[tuple[str, str], str] = {}
    for name in grammar.columns:
        parts = wide.parts_of(name)
        if parts is None or not parts[1]:
            continue
        if parts in found:
            raise FileRefused("session-doubled", column=name, names=found[parts])
        found[parts] = name
    for name in (*wide.forms, *wide.carry):
        if not any(form == name for form, _ in found):
            spelled = wide.columns.replace("{form}", name)
            raise FileRefused("column-missing", column=spelled, nearest="")
    return found


def _cell(
    grammar: CellGrammar,
    found: dict[tuple[str, str], str],
    name: str,
    session: str,
    absent: str = "''",
) -> str:
    return grammar.cell(found[name, session]) if (name, session) in found else absent


def _is_out(grammar: CellGrammar, wide: Wide, name: str, column: str) -> str:
    """True where a cell holds a number outside the range that the mapping states for it."""
    target, cell = wide.forms[name], grammar.cell(column)
    if target.low is None:
        return "false"
    number = NumberRule(grammar.source.read.decimal).value(cell)
    if wide.values is not None and isinstance(target.item, int):
        number = coded(cell, wide.values, decimal=True)
    inside = f"coalesce({number} between {target.low} and {target.high}, true)"
    return f"not {grammar.is_missing(cell)} and not {inside}"


def _tell_out_of_range(
    con: duckdb.DuckDBPyConnection,
    grammar: CellGrammar,
    wide: Wide,
    found: dict[tuple[str, str], str],
    findings: Findings,
) -> None:
    for (name, _), column in found.items():
        if name in wide.forms and wide.forms[name].low is not None:
            lines = con.execute(
                "select l.line from record join record_line l on l.row = record.rowid"
                f" where dropped_by is null and {_is_out(grammar, wide, name, column)}"
            ).pl()
            findings.add_lines("code-out-of-range", lines["line"], column)


def _blank(grammar: CellGrammar, name: str) -> str:
    cell = grammar.cell(name)
    return f"({cell} = '' or {grammar.is_missing(cell)})"
