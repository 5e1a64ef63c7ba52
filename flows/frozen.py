"""Pooled constants that stand still for a calendar quarter, so that figures do not move with them nightly.

A constant pooled over a service (a spread within patients, a percentile, a coefficient) changes a
little with every delivery; were it taken anew each night, every patient's flag would flicker with
other patients' data. So the first night of a quarter that can compute it keeps it in the schema
`kept`, and later nights of the quarter read it back. A past night reads what was kept by then. What the
public reads of a closed window is kept for good, in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

FROZEN_ON = "frozen_on"
THIS_QUARTER = (
    f"{FROZEN_ON} between date_trunc('quarter', getvariable('as_of')::date)::date"
    " and getvariable('as_of')::date"
)
SO_FAR = f"{FROZEN_ON} <= getvariable('as_of')::date"


def keep(
    con: duckdb.DuckDBPyConnection,
    name: str,
    keys: Sequence[str],
    select: str,
    span: str = THIS_QUARTER,
) -> None:
    """Keep the rows of a SELECT whose key has none of this quarter, or of another span, yet.

    Args:
        con: with `as_of` set.
        name: of the kept table; a changed definition needs another name, its numbers are others.
        keys: columns that are frozen together; one key may have many rows, and none is NULL.
        select: gives the rows, among their columns `frozen_on`, the night itself.
        span: the nights among which one holds: THIS_QUARTER, or SO_FAR for what is kept for good.
    """
    con.execute("create schema if not exists kept")
    con.execute(f"create table if not exists kept.{name} as select * from ({select}) limit 0")
    same = " and ".join(f'held."{key}" = fresh."{key}"' for key in keys)
    con.execute(
        f"insert into kept.{name} by name select * from ({select}) fresh where not exists"
        f" (select 1 from kept.{name} held where held.{span} and {same})"
    )


def recall(name: str, keys: Sequence[str], span: str = THIS_QUARTER) -> str:
    """The SELECT of what holds on the night: per key the newest of this quarter or other span."""
    listed = ", ".join(f'"{key}"' for key in keys)
    return (
        f"select * from kept.{name} where {span}"
        f" qualify {FROZEN_ON} = max({FROZEN_ON}) over (partition by {listed})"
    )


def all_held(
    con: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str], table: str | None
) -> bool:
    """Whether every key there can be is kept of this quarter already, so that nothing can be added.

    Args:
        con: with `as_of` set.
        name: of the kept table.
        keys: columns that are frozen together.
        table: has every key there can be, by all rows or by those that a condition names; None where
            no table has.
    """
    if table is None or not (held := held_keys(con, name, keys)):
        return False
    listed = ", ".join(f'"{key}"' for key in keys)
    return held.issuperset(con.execute(f"select distinct {listed} from {table}").fetchall())


def held_keys(
    con: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str]
) -> set[tuple[object, ...]]:
    """The keys that have rows of this quarter; none where the table was never kept."""
    known = con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'kept' and table_name = ?"
        " and database_name = current_database()",
        [name],
    ).fetchone()
    if not known or not known[0]:
        return set()
    listed = ", ".join(f'"{key}"' for key in keys)
    rows = con.execute(f"select distinct {listed} from kept.{name} where {THIS_QUARTER}")
    return set(rows.fetchall())
