"""What is computed again beside the figures of single patients, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb

from flows.second.rules import Rules
from flows.verify import (
    alerts,
    caseload,
    chances,
    derived,
    incidence,
    outcome_set,
    sessions,
    track,
    units,
)
from flows.verify.facts import Figures, Sample, read_rules


@dataclass(frozen=True)
class Bounds:
    """How much is computed a second time: everything where it is small, else a sample."""

    patients: int
    courses: int
    estimates: int
    cells: int


@dataclass(frozen=True)
class Topic:
    """A table or some of its rows, and how both sides of it come about."""

    name: str
    table: str
    columns: list[str]
    is_whole: bool
    both: Callable[[], tuple[Figures, Figures]]


def topics(
    con: duckdb.DuckDBPyConnection, sample: Sample, bounds: Bounds, seed: int
) -> Iterator[Topic]:
    """Every topic: of the sampled patients, then of units."""
    rules = read_rules(con)
    yield from _of_patients(con, rules, is_whole=sample.is_whole)
    is_whole = units.drawn_units(con, bounds.courses, seed)
    yield _expected_course(con, bounds.cells, seed, is_whole=is_whole)
    yield from _of_units(con, rules, is_whole=is_whole)
    yield from _of_wholes(con, rules, is_whole=is_whole)
    (n,) = con.execute("select count(*) from measure.estimate").fetchone() or (0,)
    yield Topic(
        "values and intervals", "measure.estimate", ["value", "low", "high"],
        n <= bounds.estimates,
        lambda: (
            units.stated_intervals(con, bounds.estimates, seed),
            units.told_intervals(con, rules, bounds.estimates, seed),
        ),
    )  # fmt: skip


def _of_patients(
    con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool
) -> Iterator[Topic]:
    yield Topic(
        "sessions told from forms", "score.appointment", derived.SESSION, is_whole,
        lambda: (derived.stated_sessions(con), derived.told_sessions(con, rules)),
    )  # fmt: skip
    yield Topic(
        "courses recorded and told from appointments", "score.course", derived.COURSE, is_whole,
        lambda: (derived.stated_courses(con), derived.told_courses(con, rules)),
    )  # fmt: skip
    yield Topic(
        "courses of appointments", "score.course_appointment", ["episode_id"], is_whole,
        lambda: (derived.stated_places(con), derived.told_places(con, rules)),
    )  # fmt: skip
    yield Topic(
        "colours on the expected course", "score.track", track.COLOURS, is_whole,
        lambda: (track.stated_colours(con), track.told_colours(con)),
    )  # fmt: skip
    yield Topic(
        "chances of a last session", "model.risk", chances.CHANCES, is_whole,
        lambda: (chances.stated_chances(con), chances.told_chances(con)),
    )  # fmt: skip


def _expected_course(
    con: duckdb.DuckDBPyConnection, most: int, seed: int, *, is_whole: bool
) -> Topic:
    cells, is_all = track.drawn_cells(con, most, seed) if is_whole else (set(), False)
    return Topic(
        "expected course", "score.expected_course", track.CELL, is_all,
        lambda: (track.stated_cells(con, cells), track.told_cells(con, cells)),
    )  # fmt: skip


def _of_units(con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool) -> Iterator[Topic]:
    """Figures of units that are drawn where there are too many courses."""
    counts = ["numerator", "n", "n_eligible", "numerator_low", "numerator_high"]
    yield Topic(
        "rates of units", "measure.total", counts, is_whole,
        lambda: (
            units.stated_rates(con, is_whole=is_whole),
            units.told_rates(con, rules, is_whole=is_whole),
        ),
    )  # fmt: skip
    yield Topic(
        "means of units", "measure.total", ["n", "n_eligible", "sum_x", "sum_xx"], is_whole,
        lambda: (
            units.stated_means(con, is_whole=is_whole),
            units.told_means(con, rules, is_whole=is_whole),
        ),
    )  # fmt: skip
    yield Topic(
        "sessions, ruptures and changes of units", "measure.total", sessions.COUNTS, is_whole,
        lambda: (
            sessions.stated_sessions(con, is_whole=is_whole),
            sessions.told_sessions(con, rules, is_whole=is_whole),
        ),
    )  # fmt: skip


def _of_wholes(con: duckdb.DuckDBPyConnection, rules: Rules, *, is_whole: bool) -> Iterator[Topic]:
    """Figures of clinics and the service, which are counted again only where everything is."""
    wholes: list[tuple[str, str, list[str], Callable[[], tuple[Figures, Figures]]]] = [
        (
            "NHS Talking Therapies rates", "measure.total", outcome_set.COUNTS,
            lambda: (outcome_set.stated_outcomes(con), outcome_set.told_outcomes(con, rules)),
        ),
        (
            "courses begun, ended and open", "measure.total", caseload.COUNTS,
            lambda: (caseload.stated_caseload(con), caseload.told_caseload(con)),
        ),
        (
            "what became of alerts", "measure.total", alerts.COUNTS,
            lambda: (alerts.stated_alerts(con), alerts.told_alerts(con, rules)),
        ),
        (
            "incidence of each way of ending", "measure.incidence", incidence.SHARES,
            lambda: (incidence.stated_incidence(con), incidence.told_incidence(con, rules)),
        ),
    ]  # fmt: skip
    for name, table, columns, both in wholes:
        yield Topic(name, table, columns, is_whole, both if is_whole else lambda: ({}, {}))
