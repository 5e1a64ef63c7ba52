"""Lines become forms: long data by code, and tables with a column for each session.

Both end as text with one record for each form, so that everything after reads them as it reads any
other file. The work is done by the engine on all lines at once.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from flows.reading.cells import CellGrammar, clean_name, literal
from flows.reading.columns import needed_columns, tell_unused
from flows.reading.delimited import TextTable, index_records
from flows.reading.finding import Findings
from flows.reading.pivot import pivot_codes
from flows.reading.plan import RecordPlan
from flows.reading.unpivot import unpivot_sessions
from schemas.export_format import Source
from schemas.shaping import shaped_forms, shaped_source


def reshape(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, table: TextTable, findings: Findings
) -> TextTable:
    """Write one record for each form, and note the line of each of its cells in `cell_line`.

    Args:
        con: holds the lines as table `record`, and `record_line`.
        plan: of these lines.
        table: the lines' own text; it is replaced.
        findings: takes what does not make a form.

    Raises:
        FileRefused: when no line has a declared code, or two columns stand for one session.
    """
    source, grammar = plan.grammar.source, plan.grammar
    shared = shared_columns(source, table.columns)
    _tell_unused_columns(grammar, shared, table, findings)
    forms = shaped_forms(source)
    if source.wide is not None:
        columns = unpivot_sessions(con, grammar, forms, shared, findings)
    else:
        columns = pivot_codes(con, grammar, forms, shared, findings)
    return _write(con, table, columns)


def shared_columns(source: Source, header: tuple[str, ...]) -> list[str]:
    """Columns of the file that belong to a whole form: fields, key, version, conditions."""
    bare = source.model_copy(
        update={
            "code": tuple(code.model_copy(update={"when": None}) for code in source.code),
            "read": source.read.model_copy(update={"keep": (), "drop": ()}),
        }
    )
    own = {clean_name(name) for code in source.code for name in (code.column, code.value)}
    field_names = {
        clean_name(name)
        for rule in (shaped_source(source).fields.__dict__).values()
        if hasattr(rule, "columns")
        for name in rule.columns
    }
    names = [name for choice in needed_columns(bare) for name in choice]
    names += [clean_name(name) for name in source.key]
    return [
        name
        for name in dict.fromkeys(names)
        if name in header and (name not in own or name in field_names)
    ]


def _tell_unused_columns(
    grammar: CellGrammar, shared: list[str], table: TextTable, findings: Findings
) -> None:
    source = grammar.source
    used = {*shared, *(name for choice in needed_columns(source) for name in choice)}
    wide = source.wide
    if wide is not None:
        used |= {name for name in table.columns if (wide.parts_of(name) or ("", ""))[1]}
    tell_unused(source, grammar.columns, used, table.header_line, findings)


def _write(con: duckdb.DuckDBPyConnection, table: TextTable, columns: list[str]) -> TextTable:
    """The table `shaped` as text; its records stand at the first line of their forms."""
    path = Path(f"{table.path}.forms")
    width = ", ".join(f"s{place}" for place in range(len(columns)))
    con.execute(
        f"copy (select {width} from shaped order by position) to {literal(str(path))} (format csv,"
        f" header false, delimiter {literal(table.delimiter)}, quote '\"', escape '\"', force_quote *)"
    )
    path.replace(table.path)
    lines = con.execute("select line from shaped order by position").fetchnumpy()["line"]
    con.execute("drop table shaped")
    starts = index_records(table.path)
    lines = np.asarray(lines, dtype=np.int64)
    return TextTable(
        table.path, tuple(columns), starts, lines, np.ones_like(lines), table.header_line,
        ends_unfinished=False, delimiter=table.delimiter,
    )  # fmt: skip
