"""What came of a cell: one word of a closed list, which the engine keeps as a small number."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

TYPES = {
    "cell_status": (
        "ok", "missing", "long", "mangled", "pattern", "undeclared", "unknown", "number",
        "unreadable", "ambiguous", "contradicted", "refused",
    ),
    "date_precision": ("date", "minute", "second"),
}  # fmt: skip
OK = "'ok'::cell_status"


def declare_types(con: duckdb.DuckDBPyConnection) -> None:
    """Create the lists of words in the database of `con`."""
    for name, words in TYPES.items():
        listed = ", ".join(f"'{word}'" for word in words)
        con.execute(f"create type if not exists {name} as enum ({listed})")


def first_fault(cases: Sequence[tuple[str, str]]) -> str:
    """The word of the first case that holds, ok where none does."""
    told = " ".join(f"when {test} then '{word}'::cell_status" for test, word in cases)
    return f"case {told} else {OK} end"
