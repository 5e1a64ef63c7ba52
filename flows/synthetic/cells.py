"""Cells of text as export software writes them."""

from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl

from flows.synthetic.faults import as_exported
from flows.synthetic.world import World

LETTERS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
UNDECLARED_ITEM, UNDECLARED_CODE = 3, "7"


def form_rows(world: World, clinic_id: str, instrument_id: str, to_date: date) -> pl.DataFrame:
    """Return one clinic's forms of one instrument as its system has them on to_date."""
    forms = world.forms[instrument_id].filter(
        pl.col("clinic_id") == clinic_id, pl.col("entered_on") <= to_date
    )
    return as_exported(forms, item_count(forms), to_date)


def item_count(forms: pl.DataFrame) -> int:
    """Count the answer columns i1..iN."""
    return sum(1 for name in forms.columns if name[0] == "i" and name[1:].isdigit())


def item_cells(
    forms: pl.DataFrame,
    pattern: str,
    missing: Iterable[str] = ("",),
    shift: int = 0,
    decimals: bool = False,
) -> list[pl.Expr]:
    """Return answers as text columns named by pattern; several missing codes take turns."""
    codes = list(missing)
    turn = (pl.col("episode_no") + pl.col("session_no")) % len(codes)
    code = pl.lit(codes[0])
    for k, other in enumerate(codes[1:], start=1):
        code = pl.when(turn == k).then(pl.lit(other)).otherwise(code)
    cells: list[pl.Expr] = []
    for k in range(1, item_count(forms) + 1):
        answer = pl.col(f"i{k}") if decimals else (pl.col(f"i{k}") + shift).cast(pl.Int64)
        cell = answer.cast(pl.String).fill_null(code)
        if k == UNDECLARED_ITEM:
            is_odd = pl.col("fault") == "undeclared_code"
            cell = pl.when(is_odd).then(pl.lit(UNDECLARED_CODE)).otherwise(cell)
        cells.append(cell.alias(pattern.format(k)))
    return cells


def time_cell(column: str, pattern: str, impossible: str) -> pl.Expr:
    """Return a date or time as text; faulty rows get one that does not exist or is far ahead."""
    when = (
        pl.when(pl.col("fault") == "far_future")
        .then(pl.col(column).dt.offset_by("30y"))
        .otherwise(column)
    )
    return (
        pl.when(pl.col("fault") == "impossible_date")
        .then(pl.lit(impossible))
        .otherwise(when.dt.strftime(pattern))
    )


def padded(column: str, width: int) -> pl.Expr:
    """Return a number as text with leading zeros."""
    return pl.col(column).cast(pl.String).str.zfill(width)


def evening(column: str) -> pl.Expr:
    """Return a day as the ISO time at which the clinic's system closed it."""
    return pl.col(column).dt.strftime("%Y-%m-%dT20:15:00")


def odd_rows(every: int, at: int) -> pl.Expr:
    """Pick one appointment in so many, the same one in every export."""
    return (pl.col("episode_no") * 97 + pl.col("appointment_no") * 13) % every == at


def session_rows(world: World, clinic_id: str, to_date: date) -> pl.DataFrame:
    """Return one clinic's appointments as known on to_date; those after it are booked."""
    ahead = pl.col("planned_on") > to_date
    return world.sessions.filter(
        pl.col("clinic_id") == clinic_id, pl.col("booked_on") <= to_date
    ).with_columns(
        status=pl.when(ahead).then(pl.lit("booked")).otherwise("status"),
        session_no=pl.when(~ahead).then("session_no"),
        changed_on=pl.when(ahead).then("booked_on").otherwise("planned_on"),
        fault=pl.when(odd_rows(1009, 7))
        .then(pl.lit("undeclared_code"))
        .when(odd_rows(1009, 11))
        .then(pl.lit("impossible_date")),
    )


def episode_rows(world: World, clinic_id: str, to_date: date) -> pl.DataFrame:
    """Return one clinic's episodes as known on to_date; a few end before they start."""
    closed = pl.col("ended_on") <= to_date
    is_odd = closed & (pl.col("episode_no") % 701 == 29)
    return (
        world.episodes.filter(pl.col("clinic_id") == clinic_id, pl.col("started_on") <= to_date)
        .with_columns(
            ended_on=pl.when(closed).then("ended_on"),
            end_reason=pl.when(closed).then("end_reason"),
            changed_on=pl.when(closed).then("ended_on").otherwise("started_on"),
        )
        .with_columns(
            ended_on=pl.when(is_odd)
            .then(pl.col("started_on") - pl.duration(days=10))
            .otherwise("ended_on")
        )
        .sort("episode_no")
    )


def years_of_age(column: str) -> pl.Expr:
    """Return an age in years as text, a number that lies in the band."""
    youngest = {"18_25": 18, "26_35": 26, "36_45": 36, "46_55": 46, "56_65": 56, "over_65": 66}
    within = pl.col("episode_no") * 7 % 8
    return (pl.col(column).replace_strict(youngest) + within).cast(pl.String)


def response_id(number: pl.Series, salt: int) -> pl.Series:
    """Fifteen letters that look drawn at random and are the same in every export."""
    bits = (number.to_numpy().astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    more = (bits ^ (bits >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    digits = np.stack(
        [
            (more if k < 8 else bits) // np.uint64(62 ** (k % 8 + 1)) % np.uint64(62)
            for k in range(15)
        ],
        axis=1,
    )
    text = np.ascontiguousarray(LETTERS[digits.astype(np.int64)]).view("U15").ravel()
    return pl.Series("R_" + text.astype(object), dtype=pl.String)
