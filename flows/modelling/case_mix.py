"""What was to be expected of a course from intake alone: one model for each measure that is compared.

Dropout is modelled session by session, so that courses which go on count too. There the place of the
session in its course is the clock, and without a clock there is no model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import polars as pl

from flows.modelling.cusum import cusum_limits
from flows.modelling.fit import (
    Fit,
    FloatArray,
    NoSolution,
    Solution,
    Term,
    independent,
    linear,
    logistic,
)

# In this order each factor enters as long as there are events enough for its levels.
CLOCK = "session_band"
FACTORS = (
    CLOCK, "severity", "questionnaire", "diagnosis_group", "age_band", "previous_treatment",
    "interpreter_needed", "language",
)  # fmt: skip
NUMBER = "severity"
POOLED = "pooled"


@dataclass(frozen=True)
class Rows:
    """The courses, or sessions of courses, that one model is fitted on."""

    y: FloatArray
    severity: FloatArray
    levels: Mapping[str, pl.Series]  # factor to the level of every row
    kind: str
    data_to: date | None
    level_courses: float
    level_events: float
    n_courses: int

    @property
    def n_events(self) -> int | None:
        """Courses with the event; None where the outcome is a number."""
        return None if self.kind == "mean" else int(self.y.sum())

    @property
    def size(self) -> int:
        """What coefficients are estimated from: the rarer of event and none, or the courses."""
        events = self.n_events
        return len(self.y) if events is None else min(events, len(self.y) - events)

    def carries(self, n: int) -> bool:
        """Whether so many courses are a level of their own."""
        rarer = n * self.size / len(self.y)
        return n >= self.level_courses and (self.kind == "mean" or rarer >= self.level_events)


@dataclass(frozen=True)
class Column:
    """One column of the design: a number, or whether a course has a level of a factor."""

    factor: str
    term: str
    values: FloatArray
    is_reference: bool = False


def fit_case_mix(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Fit]:
    """Fit every model of model.case_mix_outcome that does not stand already.

    Args:
        con: the warehouse, with model.case_mix_outcome and model.case_mix_level built.
        held: models that stand for this quarter.
    """
    wanted = con.execute(
        "select model_id, min(measure) from model.case_mix_outcome group by all order by all"
    ).fetchall()
    settings = {
        name.removeprefix("case_mix_"): float(value)
        for name, value in con.execute(
            "select name, value from ref.setting where name like 'case_mix%'"
        ).fetchall()
    }
    for model_id, measure in wanted:
        if model_id not in held:
            rows = _read(con, model_id, settings)
            yield fit_one(model_id, measure, rows, settings["events_per_term"])


def fit_one(model_id: str, measure: str, rows: Rows, per_term: float) -> Fit:
    """Fit the factors that the courses carry, in the order of FACTORS; or say why none."""
    columns, left_out = chosen(rows, per_term)
    known = (model_id, measure, rows.data_to, len(rows.y), rows.n_events)
    if CLOCK in left_out:
        return Fit(*known, why_not=f"too few: {rows.size} events to tell early sessions from late")
    if not columns:
        what = "courses" if rows.kind == "mean" else "courses of the rarer outcome"
        return Fit(*known, why_not=f"too few: {rows.size} {what}, {per_term:.0f} needed for a term")
    fitted = [column for column in columns if not column.is_reference]
    matrix = np.column_stack([column.values - column.values.mean() for column in fitted])
    try:
        if rows.kind == "mean":
            found = linear(matrix, rows.y)
        else:
            found = logistic(matrix, rows.y, [column.term for column in fitted])
    except NoSolution as reason:
        return Fit(*known, why_not=str(reason))
    terms = _terms(columns, found)
    limits = ()
    if rows.kind != "mean":
        predictor = found.estimates[0] + matrix @ found.estimates[1:]
        limits = cusum_limits(1 / (1 + np.exp(-predictor)), len(rows.y) / rows.n_courses)
    return Fit(*known, terms, found.residual_sd, ", ".join(left_out) or None, limits=limits)


def chosen(rows: Rows, per_term: float) -> tuple[list[Column], list[str]]:
    """The columns that the courses carry, and the factors they do not."""
    kept: list[Column] = []
    left_out: list[str] = []
    for factor in (name for name in FACTORS if name in rows.levels):
        tried = kept + _columns(rows, factor)
        fitted = [number for number, column in enumerate(tried) if not column.is_reference]
        if not fitted:
            kept = tried
            continue
        free = {fitted[i] for i in independent(np.column_stack([tried[i].values for i in fitted]))}
        if len(free) * per_term > rows.size:
            left_out.append(factor)
            continue
        kept = [
            column if number in free else Column(column.factor, column.term, column.values, True)
            for number, column in enumerate(tried)
        ]
    return (kept, left_out) if any(not column.is_reference for column in kept) else ([], left_out)


def _columns(rows: Rows, factor: str) -> list[Column]:
    """The columns of a factor; its most frequent level is the one the others are compared with."""
    level_of = rows.levels[factor].alias("level")
    counted: list[tuple[str, int]] = level_of.value_counts().sort("level").rows()
    reference = min((-count, level) for level, count in counted)[1] if counted else None
    found = [
        Column(
            factor, f"{factor}={level}",
            (level_of == level).cast(pl.Float64).to_numpy(),
            # pooled levels that are still too few stand with the most frequent one
            level == reference or (level == POOLED and not rows.carries(count)),
        )
        for level, count in counted
    ]  # fmt: skip
    number = [Column(factor, NUMBER, rows.severity)] if factor == NUMBER else []
    return number + found


def _terms(columns: list[Column], found: Solution) -> list[Term]:
    terms = [Term("intercept", float(found.estimates[0]), float(found.errors[0]), None)]
    position = 0
    for column in columns:
        centre = round(float(column.values.mean()), 12)
        if column.is_reference:
            terms.append(Term(column.term, 0.0, None, centre))
            continue
        position += 1
        estimate, error = found.estimates[position], found.errors[position]
        terms.append(Term(column.term, float(estimate), float(error), centre))
    return terms


def _read(con: duckdb.DuckDBPyConnection, model_id: str, settings: Mapping[str, float]) -> Rows:
    (kind,) = con.execute(
        "select coalesce(min(kind), 'rate') from model.case_mix_outcome where model_id = ?",
        [model_id],
    ).fetchall()[0]
    known = [factor for factor in FACTORS if factor != CLOCK]
    levels = ", ".join(
        f"max(fitted_level) filter (where factor = '{factor}') as {factor}" for factor in known
    )
    named = ", ".join(f"level.{factor}" for factor in known)
    if kind == "hazard":
        known, row, order = [CLOCK, *known], "session", "session.session_id"
        named = ", ".join([named, f"session.{CLOCK}"])
        rows = (
            "from model.case_mix_outcome as outcome join model.dropout_exposure as session"
            " on outcome.episode_id = session.episode_id and session.is_fitted"
        )
    else:
        row, order = "outcome", "outcome.episode_id"
        rows = "from model.case_mix_outcome as outcome"
    fitted = "where outcome.model_id = $model and outcome.is_fitted"
    found = con.execute(
        f"with level as (select episode_id, {levels} from model.case_mix_level"
        " where model_id = $model group by episode_id)"
        f" select {row}.y::double as y, {row}.counted_on,"
        f" coalesce(outcome.severity, 0)::double as severity_value, {named}"
        f" {rows} join level on outcome.episode_id = level.episode_id"
        f" {fitted} order by {order}",
        {"model": model_id},
    ).pl()
    (n_courses,) = con.execute(
        f"select count(distinct outcome.episode_id) {rows} {fitted}", {"model": model_id}
    ).fetchall()[0]
    return Rows(
        y=found["y"].to_numpy(),
        severity=found["severity_value"].to_numpy(),
        levels={factor: found[factor] for factor in known},
        kind=kind,
        data_to=found["counted_on"].max(),  # type: ignore[arg-type]
        level_courses=settings["level_courses"],
        level_events=settings["level_events"],
        n_courses=n_courses,
    )
