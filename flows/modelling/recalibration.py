"""The model in use held against sessions that have come since: put right before it is fitted anew.

Few new endings cannot say what each coefficient should be, but whether all chances are too high or
too extreme. So first the intercept is moved, then the slope too, each only where the newer sessions
ask for it: by the closed test of Vergouwe et al. 2017 (Stat Med 36:4529-4539, doi 10.1002/sim.7179).
The coefficients stay as they were fitted; what is changed of them is kept beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import polars as pl

from flows.modelling.fit import FloatArray, NoSolution, logistic
from flows.modelling.hazard import QUERY, Design, in_the_large

MODEL = "last_session/dropout"
# 0.95 quantiles of chi square with one and two degrees of freedom.
BEYOND_CHANCE = (3.841459, 5.991465)


@dataclass(frozen=True)
class Recalibration:
    """What newer sessions change of the model in use, or why that was not looked into."""

    model_id: str
    fitted_on: date | None
    looked_on: date
    n: int
    n_dropouts: int
    changed: str | None = None
    shift: float | None = None
    slope: float | None = None
    why_not: str | None = None


def recalibrations(
    con: duckdb.DuckDBPyConnection, as_of: date, held: Collection[str]
) -> Iterator[Recalibration]:
    """Hold the model in use against the sessions due since it was fitted, once a month.

    Args:
        con: the warehouse, with model.fit and model.coefficient filled.
        as_of: the night.
        held: what was looked into this quarter.
    """
    model_id = f"recalibrated_{as_of:%Y-%m}"
    if model_id in held:
        return
    used = con.execute(
        "select fitted_on from model.fit where model_id = ? and is_used", [MODEL]
    ).fetchone()
    if used is None:
        yield Recalibration(model_id, None, as_of, 0, 0, why_not="there is no model in use")
        return
    newer = con.execute(
        f"from ({QUERY}) where due_on > $fitted and outcome in ('goes_on', 'dropout')"
        " order by session_id",
        {"fitted": used[0]},
    ).pl()
    happened = (newer["outcome"] == "dropout").to_numpy().astype(np.float64)
    known = (model_id, used[0], as_of, len(happened), int(happened.sum()))
    needed = int(_setting(con, "recalibrate_dropouts"))
    if happened.sum() < needed:
        yield Recalibration(*known, why_not=f"too few newer dropouts; {needed} are needed")
        return
    try:
        changed, shift, slope = put_right(_logit(con, newer), happened)
    except NoSolution as reason:
        yield Recalibration(*known, why_not=str(reason))
        return
    yield Recalibration(*known, changed, shift, slope)


def put_right(logit: FloatArray, happened: FloatArray) -> tuple[str, float, float]:
    """The least change of the logits that the events do not speak against: its name, shift and slope.

    Args:
        logit: what the model says.
        happened: events, 0 or 1.

    Raises:
        NoSolution: where all events are alike, or nothing converges.
    """
    both = logistic(logit[:, None], happened, ["the chance of dropout"])
    shift, slope = float(both.estimates[0]), float(both.estimates[1])
    moved, _ = in_the_large(logit, happened)
    fits = [
        _log_likelihood(predictor, happened)
        for predictor in (logit, logit + moved, shift + slope * logit)
    ]
    if 2 * (fits[2] - fits[0]) <= BEYOND_CHANCE[1]:
        return "nothing", 0.0, 1.0
    if 2 * (fits[2] - fits[1]) <= BEYOND_CHANCE[0]:
        return "intercept", moved, 1.0
    return "intercept and slope", shift, slope


def _logit(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> FloatArray:
    """Logit of dropout against going on, by the coefficients as they were fitted."""
    found = con.execute(
        "select term, estimate, centre from model.coefficient where model_id = ?"
        " order by term <> 'intercept', term",
        [MODEL],
    ).fetchall()
    names, estimates, centres = zip(*found, strict=True)
    design = Design(names[1:], np.array(centres[1:], dtype=np.float64))
    return design.matrix(rows) @ np.array(estimates, dtype=np.float64)


def _log_likelihood(logit: FloatArray, happened: FloatArray) -> float:
    return float((happened * logit - np.logaddexp(0, logit)).sum())


def _setting(con: duckdb.DuckDBPyConnection, name: str) -> float:
    return float(
        con.execute("select value from ref.setting where name = ?", [name]).fetchall()[0][0]
    )
