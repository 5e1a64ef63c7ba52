"""The benchmark itself, on few rows: what it times stores every form and closes every changed one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmark.exports import OQ45, PHQ9, SIDE_BY_SIDE, Shape
from tests.benchmark.formats import FORMATS, measure_format
from tests.benchmark.ingest import measure_growth, measure_ingest
from tests.benchmark.pages import measure_pages
from tests.benchmark.scoring import Cost, measure_scoring, of_outcomes, total

# What a form scores, a course's change and outcome, and where forms and sessions are placed before that.
OF_OUTCOMES = {
    "appointment", "clinic_horizon", "clinic_with_appointments", "course", "course_appointment",
    "course_therapist", "end_state", "form_place", "intake_factor", "item_sum", "outcome", "protocol",
    "reliable_change", "scale_score", "session_score", "talking_therapies", "talking_therapies_measure",
}  # fmt: skip


@pytest.mark.parametrize("shape", [OQ45, SIDE_BY_SIDE], ids=["oq45", "side_by_side"])
@pytest.mark.parametrize("again", [False, True])
def test_what_is_timed_is_done(tmp_path: Path, shape: Shape, again: bool) -> None:  # noqa: FBT001
    times = measure_ingest(tmp_path, replace(shape, rows=1_030), again=again)
    assert len(times) == 1 + again
    for case in times:
        assert case.floor > 0
        assert [name for name, _ in case.parts] == ["archive", "read, map, judge", "merge"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_timed_of_a_format_is_done(tmp_path: Path, name: str) -> None:
    assert measure_format(tmp_path, name, replace(PHQ9, rows=30)).floor > 0


def test_a_night_after_a_history_stores_both(tmp_path: Path) -> None:
    found = measure_growth(tmp_path, replace(SIDE_BY_SIDE, rows=20), history=50)
    assert [len(times.parts) for times in found] == [3, 3]


def test_scoring_is_timed_over_scored_sessions(tmp_path: Path) -> None:
    scoring = measure_scoring(tmp_path, 2_000)
    assert scoring.title.endswith("sessions with 3 forms each")
    assert {"item_sum", "scale_score", "reliable_change", "outcome"} <= dict(scoring.tables).keys()
    assert scoring.floor.seconds > 0
    for tables in (scoring.tables, scoring.copied):
        assert total(tables).seconds > 0
        assert {name for name, _ in tables} >= OF_OUTCOMES
        once = [(name, Cost(1, 1)) for name, _ in tables]
        assert of_outcomes(once).seconds == len(OF_OUTCOMES)
    (came, one), (nothing, other) = scoring.nights
    assert int(came.split()[0]) > int(nothing.split()[0]) and came.endswith("patients")
    assert one.seconds > 0 and other.seconds > 0


def test_pages_are_timed_over_drawings_that_differ() -> None:
    times = measure_pages(16)
    assert times.n_pages > 16 and times.n_drawn > 3 * 14
    assert 0 <= times.n_drawn_again < times.n_drawn / 4
    assert times.full > 0 and times.changed > 0 and times.heaviest < 300_000
