"""Judge deliveries and tables as a whole: profile rows in, finding.check out.

The profiles keep raw counts: judging again after a threshold has changed reads no patient's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import duckdb
import polars as pl

from flows.progress import Progress
from flows.verdict import Unjudged, broken_rows
from schemas.expectations import CHECK_COLUMNS, PROFILES, Expectation, expectations

KEYS = ("delivery_id", "clinic_id", "table_name", "instrument_id")


def judge_tables(con: duckdb.DuckDBPyConnection, progress: Progress | None = None) -> int:
    """Judge the two profiles under the thresholds in ref.setting and fill finding.check anew.

    Args:
        con: the warehouse, with ref filled and the stage `finding` built.
        progress: told that judging begins.

    Returns:
        How many checks failed.

    Raises:
        Unjudged: when a rule could not be judged; an error of the judge is no verdict.
    """
    if progress is not None:
        progress.step("judge")
    thresholds = dict(con.execute("select name, value from ref.setting order by name").fetchall())
    profiles = {name: _read(con, name) for name in PROFILES}
    broken = broken_rows(profiles, thresholds)
    checks = pl.concat(
        _checks(rule, profiles[rule.profile], broken, thresholds) for rule in expectations()
    )
    _write(con, checks)
    return checks.filter(pl.col("status") == "failed").height


def _read(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    """A profile with every key column and its rows numbered."""
    empty = con.execute(f"select * from finding.{name}_profile limit 0")
    there = [column[0] for column in empty.description or ()]
    keys = ", ".join(key if key in there else f"null::varchar as {key}" for key in KEYS)
    numbers = ", ".join(column for column in there if column not in KEYS)
    return con.execute(
        f"select row_number() over (order by all_keys) as row, * exclude (all_keys) from"
        f" (select {keys}, {numbers}, row({keys.replace('null::varchar as ', '')}) as all_keys"
        f" from finding.{name}_profile) order by row"
    ).pl()


def _checks(
    rule: Expectation,
    profile: pl.DataFrame,
    broken: pl.DataFrame,
    thresholds: Mapping[str, Decimal],
) -> pl.DataFrame:
    """One check for each row of the profile; where it has none, one that says so."""
    profile = profile.filter(rule.is_about())
    if profile.is_empty():
        profile = profile.clear(1)
    rows = broken.filter(pl.col("rule") == rule.id).select("row", is_broken=True)
    judged = profile.join(rows, on="row", how="left").with_columns(
        applies=rule.applies(thresholds),
        is_broken=pl.col("is_broken").fill_null(value=False),
        observed=pl.col(rule.column).cast(pl.Float64),
    )
    if (
        judged.filter("is_broken").height != rows.height
        or judged.filter(pl.col("is_broken") & ~pl.col("applies")).height
    ):
        raise Unjudged(f"{rule.id}: the rows that fail are not among those it applies to")
    return judged.select(
        *KEYS,
        check_id=pl.lit(rule.id),
        profile=pl.lit(rule.profile),
        severity=pl.lit(rule.severity),
        status=rule.status(),
        n_failed=_count(rule.n_failed),
        n_checked=_count(rule.n_checked),
        observed="observed",
        threshold=pl.lit(float(thresholds[rule.bound])),
        message=rule.words(thresholds),
        what_to_do=pl.lit(rule.what_to_do),
    )


def _count(column: str | None) -> pl.Expr:
    return pl.lit(None, pl.Int64) if column is None else pl.col(column).cast(pl.Int64)


def _write(con: duckdb.DuckDBPyConnection, checks: pl.DataFrame) -> None:
    """The table anew, its rows in a fixed order and every column explained."""
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind, _ in CHECK_COLUMNS)
    con.register("judged_checks", checks)
    con.execute(
        f"create or replace table finding.check as select {columns} from judged_checks"
        f" order by check_id, {', '.join(KEYS)}"
    )
    con.unregister("judged_checks")
    con.execute(
        "comment on table finding.check is 'Delivery or table as a whole, held against one rule'"
    )
    for name, _, words in CHECK_COLUMNS:
        quoted = words.replace("'", "''")
        con.execute(f"comment on column finding.check.{name} is '{quoted}'")
