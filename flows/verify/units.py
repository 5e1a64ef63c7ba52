"""Figures about therapists, clinics and the service, computed a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import duckdb

from flows.second.measure import Ended, counts_in, normal, rates_of, sum_of, wilson
from flows.second.rules import Rules
from flows.verify.facts import Figures, rows

Key = tuple[Any, ...]
RATES = (
    "early_ending", "paired_outcome", "reason_recorded", "reliable_deterioration",
    "reliable_improvement", "stopped_coming",
)  # fmt: skip
MEANS = ("early_alliance_mean", "early_alliance_slope", "session_count", "start_score")
ESTIMATE = ("level", "unit_id", "period_id", "measure", "instrument_id")


def drawn_units(con: duckdb.DuckDBPyConnection, most_courses: int, seed: int) -> bool:
    """Draw the therapists whose figures are counted again; True where all units are.

    Above so many courses therapists are drawn, by a hash, until their courses reach the number.
    Clinics and the service are counted again only where everything is.
    """
    (n,) = con.execute("select count(*) from score.end_state").fetchone() or (0,)
    con.execute(
        "create or replace temp table drawn_therapist as select therapist_id from ("
        " select therapist_id, sum(count(*)) over (order by md5(? || therapist_id), therapist_id)"
        " as so_far from score.end_state where therapist_id is not null group by therapist_id"
        ") where so_far <= ? or ?",
        [f"{seed}/", most_courses, n <= most_courses],
    )
    return n <= most_courses


def stated_rates(con: duckdb.DuckDBPyConnection, *, is_whole: bool) -> Figures:
    """What the SQL counted: level, unit, period and measure to counts."""
    units = "true" if is_whole else "level = 'therapist' and unit_id in (from drawn_therapist)"
    return {
        (row["level"], row["unit_id"], row["period_id"], row["measure"]): (
            *(row["numerator"], row["n"], row["n_eligible"]),
            *(row["numerator_low"], row["numerator_high"]),
        )
        for row in rows(
            con,
            f"select * from measure.total where {units} and measure in {RATES} and n_eligible > 0",
        )
    }


def told_rates(con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool) -> Figures:
    """The same, counted course by course."""
    grouped: dict[Key, list[Ended]] = defaultdict(list)
    for key, row in _finished(con, is_whole=is_whole):
        is_long = row["n_attended"] >= rules.outcome_min_sessions
        ended = Ended(row["state"], row["end_by"] == "record", is_long, row["category"])
        grouped[key].append(ended)
    return {
        (*key, measure): (count.numerator, count.n, count.n_eligible, count.low, count.high)
        for key, courses in grouped.items()
        for measure, count in rates_of(courses).items()
    }


def _finished(
    con: duckdb.DuckDBPyConnection, *, is_whole: bool
) -> Iterator[tuple[Key, dict[str, Any]]]:
    periods = rows(con, "from ref.period")
    units = "true" if is_whole else "end_state.therapist_id in (from drawn_therapist)"
    for row in rows(
        con,
        "select end_state.*, outcome.category from score.end_state as end_state"
        f" join score.outcome as outcome using (episode_id) where end_state.is_ended and {units}",
    ):
        for period in periods:
            first, last = period["period_start"], period["period_end"]
            if counts_in(row["ended_on"], row["is_resolved"], first, last):
                for unit in units_of(row, period, is_whole=is_whole):
                    yield (*unit, period["period_id"]), row


def units_of(
    row: dict[str, Any], period: dict[str, Any], *, is_whole: bool
) -> list[tuple[str, str]]:
    """The units that a course counts for in a period: those wanted whose level has the period."""
    therapist = [("therapist", row["therapist_id"])] if row["therapist_id"] else []
    wider = [("service", "service"), ("clinic", row["clinic_id"])] if is_whole else []
    levels = period["levels"] or ("service", "clinic", "therapist")
    return [unit for unit in (*wider, *therapist) if unit[0] in levels]


def stated_means(con: duckdb.DuckDBPyConnection, *, is_whole: bool) -> Figures:
    """Number, eligible and sums of the means that the SQL counted."""
    units = "true" if is_whole else "level = 'therapist' and unit_id in (from drawn_therapist)"
    return {
        tuple(
            row[name] for name in ("level", "unit_id", "period_id", "measure", "instrument_id")
        ): (*(row["n"], row["n_eligible"], row["sum_x"], row["sum_xx"]),)
        for row in rows(
            con,
            f"select * from measure.total where {units} and measure in {MEANS} and n_eligible > 0",
        )
    }


def told_means(con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool) -> Figures:
    """The same, summed value by value."""
    values: dict[Key, list[Fraction | None]] = defaultdict(list)
    periods = rows(con, "from ref.period")
    for measure, row in _values(con, rules, is_whole=is_whole):
        for period in periods:
            if period["period_start"] <= row["day"] <= period["period_end"]:
                value = None if row["value"] is None else Fraction(row["value"])
                for unit in units_of(row, period, is_whole=is_whole):
                    key = (*unit, period["period_id"], measure, row["instrument_id"])
                    values[key].append(value)
    return {
        key: (found.n, found.n_eligible, found.sum_x, found.sum_xx)
        for key, listed in values.items()
        if (found := sum_of(listed))
    }


def _values(
    con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    units = "true" if is_whole else "end_state.therapist_id in (from drawn_therapist)"
    for row in rows(
        con,
        "select change.clinic_id, end_state.therapist_id, change.instrument_id,"
        " change.baseline_value as value, end_state.first_attended_on as day"
        " from score.reliable_change as change"
        f" join score.end_state as end_state using (episode_id) where {units}"
        " and end_state.first_attended_on is not null",
    ):
        yield "start_score", row
    for row in rows(
        con,
        "select clinic_id, null as therapist_id, null as instrument_id, n_attended as value,"
        f" ended_on as day from score.end_state where is_ended and is_resolved and {is_whole}",
    ):
        yield "session_count", row
    early = rows(con, f"from score.early_alliance as end_state where is_complete and {units}")
    for measure, least in (
        ("mean", rules.early_min_rated),
        ("slope", rules.early_slope_min_rated),
    ):
        for row in early:
            if max(row["n_expected"], row["n_rated"]) >= least:
                shown = {**row, "value": row[measure], "day": row["early_on"]}
                yield f"early_alliance_{measure}", shown


def stated_intervals(con: duckdb.DuckDBPyConnection, most: int, seed: int) -> Figures:
    """Value and interval of every estimate, or of as many as asked for."""
    return {
        tuple(row[name] for name in ESTIMATE): (row["value"], row["low"], row["high"])
        for row in _estimates(con, most, seed)
    }


def told_intervals(con: duckdb.DuckDBPyConnection, rules: Rules, most: int, seed: int) -> Figures:
    """The same from the counts and sums beside them."""
    told: Figures = {}
    for row in _estimates(con, most, seed):
        n, z, sum_x = row["n"], float(rules.z_95), Fraction(row["sum_x"])
        value: float | None = float(n if row["kind"] == "count" else sum_x / n) if n else None
        low = high = None
        if n and row["kind"] == "rate":
            low, high = wilson(row["numerator"], n, z)
        elif (
            n
            and row["kind"] == "mean"
            and (interval := normal(sum_x, Fraction(row["sum_xx"]), n, z))
        ):
            low, high = interval
        told[tuple(row[name] for name in ESTIMATE)] = (value, low, high)
    return told


def _estimates(con: duckdb.DuckDBPyConnection, most: int, seed: int) -> list[dict[str, Any]]:
    keys = " and ".join(f"total.{name} is not distinct from estimate.{name}" for name in ESTIMATE)
    return rows(
        con,
        "select estimate.*, total.sum_x, total.sum_xx from measure.estimate as estimate"
        f" join measure.total as total on {keys}"
        f" order by md5(concat_ws('/', ?, {', '.join(f'estimate.{name}' for name in ESTIMATE)}))"
        " limit ?",
        str(seed),
        most,
    )
