"""Planted errors, later corrections and latecomers: what the data-quality pages show."""

from datetime import date

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.parameters import Faults, Instrument

IntArray = NDArray[np.int64]

FORM_FAULTS = {
    # Which errors a clinic's export can hold; that clinic's writer renders them.
    "oq45_2": ("undeclared_code", "impossible_date", "far_future", "unknown_therapist"),
    "phq9": ("undeclared_code", "impossible_date", "wrong_total"),
    "gad7": ("undeclared_code", "far_future"),
    "core10": ("undeclared_code", "impossible_date", "far_future"),
}
# These arrive in one web response with core10, which decides when it is recorded.
SAME_RESPONSE = ("ors", "srs_v3")


def plant(
    rng: Generator,
    forms: pl.DataFrame,
    name: str,
    instrument: Instrument,
    faults: Faults,
    as_of: date,
) -> pl.DataFrame:
    """Mark some of one clinic's forms as faulty, corrected on as_of, or entered only on as_of.

    Adds `fault` (kind or NULL), `corrected_on`, `was_item` and `was_value` (what stood there).
    """
    age = _days_before(forms["planned_on"], as_of)
    entered = _days_before(forms["entered_on"], as_of)
    shuffled = rng.permutation(forms.height)
    fault = _choose_faults(shuffled, entered, FORM_FAULTS.get(name, ()), faults)
    can_change = (age >= 3) & (age <= 35) & (entered > 0) & (fault == "")
    recent = shuffled[can_change[shuffled]]
    corrected, late = np.zeros((2, forms.height), dtype=np.bool_)
    corrected[recent[: faults.corrected]] = True
    if name not in SAME_RESPONSE:
        late[recent[faults.corrected : faults.corrected + faults.late]] = True
    item = rng.integers(1, instrument.items + 1, forms.height)
    is_corrected = pl.when(pl.Series(corrected))
    return forms.with_columns(
        entered_on=pl.when(pl.Series(late)).then(pl.lit(as_of)).otherwise("entered_on"),
        fault=pl.when(pl.Series(fault != "")).then(pl.Series(list(fault), dtype=pl.String)),
        corrected_on=is_corrected.then(pl.lit(as_of)),
        was_item=is_corrected.then(pl.Series(item)),
        was_value=is_corrected.then(_other_answer(forms, item, instrument)),
    )


def _choose_faults(
    shuffled: IntArray, entered: IntArray, kinds: tuple[str, ...], faults: Faults
) -> NDArray[np.object_]:
    """A few forms of each kind, and one that was entered on the last day."""
    fault = np.full(len(shuffled), "", dtype=object)
    per_kind = max(faults.minimum, round(faults.share * len(shuffled)))
    for index, kind in enumerate(kinds):
        fault[shuffled[index * per_kind : (index + 1) * per_kind]] = kind
    if kinds:
        fault[np.flatnonzero(entered == 0)[:1]] = kinds[0]
    return fault


def as_exported(forms: pl.DataFrame, items: int, to_date: date) -> pl.DataFrame:
    """Return the forms as they stood on to_date, with old answers where not yet corrected."""
    uncorrected = pl.col("corrected_on") > to_date
    return forms.with_columns(
        *(
            pl.when(uncorrected & (pl.col("was_item") == k))
            .then("was_value")
            .otherwise(f"i{k}")
            .alias(f"i{k}")
            for k in range(1, items + 1)
        ),
        changed_on=pl.when(pl.col("corrected_on") <= to_date)
        .then("corrected_on")
        .otherwise("entered_on"),
    )


def _days_before(days: pl.Series, as_of: date) -> IntArray:
    return (pl.Series([as_of]).cast(pl.Int32)[0] - days.cast(pl.Int32)).to_numpy().astype(np.int64)


def _other_answer(forms: pl.DataFrame, item: IntArray, instrument: Instrument) -> pl.Series:
    """A different legal answer for the given item of each form."""
    answers = forms.select(f"i{k}" for k in range(1, instrument.items + 1)).to_numpy()
    now = np.nan_to_num(answers[np.arange(len(item)), item - 1], nan=instrument.minimum)
    step = np.where(now + 1.0 <= instrument.maximum, 1.0, -1.0)
    return pl.Series(np.round(now + step, 1))
