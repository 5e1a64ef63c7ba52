"""The night's own check: a bounded sample computed a second time, kept as a table for the pages."""

from __future__ import annotations

import duckdb

from flows.verify.agreement import NIGHTLY, Bounds, Verified, verify

TABLE = "measure.agreement"
COLUMNS = (
    ("topic", "VARCHAR", "what was computed a second time"),
    ("table_name", "VARCHAR", "table that states it"),
    ("n_checked", "INTEGER", "figures compared"),
    ("n_agree", "INTEGER", "of these, those that agree"),
    ("is_whole", "BOOLEAN", "whether every figure of the table was compared, or a sample"),
    ("why_not", "VARCHAR", "why nothing was compared; NULL where it was"),
    ("n_patients", "INTEGER", "patients drawn"),
    ("n_patients_all", "INTEGER", "patients they were drawn from"),
    ("seed", "INTEGER", "what they were drawn by: the night's date"),
)
WORDS = "Figures of the night and their second computation: how many agree"


def check_agreement(con: duckdb.DuckDBPyConnection, bounds: Bounds = NIGHTLY) -> Verified:
    """Compute a sample a second time and fill measure.agreement; another night draws others.

    Args:
        con: the warehouse, with the stage `measure` built.
        bounds: how much is computed again.
    """
    (seed,) = con.execute(
        "select strftime(getvariable('as_of')::date, '%Y%m%d')::integer"
    ).fetchone() or (0,)
    verified = verify(con, bounds, seed)
    fill_agreement(con, verified)
    return verified


def fill_agreement(con: duckdb.DuckDBPyConnection, verified: Verified) -> None:
    """Make measure.agreement anew, every column explained."""
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in COLUMNS)
    con.execute(f"create or replace table {TABLE} ({columns})")
    con.execute(f"comment on table {TABLE} is '{WORDS}'")
    for name, _, words in COLUMNS:
        con.execute(f"comment on column {TABLE}.{name} is '{words.replace(chr(39), chr(39) * 2)}'")
    for topic in verified.topics:
        con.execute(
            f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(topic.topic, topic.table, topic.n_checked, topic.n_agree, topic.is_whole),
                *(topic.why_not, verified.n_patients, verified.n_patients_all, verified.seed),
            ],
        )
