"""Cells that a spreadsheet library gives as numbers, dates and truths, as the text people see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

# A spreadsheet keeps 15 digits of a number: a longer whole number has lost some.
SIGNIFICANT_DIGITS = 15
LARGEST_WHOLE = 10.0**SIGNIFICANT_DIGITS
NOTHING = type(None)
NUMBERS = {float, int}
WORDS = {str, date, datetime, time, timedelta}


def text_column(cells: Sequence[object], decimal: str) -> pl.Series:
    """Cells of one column as text.

    Whole numbers come without a point, others with the declared decimal mark; what is no finite
    number as a word that no answer is; a whole number of more than 15 digits comes in scientific
    notation, by which the id checks know it. Dates come as ISO 8601, truths as TRUE and FALSE.
    Each step is one pass in compiled code.

    Args:
        cells: texts, numbers, dates, times, truths; None is an empty cell.
        decimal: the mapping's decimal mark.
    """
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return pl.Series(cells, dtype=pl.String)
    if kinds <= NUMBERS | {NOTHING}:
        return number_texts(pl.Series("number", cells, dtype=pl.Float64), decimal)
    if kinds <= WORDS:
        return _words(cells)
    types = np.fromiter(map(_KIND.__getitem__, map(type, cells)), dtype=np.int8, count=len(cells))
    held = np.empty(len(cells), dtype=object)
    held[:] = cells
    held[types == 3] = ""
    if (numbers := types == 1).any():
        values = pl.Series("number", held[numbers].astype(np.float64))
        held[numbers] = number_texts(values, decimal).to_numpy()
    if (truths := types == 2).any():
        held[truths] = _truths(held[truths].tolist()).to_numpy()
    if (words := types == 0).any():
        held[words] = _words(held[words].tolist()).to_numpy()
    return pl.Series(held.tolist(), dtype=pl.String)


_KIND = {**dict.fromkeys(WORDS, 0), **dict.fromkeys(NUMBERS, 1), bool: 2, NOTHING: 3}


def _words(cells: Sequence[object]) -> pl.Series:
    return pl.Series(list(map(str, cells)), dtype=pl.String)


def _truths(cells: Sequence[object]) -> pl.Series:
    return pl.Series(cells, dtype=pl.Boolean).cast(pl.String).str.to_uppercase()


def number_texts(values: pl.Series, decimal: str = ".") -> pl.Series:
    """Numbers as plain text; NULL stays NULL."""
    # Nearly every column of answers ends here.
    if ((values == values.floor()) & (values.abs() < LARGEST_WHOLE)).all():
        return values.cast(pl.Int64).cast(pl.String)
    number = pl.col("number").cast(pl.Float64)
    whole = (number == number.floor()) & (number.abs() < LARGEST_WHOLE)
    fraction = number.round_sig_figs(SIGNIFICANT_DIGITS).cast(pl.String)
    if decimal != ".":
        fraction = fraction.str.replace(".", decimal, literal=True)
    integer = pl.when(whole).then(number).cast(pl.Int64).cast(pl.String)
    # The logarithm of a power of ten may fall just short of it.
    power = (number.abs().log10() + 1e-12).floor()
    mantissa = (number / pl.lit(10.0).pow(power)).round_sig_figs(SIGNIFICANT_DIGITS)
    long = pl.format("{}E+{}", mantissa, power.cast(pl.Int64, strict=False))
    text = (
        pl.when(whole)
        .then(integer)
        .when(number.is_infinite())
        .then(pl.lit("Infinity"))
        .when(number.abs() >= LARGEST_WHOLE)
        .then(long)
        .otherwise(fraction)
    )
    return values.alias("number").to_frame().select(text.alias("number")).to_series()
