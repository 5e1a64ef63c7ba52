"""The NHS Talking Therapies figures of clinics and the service, counted a second time."""

from __future__ import annotations

from collections import defaultdict

import duckdb

from flows.second.measure import counts_in
from flows.second.rules import Rules
from flows.second.talking_therapies import Outcome, figures_of
from flows.verify.facts import Figures, rows

PREFIX = "talking_therapies_"
COUNTS = ["numerator", "n", "n_eligible", "n_known", "numerator_high"]


def stated_outcomes(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL counted: level, unit, period and measure to counts."""
    return {
        (
            row["level"],
            row["unit_id"],
            row["period_id"],
            row["measure"].removeprefix(PREFIX),
        ): tuple(row[name] for name in COUNTS)
        for row in rows(
            con,
            f"from measure.total where starts_with(measure, '{PREFIX}') and n_eligible > 0",
        )
    }


def told_outcomes(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same, course by course."""
    grouped: dict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
    periods = rows(con, "from ref.period")
    for row in rows(
        con,
        "select end_state.clinic_id, end_state.ended_on, end_state.is_resolved,"
        " end_state.n_attended, outcome.* exclude (clinic_id)"
        " from score.talking_therapies as outcome"
        " join score.end_state as end_state using (episode_id) where end_state.is_ended",
    ):
        outcome = Outcome(
            row["anxiety_instrument_id"], row["category"], row["is_case_first"],
            row["is_recovered"], row["is_reliably_recovered"],
        )  # fmt: skip
        for period in periods:
            first, last = period["period_start"], period["period_end"]
            is_in = counts_in(row["ended_on"], row["is_resolved"], first, last)
            if is_in and row["n_attended"] >= rules.outcome_min_sessions:
                grouped["service", "service", period["period_id"]].append(outcome)
                grouped["clinic", row["clinic_id"], period["period_id"]].append(outcome)
    return {
        (*unit, name): (
            *(count.numerator, count.n, count.n, count.n_known),
            None if name == "paired" else count.highest,
        )
        for unit, outcomes in grouped.items()
        for name, count in figures_of(outcomes).items()
        if count.n
    }
