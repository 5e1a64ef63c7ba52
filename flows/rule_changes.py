"""Which rules are not those of the night before, and which measures they move through the scores."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.frozen import FROZEN_ON
from flows.reading.cells import literal
from flows.reference_rows import INSTRUMENT_TABLES
from flows.reference_rules import DEFINITION, INSTRUMENT, PREFERENCE, PROTOCOL, SETTING
from flows.sql_files import SqlFile, built_after, measures, read_sql_files

CONSTANT = "constant"
SCORING = ("score", "model")


def fill_rule_changes(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill measure.rule_change and measure.ruled_measure against the snapshot of the night before."""
    con.execute(
        f"""
        insert into measure.rule_change
        select coalesce(rule.kind, past.kind), coalesce(rule.name, past.name), past.content, rule.content
        from ref.rule as rule
        full join read_parquet({literal(str(folder / "ref" / "rule.parquet"))}) as past
            on rule.kind = past.kind and rule.name = past.name
        where rule.content is distinct from past.content
        order by all"""
    )
    scoring = [file for file in read_sql_files() if file.stage in SCORING]
    constants = [file for file in scoring if file.header.frozen_by and _is_new(con, file)]
    for file in constants:
        words = file.header.description.rstrip(".")
        con.execute("insert into measure.rule_change values (?, ?, null, null)", [CONSTANT, words])
    changed = con.execute("select kind, name from measure.rule_change").fetchall()
    moved = {file.name for file in constants} | _moved_tables(changed, scoring)
    later = built_after(moved)
    for file in measures():
        if file.name in later:
            con.execute("insert into measure.ruled_measure values (?)", [file.table])


def _is_new(con: duckdb.DuckDBPyConnection, file: SqlFile) -> bool:
    """Whether a constant was taken anew since the night before."""
    row = con.execute(
        f"select count(*) from {file.name}"
        f" where {FROZEN_ON} > (select as_of from measure.night_before)"
    ).fetchone()
    return bool(row and row[0])


def _moved_tables(changed: list[tuple[str, str]], scoring: list[SqlFile]) -> set[str]:
    """Tables of scores that rest on a rule themselves; measures apply their own definition anew."""
    moved: set[str] = set()
    for kind, name in changed:
        for file in scoring:
            if (
                (kind == DEFINITION and name == file.name)
                or (kind == SETTING and f"'{name}'" in file.text)
                or (kind == INSTRUMENT and not _INSTRUMENT.isdisjoint(file.inputs))
                or (kind == PROTOCOL and "ref.protocol" in file.inputs)
                or (kind == PREFERENCE and "ref.outcome_preference" in file.inputs)
            ):
                moved.add(file.name)
    return moved


_INSTRUMENT = frozenset(f"ref.{table}" for table in INSTRUMENT_TABLES)
