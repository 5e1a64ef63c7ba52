"""Enters tonight's aliases as pseudonyms: rows that hold for nights, as everything else does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from flows.errors import AliasError
from flows.reading.incoming import Pseudonyms
from flows.reading.merge import OPEN_END
from flows.warehouse import transaction
from flows.workspace import Workspace
from schemas.alias import KINDS, Alias, read_aliases
from schemas.private_file import Faults

COLUMNS = "kind, from_id, to_id, since, until"


def load_aliases(workspace: Workspace) -> list[Alias]:
    """The workspace's aliases.

    Raises:
        AliasError: with every fault of the file.
    """
    try:
        return read_aliases(workspace.aliases)
    except Faults as faults:
        raise AliasError(faults.faults) from None


def enter_aliases(
    con: duckdb.DuckDBPyConnection, aliases: Sequence[Alias], key: bytes, as_of: date
) -> list[int]:
    """Open and close aliases so that from tonight on these hold.

    Returns:
        Lines whose number nobody has delivered yet: perhaps they are misspelt.
    """
    rows = [
        (
            a.kind, Pseudonyms(key, a.clinic).of(a.kind, a.id),
            Pseudonyms(key, a.same_as_clinic).of(a.kind, a.same_as), a.since, a.until,
        )
        for a in aliases
    ]  # fmt: skip
    with transaction(con):
        con.execute(
            f"create or replace temp table stated as select {COLUMNS} from landed.alias_record limit 0"
        )
        if rows:
            con.executemany("insert into stated values (?, ?, ?, ?, ?)", rows)
        con.execute(
            f"update landed.alias_record set known_to = ? where known_to = {OPEN_END}"
            f" and ({COLUMNS}) not in (select ({COLUMNS}) from stated)",
            [as_of],
        )
        con.execute(
            f"insert into landed.alias_record select {COLUMNS}, ?, {OPEN_END} from stated"
            f" where ({COLUMNS}) not in (select ({COLUMNS}) from landed.alias_record"
            f" where known_to = {OPEN_END}) order by all",
            [as_of],
        )
        con.execute("delete from landed.alias_record where known_from >= known_to")
    unknown = _never_delivered(con)
    return [a.line for a, row in zip(aliases, rows, strict=True) if (row[0], row[1]) in unknown]


def _never_delivered(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Kind and pseudonym of the stated numbers that stand in no row, whenever it was known."""
    delivered = " union all ".join(
        f"select '{kind}' as kind, {kind}_id as from_id from valid.{table}_version"
        for kind in KINDS
        for table in ("form", "appointment", "episode", "action")
    )
    found = con.execute(
        f"select distinct kind, from_id from stated anti join ({delivered}) using (kind, from_id)"
    ).fetchall()
    return {(kind, from_id) for kind, from_id in found}
