"""What files of the workspace state anew every night: rows open and close, as everything else does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb

from flows.reading.file import KINDS
from flows.reading.merge import OPEN_END
from flows.warehouse import transaction


def restate(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: str,
    rows: Sequence[tuple[Any, ...]],
    as_of: date,
) -> None:
    """Open and close rows so that from tonight on these hold; they stay in the temporary table `stated`.

    Args:
        con: the warehouse.
        table: with the columns, then known_from and known_to.
        columns: what a row says, as SQL names them.
        rows: all that holds from tonight.
        as_of: the night.
    """
    with transaction(con):
        con.execute(f"create or replace temp table stated as select {columns} from {table} limit 0")
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            con.executemany(f"insert into stated values ({marks})", rows)
        con.execute(
            f"update {table} set known_to = ? where known_to = {OPEN_END}"
            f" and ({columns}) not in (select ({columns}) from stated)",
            [as_of],
        )
        con.execute(
            f"insert into {table} select distinct {columns}, ?::date, {OPEN_END} from stated"
            f" where ({columns}) not in (select ({columns}) from {table}"
            f" where known_to = {OPEN_END}) order by all",
            [as_of],
        )
        con.execute(f"delete from {table} where known_from >= known_to")


def never_delivered(con: duckdb.DuckDBPyConnection, column: str, kind: str) -> set[str]:
    """Those of the ids just stated that stand in no row, whenever it was known.

    Args:
        con: holds the table `stated`.
        column: of it.
        kind: patient or therapist.
    """
    delivered = " union all ".join(
        f"select {kind}_id as id from valid.{table}_version" for table in KINDS
    )
    found = con.execute(
        f"select distinct {column} from stated where {column} not in"
        f" (select id from ({delivered}) where id is not null)"
    ).fetchall()
    return {str(identity) for (identity,) in found}
