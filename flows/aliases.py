"""Enters tonight's aliases as pseudonyms: rows that hold for nights, as everything else does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from flows.errors import AliasError
from flows.reading.incoming import Pseudonyms
from flows.standing import never_delivered, restate
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
    restate(con, "landed.alias_record", COLUMNS, rows, as_of)
    unknown = {kind: never_delivered(con, "from_id", kind) for kind in KINDS}
    return [a.line for a, row in zip(aliases, rows, strict=True) if row[1] in unknown[a.kind]]
