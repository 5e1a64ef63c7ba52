"""Long data: many lines, each with a code and an answer, become one record for each form."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from flows.errors import FileRefused
from flows.reading.cells import CellGrammar, clean_name, literal
from flows.reading.finding import Findings
from flows.reading.number_cells import NumberRule, coded
from schemas.export_format import FieldRule
from schemas.mapping_shapes import Code
from schemas.shaping import ABSENT, FORM_COLUMN, REFUSED, STATE_COLUMN, ShapedForm

CODES_SHOWN = 20
CARRIED = -1
MAP_SCHEMA = {
    "entry": pl.Int32, "code": pl.String, "form": pl.Int32, "place": pl.Int32,
    "is_item": pl.Boolean, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip


def pivot_codes(
    con: duckdb.DuckDBPyConnection,
    grammar: CellGrammar,
    forms: Sequence[ShapedForm],
    shared: list[str],
    findings: Findings,
) -> list[str]:
    """Create the table `shaped` out of `record`; the names of its columns.

    Lines belong to one form where they agree in its key: the mapping's, without the code, else
    patient, episode, session and date; always in version and respondent.

    Raises:
        FileRefused: when no line has a code that the mapping declares.
    """
    carried = list(dict.fromkeys(name for code in grammar.source.code for name in code.carry))
    cells = [name for form in forms for name in form.cells.values()]
    _put_map(con, grammar.source.code, forms, carried)
    _tell_undeclared(con, grammar, findings)
    keys = [place for place, name in enumerate(shared) if name in _key_names(grammar)]
    _create_cells(con, grammar, shared, keys)
    _tell_doubtful(con, grammar, forms, findings)
    _create_forms(con, shared, keys, carried, cells)
    _tell_uneven(con, shared, carried, findings)
    _note_lines(con, keys, cells)
    return [*shared, *carried, FORM_COLUMN, STATE_COLUMN, *cells]


def _key_names(grammar: CellGrammar) -> set[str]:
    """The columns in which all lines of a form agree by definition."""
    source = grammar.source
    names = list(source.key)
    if not names:
        fields = source.fields
        rules = (fields.patient, fields.episode, fields.session, fields.answered_at)
        names = [name for rule in rules if rule is not None for name in rule.columns]
    names += [source.version] if source.version else []
    for code in source.code:
        if isinstance(code.respondent, FieldRule):
            names += code.respondent.columns
    return {clean_name(name) for name in names}


def _put_map(
    con: duckdb.DuckDBPyConnection,
    codes: Sequence[Code],
    forms: Sequence[ShapedForm],
    carried: list[str],
) -> None:
    """The table `code_map`: which code of which entry goes to which column of which form."""
    places: dict[tuple[int, int | str], int] = {}
    for form in forms:
        for item in form.cells:
            places[form.number, item] = len(places)
    rows: list[tuple[object, ...]] = []
    for entry, code in enumerate(codes):
        own = {form.instrument: form.number for form in forms if any(p is code for p in form.parts)}
        for name, target in code.map.items():
            number = own[target.instrument]
            place = places[number, target.item]
            is_item = isinstance(target.item, int)
            rows.append((entry, name, number, place, is_item, target.low, target.high))
        rows += [
            (entry, name, CARRIED, carried.index(name), False, None, None) for name in code.carry
        ]
    con.register("map_frame", pl.DataFrame(rows, schema=MAP_SCHEMA, orient="row"))
    con.execute("create or replace temp table code_map as select * from map_frame")
    con.unregister("map_frame")


def _lines(grammar: CellGrammar, code: Code, join: str = "") -> str:
    """The lines that an entry reads, joined with what is asked for."""
    return (
        f"record join record_line l on l.row = record.rowid {join}"
        f" where dropped_by is null and {grammar.condition(code.when)}"
    )


def _tell_undeclared(
    con: duckdb.DuckDBPyConnection, grammar: CellGrammar, findings: Findings
) -> None:
    """Codes that no entry declares: how many lines have each, and where the first stands."""
    declared = 0
    for entry, code in enumerate(grammar.source.code):
        wanted = " and ".join(f"not (code glob {literal(glob)})" for glob in code.ignore) or "true"
        found = con.execute(
            f"""
            select code, count(*) as n, min(line) as line, m.entry is not null as known
            from (select {grammar.cell(code.column)} as code, l.line from {_lines(grammar, code)})
            left join (from code_map where entry = {entry}) m using (code)
            where m.entry is not null or ({wanted}) group by all order by n desc, line"""
        ).pl()
        declared += int(found.filter("known")["n"].sum())
        unknown = found.filter(~pl.col("known"))
        for row in unknown.head(CODES_SHOWN).iter_rows(named=True):
            findings.add(
                "code-undeclared", row["line"], code.column, times=row["n"], codes=len(unknown)
            )
    if not declared:
        row = con.execute("select count(*) from record where dropped_by is null").fetchone()
        raise FileRefused("codes-not-recognised", counted=row[0] if row else 0)


def _create_cells(
    con: duckdb.DuckDBPyConnection, grammar: CellGrammar, shared: list[str], keys: list[int]
) -> None:
    """The table `long_cell`: one row for each cell of a form, whatever its lines say."""
    own = [(f"k{place}", grammar.cell(name)) for place, name in enumerate(shared)]
    selected = "".join(f", {expression} as {name}" for name, expression in own)
    entries = []
    for entry, code in enumerate(grammar.source.code):
        cell = grammar.cell(code.value)
        decimal = NumberRule(grammar.source.read.decimal).value(cell)
        number = decimal
        if code.values is not None:
            answer = coded(cell, code.values, decimal=True)
            number = f"case when m.is_item then {answer} else {decimal} end"
        present = f"not {grammar.is_missing(cell)}"
        out = f"{present} and not coalesce({number} between m.low and m.high, true)"
        join = f"join code_map m on m.entry = {entry} and m.code = {grammar.cell(code.column)}"
        entries.append(
            f"select l.line, m.form, m.place, {cell} as cell, {out} as is_out{selected}"
            f" from {_lines(grammar, code, join)}"
        )
    key = "".join(f", k{place}" for place in keys)
    others = [place for place in range(len(shared)) if place not in keys]
    ends = "".join(
        f", min(nullif(k{n}, '')) as low{n}, max(nullif(k{n}, '')) as high{n}" for n in others
    )
    con.execute(
        f"""
        create or replace temp table long_cell as
        select form, place{key}, min(line) as line, max(line) as last_line,
               min(cell) as cell, min(cell) <> max(cell) as is_doubled,
               bool_or(is_out) as is_out, min(line) filter (is_out) as out_line{ends}
        from ({" union all ".join(entries)}) group by form, place{key}"""
    )


def _tell_doubtful(
    con: duckdb.DuckDBPyConnection,
    grammar: CellGrammar,
    forms: Sequence[ShapedForm],
    findings: Findings,
) -> None:
    """Cells that say two things, and answers out of the range of their code."""
    first = 0
    for form in forms:
        count = con.execute(f"select count(*) from long_cell where form = {form.number}").fetchone()
        checked = int(count[0]) if count else None
        items = list(form.cells)
        for code in form.parts:
            if not isinstance(code, Code):
                continue
            own = {t.item for t in code.map.values() if t.instrument == form.instrument}
            places = ", ".join(str(first + n) for n, item in enumerate(items) if item in own)
            where = f"from long_cell where form = {form.number} and place in ({places})"
            twice = con.execute(f"select last_line as line {where} and is_doubled").pl()
            findings.add_lines("code-twice", twice["line"], code.column, checked)
            out = con.execute(f"select out_line as line {where} and is_out").pl()
            findings.add_lines("code-out-of-range", out["line"], code.value, checked)
        first += len(items)


def _create_forms(
    con: duckdb.DuckDBPyConnection,
    shared: list[str],
    keys: list[int],
    carried: list[str],
    cells: list[str],
) -> None:
    """The table `shaped`: position, line and the texts s0, s1, .. of one record for each form."""
    key = "".join(f", k{place}" for place in keys)
    others = [place for place in range(len(shared)) if place not in keys]
    ends = "".join(f", min(low{n}) as low{n}, max(high{n}) as high{n}" for n in others)
    uneven = " or ".join([*(f"coalesce(low{n} <> high{n}, false)" for n in others), "false"])
    wide = "".join(f", max(cell) filter (place = {n}) as p{n}" for n in range(len(cells)))
    brought = "".join(f", max(cell) filter (place = {n}) as b{n}" for n in range(len(carried)))
    on = " and ".join(f"f.k{place} = b.k{place}" for place in keys) or "true"
    texts = [f"f.k{n}" if n in keys else f"low{n}" for n in range(len(shared))]
    texts += [f"b{n}" for n in range(len(carried))]
    texts += ["cast(form as varchar)"]
    texts += [
        f"case when is_refused or coalesce(b_doubled, false) or {uneven} then '{REFUSED}' end"
    ]
    absent = literal(ABSENT)
    texts += [f"coalesce(p{n}, {absent})" for n in range(len(cells))]
    put = ", ".join(f"coalesce({text}, '') as s{n}" for n, text in enumerate(texts))
    told = ", ".join([f"{uneven} as is_uneven", "coalesce(b_doubled, false) as b_doubled"])
    both = "".join(f", coalesce(low{n} <> high{n}, false) as uneven{n}" for n in others)
    con.execute(
        f"""
        create or replace temp table shaped as
        with form as (
            select form{key}, min(line) as line, bool_or(is_doubled or is_out) as is_refused
                   {ends}{wide}
            from long_cell where form <> {CARRIED} group by form{key}
        ),
        brought as (
            select 1 as one{key}, bool_or(is_doubled) as b_doubled{brought}
            from long_cell where form = {CARRIED} group by all
        )
        select row_number() over (order by f.line, f.form) - 1 as position, f.line, f.form,
               {told}{both}{"".join(f", f.k{place}" for place in keys)}, {put}
        from form f left join brought b on {on}"""
    )


def _tell_uneven(
    con: duckdb.DuckDBPyConnection, shared: list[str], carried: list[str], findings: Findings
) -> None:
    found = con.execute("select column_name from (describe shaped)").fetchall()
    uneven = [name for (name,) in found if name.startswith("uneven")]
    for column in uneven:
        lines = con.execute(f"select line from shaped where {column}").pl()
        name = shared[int(column.removeprefix("uneven"))]
        findings.add_lines("lines-disagree", lines["line"], name)
    if carried:
        lines = con.execute("select line from shaped where b_doubled").pl()
        findings.add_lines("lines-disagree", lines["line"], " / ".join(carried))


def _note_lines(con: duckdb.DuckDBPyConnection, keys: list[int], cells: list[str]) -> None:
    """The line of each answer goes into `cell_line`: a form has one only for where it begins."""
    con.register("cell_frame", pl.DataFrame({"place": range(len(cells)), "column_name": cells}))
    on = " and ".join(["s.form = c.form", *(f"s.k{place} = c.k{place}" for place in keys)])
    con.execute(
        f"""
        insert into cell_line select s.position, n.column_name, c.line
        from long_cell c join shaped s on {on} join cell_frame n using (place)
        where c.form <> {CARRIED}"""
    )
    con.unregister("cell_frame")
    con.execute("drop table long_cell")
