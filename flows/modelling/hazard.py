"""The chance that a session was the last one, and how: discrete-time hazards with competing ends.

One multinomial model of dropout, planned and other ends against going on, on what was known at the
end of each session; no therapist effect. A second one, fitted as it would have been half a year ago,
is tested on the time since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import polars as pl

from flows.modelling.fit import DECIMALS, Fit, FloatArray, NoSolution, Term, independent, logistic
from flows.modelling.multinomial import chances, dummies, multinomial
from flows.modelling.sample_size import SampleSize, r_squared_of, rows_needed
from flows.modelling.yardstick import boosted

OUTCOMES = ("dropout", "planned", "other")
BAND = "session_band"
BANDS = ("1", "2", "3", "4", "5-8", "9+")
NUMBERS = (
    "severity", "worsening", "not_on_track", "alliance", "alliance_deviation", "open_rupture",
    "missing_alliance_form", "missed_share", "missed_last", "weeks_since_last", "under_26",
)  # fmt: skip
PARAMETERS = len(BANDS) - 1 + len(NUMBERS)
# In standard deviations or yes and no; a coefficient of five is more than any known one.
PRIOR_SD = 5.0
QUERY = """
    select session.* exclude (episode_id, clinic_id), row.outcome, row.due_on, row.is_held_out, row.is_before
    from model.hazard_row as row
    join model.person_session as session on row.session_id = session.session_id
    order by row.session_id"""


@dataclass(frozen=True)
class Design:
    """Columns of the model, centred; what was not known stands at the mean."""

    names: tuple[str, ...]
    centres: FloatArray

    def matrix(self, rows: pl.DataFrame) -> FloatArray:
        """The columns, a column of ones before them."""
        raw = raw_columns(rows, self.names)
        known = np.where(np.isnan(raw), self.centres, raw) - self.centres
        return np.column_stack([np.ones(rows.height), known])


def fit_hazards(con: duckdb.DuckDBPyConnection, held: Collection[str]) -> Iterator[Fit]:
    """Fit the model in use, and once a month the one that is tested, with its calibration.

    Args:
        con: the warehouse, with model.hazard_row built.
        held: models that stand for this quarter.
    """
    settings = _settings(con)
    rows = con.execute(QUERY).pl()
    if f"last_session/{OUTCOMES[0]}" not in held:
        fits, _ = fit_family("last_session", rows, settings)
        yield from fits
        yield sample_size("sample_size/dropout", rows, settings)
    month = con.execute("select strftime(getvariable('as_of')::date, '%Y-%m')").fetchall()[0][0]
    if f"held_out_{month}/{OUTCOMES[0]}" not in held:
        before, after = rows.filter("is_before"), rows.filter("is_held_out")
        fits, chance = fit_family(f"held_out_{month}", before, settings, after)
        yield from fits
        yield calibrated(f"calibration_{month}/dropout", after, chance)
        yield measured_against(f"yardstick_{month}/dropout", before, after, chance)


def fit_family(
    family: str,
    rows: pl.DataFrame,
    settings: Mapping[str, float],
    after: pl.DataFrame | None = None,
) -> tuple[list[Fit], FloatArray | None]:
    """Fit one model; return a fit for each way of ending, and its chances of dropout in `after`."""
    outcome = _codes(rows)
    why_not = too_few(outcome, settings)
    # a way of ending that nobody took has no coefficients: its chance is nought
    codes = [code for code in range(1, len(OUTCOMES) + 1) if why_not or (outcome == code).any()]
    known = [_known(family, rows, outcome, code) for code in codes]
    if why_not:
        return [Fit(*facts, why_not=why_not) for facts in known], None
    design, left_out = designed(rows)
    matrix = design.matrix(rows)
    try:
        found = multinomial(
            matrix[:, 1:], np.searchsorted([0, *codes], outcome), len(codes), PRIOR_SD
        )
    except NoSolution as reason:
        return [Fit(*facts, why_not=str(reason)) for facts in known], None
    fits = [
        Fit(*facts, _terms(design, found.estimates[:, number], found.errors[:, number]),
            left_out=", ".join(left_out) or None)
        for number, facts in enumerate(known)
    ]  # fmt: skip
    chance = None if after is None else chances(design.matrix(after), found.estimates)[:, 1]
    return fits, chance


def needed_for(outcome: np.ndarray, settings: Mapping[str, float]) -> SampleSize | None:
    """Sessions needed at this share of dropouts; None where there are none, or nothing else."""
    share = float((outcome == 1).mean()) if len(outcome) else 0.0
    if not 0 < share < 1:
        return None
    r_squared = r_squared_of(settings["expected_c"], share)
    return rows_needed(PARAMETERS, share, r_squared, settings["shrinkage"])


def too_few(outcome: np.ndarray, settings: Mapping[str, float]) -> str | None:
    """Why the sessions are too few for a chance of dropout; None where they are enough."""
    needed = needed_for(outcome, settings)
    have = f"too few: {len(outcome)} sessions with {int((outcome == 1).sum())} dropouts"
    if needed is None:
        return have
    if len(outcome) >= needed.rows:
        return None
    return (
        f"{have}; {needed.rows} with about {needed.events:.0f} are needed for {PARAMETERS}"
        f" coefficients at an expected C statistic of {settings['expected_c']:.2f}"
    )


def sample_size(model_id: str, rows: pl.DataFrame, settings: Mapping[str, float]) -> Fit:
    """What the model in use needed and had, as figures of a fit of its own."""
    outcome = _codes(rows)
    needed = needed_for(outcome, settings)
    last: date | None = rows["session_on"].max() if rows.height else None  # type: ignore[assignment]
    known = (model_id, "sample_size", last, rows.height, int((outcome == 1).sum()))
    why_not = too_few(outcome, settings)
    if needed is None or why_not:
        return Fit(*known, why_not=why_not)
    told = {
        "coefficients": float(PARAMETERS),
        "expected_c": settings["expected_c"],
        "r_squared": round(needed.r_squared, DECIMALS),
        "by_shrinkage": float(needed.by_shrinkage),
        "by_optimism": float(needed.by_optimism),
        "by_precision": float(needed.by_precision),
    }
    return Fit(*known, [Term(name, value, None, None) for name, value in told.items()])


def designed(rows: pl.DataFrame) -> tuple[Design, list[str]]:
    """The columns that the rows carry, and the terms they do not."""
    names = tuple(f"{BAND}={band}" for band in BANDS[1:]) + NUMBERS
    raw = raw_columns(rows, names)
    counted = (~np.isnan(raw)).sum(axis=0)
    centres = np.round(np.nansum(raw, axis=0) / np.maximum(counted, 1), DECIMALS)
    filled = np.where(np.isnan(raw), centres, raw)
    kept = [number for number in independent(filled - centres) if counted[number] > 0]
    left_out = [name for number, name in enumerate(names) if number not in kept]
    return Design(tuple(names[number] for number in kept), centres[kept]), left_out


def raw_columns(rows: pl.DataFrame, names: Collection[str]) -> FloatArray:
    """The named columns as they are; not a number where they are not known."""
    bands = dict(zip([f"{BAND}={b}" for b in BANDS[1:]], dummies(rows[BAND], BANDS).T, strict=True))
    columns = [
        bands[name] if name in bands else rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in names
    ]
    return np.column_stack(columns) if columns else np.empty((rows.height, 0))


def calibrated(model_id: str, after: pl.DataFrame, chance: FloatArray | None) -> Fit:
    """Calibration in the large, and its slope, on sessions that the model has not seen."""
    happened = (after["outcome"] == "dropout").to_numpy().astype(np.float64)
    last: date | None = after["session_on"].max() if after.height else None  # type: ignore[assignment]
    known = (model_id, "dropout", last, after.height, int(happened.sum()))
    if chance is None:
        return Fit(*known, why_not="there is no model to test")
    logit = np.log(chance / (1 - chance))
    try:
        slope = logistic(logit[:, None], happened, ["the chance of dropout"])
    except NoSolution as reason:
        return Fit(*known, why_not=str(reason))
    shift, error = in_the_large(logit, happened)
    return Fit(
        *known,
        [
            Term("intercept", shift, error, None),
            Term("slope", float(slope.estimates[1]), float(slope.errors[1]), None),
        ],
    )


def measured_against(
    model_id: str, before: pl.DataFrame, after: pl.DataFrame, chance: FloatArray | None
) -> Fit:
    """How a flexible model does on the same sessions."""
    learned, happened = [
        (rows["outcome"] == "dropout").to_numpy().astype(np.float64) for rows in (before, after)
    ]
    last: date | None = after["session_on"].max() if after.height else None  # type: ignore[assignment]
    known = (model_id, "dropout", last, after.height, int(happened.sum()))
    if chance is None or not 0 < happened.sum() < len(happened):
        return Fit(*known, why_not="there is no model to test")
    names = ("session_no", *NUMBERS)
    area, brier = boosted(
        *(raw_columns(before, names), learned), *(raw_columns(after, names), happened)
    )
    return Fit(*known, [Term("auc", area, None, None), Term("brier", brier, None, None)])


def in_the_large(logit: FloatArray, happened: FloatArray) -> tuple[float, float]:
    """What must be added to every logit for the events expected to be those that happened."""
    shift = 0.0
    for _ in range(100):
        chance = 1 / (1 + np.exp(-(logit + shift)))
        step = float((happened - chance).sum() / (chance * (1 - chance)).sum())
        shift += step
        if abs(step) < 1e-13:
            break
    chance = 1 / (1 + np.exp(-(logit + shift)))
    error = float((chance * (1 - chance)).sum()) ** -0.5
    return round(shift, DECIMALS), round(error, DECIMALS)


def _settings(con: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    found = con.execute("select name, value from ref.setting where name like 'hazard_%'").fetchall()
    return {name.removeprefix("hazard_"): float(value) for name, value in found}


def _codes(rows: pl.DataFrame) -> np.ndarray:
    codes = {"goes_on": 0} | {outcome: code for code, outcome in enumerate(OUTCOMES, start=1)}
    return rows["outcome"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()


def _known(
    family: str, rows: pl.DataFrame, outcome: np.ndarray, code: int
) -> tuple[str, str, date | None, int, int]:
    last: date | None = rows["session_on"].max() if rows.height else None  # type: ignore[assignment]
    name = OUTCOMES[code - 1]
    return f"{family}/{name}", name, last, rows.height, int((outcome == code).sum())


def _terms(design: Design, estimates: FloatArray, errors: FloatArray) -> list[Term]:
    named = zip(design.names, estimates[1:], errors[1:], design.centres, strict=True)
    return [
        Term("intercept", float(estimates[0]), float(errors[0]), None),
        *(Term(name, float(b), float(e), float(centre)) for name, b, e, centre in named),
    ]
