"""The model stage: rows put together by SQL, fits in Python, and what SQL makes of the coefficients.

A model that could be fitted stands for the rest of its calendar quarter; one that could not is tried
again every night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple
from datetime import date
from typing import Any

import duckdb
import polars as pl
from threadpoolctl import threadpool_limits

from flows.frozen import held_keys, keep, recall
from flows.modelling.alliance import associations
from flows.modelling.case_mix import fit_case_mix
from flows.modelling.fit import Fit
from flows.modelling.hazard import fit_hazards
from flows.modelling.recalibration import recalibrations
from flows.sql_files import build, built_after
from schemas.model import FILLED_TABLES, Columns

# Given the models that stand for this quarter already, returns every other one it is for, used or
# not: a model that is not there would say nothing.
Fitter = Callable[[duckdb.DuckDBPyConnection, Collection[str]], Iterable[Fit]]
FITTERS: Sequence[Fitter] = (fit_case_mix, fit_hazards)

# Raised when what is fitted changes: the coefficients kept before are those of other models.
VERSION = 3
POLARS = {"varchar": pl.String, "double": pl.Float64, "integer": pl.Int64, "date": pl.Date,
          "boolean": pl.Boolean}  # fmt: skip


def build_models(
    con: duckdb.DuckDBPyConnection, as_of: date, fitters: Sequence[Fitter] = FITTERS
) -> None:
    """Build the stage: first what needs no coefficient, then the fits, then the rest.

    Args:
        con: the warehouse, with the stage `score` built.
        as_of: the night.
        fitters: what is fitted.
    """
    con.execute("create schema if not exists model")
    after = built_after(FILLED_TABLES)
    build(con, "model", leave_out=after)
    held = {str(model_id) for (model_id,) in held_keys(con, _kept("fit"), ["model_id"])}
    # Matrices are small: threads that wait for each other cost more than they save, and on a machine
    # that is busy a hundred times more.
    with threadpool_limits(limits=1, user_api="blas"):
        fits = [fit for fitter in fitters for fit in fitter(con, held)]
    fill(con, "model.fit", [_fit_row(fit, as_of) for fit in fits], usable="is_used")
    fill(con, "model.coefficient", [row for fit in fits for row in _coefficient_rows(fit)])
    limits = [(fit.model_id, *limit) for fit in fits for limit in fit.limits]
    fill(con, "model.cusum_limit", limits)
    fill_calibration(con)
    looked = {str(key) for (key,) in held_keys(con, _kept("recalibration"), ["model_id"])}
    changes = [astuple(one) for one in recalibrations(con, as_of, looked)]
    fill(con, "model.recalibration", changes, usable="why_not is null")
    standing = {str(key) for (key,) in held_keys(con, _kept("association"), ["model_id"])}
    found = [astuple(one) for one in associations(con, standing)]
    fill(con, "model.association", found, usable="why_not is null")
    build(con, "model", only=after)


def fill(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[tuple[Any, ...]],
    usable: str = "true",
) -> None:
    """Make a filled table anew: what stands of this quarter, and these rows.

    Its rows have a fixed order and every column is explained.

    Args:
        con: the warehouse.
        table: its name.
        rows: of the models that do not stand yet.
        usable: which of them will stand for the quarter, as a condition.
    """
    words, columns = FILLED_TABLES[table]
    name = _kept(table.partition(".")[2])
    con.register("filled_rows", pl.DataFrame(rows, schema=_schema(columns), orient="row"))
    typed = ", ".join(f"{column}::{kind} as {column}" for column, kind, _ in columns)
    listed = ", ".join(column for column, _, _ in columns)
    keep(
        con, name, ["model_id"],
        f"select {typed}, getvariable('as_of')::date as frozen_on from filled_rows where {usable}",
    )  # fmt: skip
    standing = recall(name, ["model_id"])
    con.execute(
        f"create or replace table {table} as"
        f" select {listed} from ({standing}) union all"
        f" select {typed} from filled_rows"
        f" where model_id not in (select model_id from ({standing})) order by all"
    )
    con.unregister("filled_rows")
    _describe(con, table)


def fill_calibration(con: duckdb.DuckDBPyConnection) -> None:
    """Gather the monthly tests of all quarters up to tonight: whether a model is shown has a memory."""
    tested = "where starts_with(model_id, 'calibration_')"
    facts = "model_id, n, n_events, why_not"
    terms = "model_id, term, estimate, standard_error"
    kept = f"{tested} and frozen_on <= getvariable('as_of')::date"
    of_term = "max({}) filter (where term = '{}')"
    con.execute(
        "create or replace table model.calibration as"
        f" with fit as (select {facts} from kept.{_kept('fit')} {kept}"
        f" union select {facts} from model.fit {tested}),"
        f" term as (select {terms} from kept.{_kept('coefficient')} {kept}"
        f" union select {terms} from model.coefficient {tested})"
        " select split_part(model_id, '/', 1)[13:]::varchar as month, max(n)::integer as n,"
        f" max(n_events)::integer as n_dropouts, {of_term.format('estimate', 'intercept')} as intercept,"
        f" {of_term.format('standard_error', 'intercept')} as intercept_error,"
        f" {of_term.format('estimate', 'slope')} as slope,"
        f" {of_term.format('standard_error', 'slope')} as slope_error,"
        " max(why_not)::varchar as why_not"
        " from fit left join term using (model_id) group by model_id order by month"
    )
    _describe(con, "model.calibration")


def _describe(con: duckdb.DuckDBPyConnection, table: str) -> None:
    words, columns = FILLED_TABLES[table]
    con.execute(f"comment on table {table} is '{words}'")
    for column, _, meaning in columns:
        quoted = meaning.replace("'", "''")
        con.execute(f"comment on column {table}.{column} is '{quoted}'")


def _kept(table: str) -> str:
    return f"model_{table}_v{VERSION}"


def _schema(columns: Columns) -> dict[str, Any]:
    return {name: POLARS[kind] for name, kind, _ in columns}


def _fit_row(fit: Fit, as_of: date) -> tuple[Any, ...]:
    return (
        *(fit.model_id, fit.outcome, as_of, fit.data_to, fit.n, fit.n_events),
        *(fit.residual_sd, fit.left_out, fit.why_not is None, fit.why_not),
    )


def _coefficient_rows(fit: Fit) -> list[tuple[Any, ...]]:
    return [(fit.model_id, t.name, t.estimate, t.standard_error, t.centre) for t in fit.terms]
