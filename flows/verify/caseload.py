"""Courses begun, ended and open of clinics and the service, counted a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb

from flows.second.measure import counts_in, is_begun, is_open
from flows.verify.facts import Figures, rows

MEASURES = ("course_started", "course_ended", "course_open")
COUNTS = ["n"]


def stated_caseload(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL counted: level, unit, period and measure to a number of courses."""
    return {
        (row["level"], row["unit_id"], row["period_id"], row["measure"]): (row["n"],)
        for row in rows(con, f"from measure.total where measure in {MEASURES} and n > 0")
    }


def told_caseload(con: duckdb.DuckDBPyConnection) -> Figures:
    """The same, course by course."""
    counted: Counter[tuple[Any, ...]] = Counter()
    periods = rows(con, "from ref.period")
    for row in rows(con, "from score.end_state"):
        for period in periods:
            for measure in _counted_as(row, period["period_start"], period["period_end"]):
                counted["service", "service", period["period_id"], measure] += 1
                counted["clinic", row["clinic_id"], period["period_id"], measure] += 1
    return {key: (n,) for key, n in counted.items()}


def _counted_as(row: dict[str, Any], first: date, last: date) -> Iterator[str]:
    began, ended = row["first_attended_on"], row["ended_on"]
    if is_begun(began, first, last):
        yield "course_started"
    if row["is_ended"] and counts_in(ended, row["is_resolved"], first, last):
        yield "course_ended"
    if is_open(began, ended, last):
        yield "course_open"
