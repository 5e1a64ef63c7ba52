"""A spoilt number is seen and named, whatever table it stands in; nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from flows.verify import agreement
from flows.verify.agreement import THOROUGH, Verified, verify
from flows.verify.nightly import check_agreement
from flows.verify.patients import STATED
from flows.verify.vectors import vectors
from schemas.instrument_types import Instrument
from tests.languages.texts import ROOT
from tests.oracle.periods import unlike_their_months
from tests.sql.warehouse_fixture import build_stages, rows, shipped
from tests.verify.service import small_service

# Topic → table, and what spoils one of its rows.
SPOILT = {
    "scores of forms": ("score.scale_score", "value = value + 1", "value is not null"),
    "answers to risk items": ("score.risk_answer", "is_flagged = not is_flagged", "is_flagged"),
    "order of sessions": (
        "score.course_appointment",
        "session_no = session_no + 1",
        "session_no is not null",
    ),
    "sessions told from forms": ("score.appointment", "session_on = session_on + 1", "is_derived"),
    "courses recorded and told from appointments": (
        "score.course",
        "started_on = started_on + 1",
        "is_derived",
    ),
    "courses of appointments": ("score.course_appointment", "episode_id = 'other'", "is_derived"),
    "courses and sessions of forms": ("score.form_place", "session_no = session_no + 1", "true"),
    "endings": ("score.end_state", "state = 'completed'", "state = 'dropout'"),
    "what became of each session": (
        "score.session_end",
        "outcome = 'other'",
        "outcome = 'goes_on'",
    ),
    "forms expected": ("score.expected_form", "is_rated = not is_rated", "true"),
    "reliable change": ("score.reliable_change", "category = 'improved'", "category = 'unpaired'"),
    "outcomes": ("score.outcome", "category = 'improved'", "category = 'unpaired'"),
    "NHS Talking Therapies outcomes": (
        "score.talking_therapies",
        "category = 'improved'",
        "category = 'unpaired'",
    ),
    "NHS Talking Therapies rates": (
        "measure.total",
        "numerator = numerator + 1",
        "measure = 'talking_therapies_recovery' and level = 'clinic' and n > 0",
    ),
    "colours on the expected course": ("score.track", "colour = 'other'", "colour = 'red'"),
    "expected course": ("score.expected_course", "middle = middle + 1", "true"),
    "chances of a last session": (
        "model.risk",
        "dropout_within_five = dropout_within_five + 0.001",
        "true",
    ),
    "incidence of each way of ending": (
        "measure.incidence",
        "standard_error = standard_error + 0.001",
        "standard_error > 0",
    ),
    "early alliance": ("score.early_alliance", "mean = mean + 0.001", "mean is not null"),
    "alliance against the own baseline": (
        "score.alliance_rating",
        "n_baseline = n_baseline + 1",
        "true",
    ),
    "patient and therapist": ("score.dyad", "n_pairs = n_pairs + 1", "true"),
    "ruptures": ("score.rupture", "state = 'other'", "true"),
    "other methods of judging change": (
        "score.change_method",
        "change_index = -change_index",
        "abs(change_index) > 1",
    ),
    "rates of units": ("measure.total", "numerator = numerator + 1", "measure = 'early_ending'"),
    "means of units": ("measure.total", "sum_xx = sum_xx + 1", "measure = 'start_score' and n > 0"),
    "sessions, ruptures and changes of units": (
        "measure.total",
        "numerator = numerator + 1",
        "measure = 'rupture_rate' and level = 'therapist' and n > 0",
    ),
    "what became of alerts": (
        "measure.total",
        "numerator_high = numerator_high + 1",
        "measure = 'alert_left' and level = 'clinic' and n > 0",
    ),
    "courses begun, ended and open": (
        "measure.total",
        "n = n + 1",
        "measure = 'course_open' and n > 0",
    ),
    "values and intervals": ("measure.estimate", "high = high - 0.001", "high is not null"),
}


# What nothing else is computed from is spoilt in one go.
LEAVES = (
    "answers to risk items", "alliance against the own baseline", "patient and therapist", "ruptures",
    "other methods of judging change", "colours on the expected course", "expected course",
    "chances of a last session", "incidence of each way of ending", "NHS Talking Therapies rates",
    "rates of units", "means of units", "what became of alerts", "courses begun, ended and open",
)  # fmt: skip
FEW_ESTIMATES = replace(THOROUGH, estimates=200)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A small random service, built through the measures."""
    con = small_service()
    yield con
    con.close()


def wrong(found: Verified) -> dict[str, tuple[str, ...]]:
    return {topic.topic: topic.wrong for topic in found.topics if not topic.is_good}


def test_every_figure_of_an_unspoilt_night_agrees(con: duckdb.DuckDBPyConnection) -> None:
    found = verify(con, THOROUGH, 1)
    assert wrong(found) == {}
    assert {topic.topic for topic in found.topics} == SPOILT.keys()
    assert all(topic.is_whole for topic in found.topics)
    assert all(topic.n_checked > 5 for topic in found.topics)


def test_a_quarter_holds_what_its_months_hold(con: duckdb.DuckDBPyConnection) -> None:
    assert unlike_their_months(con) == []


@pytest.mark.parametrize("topics", [LEAVES, *((topic,) for topic in SPOILT if topic not in LEAVES)])
def test_one_spoilt_number_is_named(
    con: duckdb.DuckDBPyConnection, topics: tuple[str, ...]
) -> None:
    spoilt = {}
    con.execute("begin")
    try:
        for topic in topics:
            table, change, where = SPOILT[topic]
            (row,) = rows(con, f"select rowid, * from {table} where {where} order by rowid limit 1")
            con.execute(f"update {table} set {change} where rowid = {row['rowid']}")
            spoilt[topic] = (row, change)
        whole = "values and intervals" in topics
        found = wrong(verify(con, THOROUGH if whole else FEW_ESTIMATES, 1))
    finally:
        con.execute("rollback")
    for topic, (row, change) in spoilt.items():
        unit, _, columns = found[topic][0].partition(": ")
        assert len(found[topic]) == 1, topic
        assert unit.split()[0] in {str(value) for value in row.values()}
        assert change.split()[0] in columns.split(", ")
        assert set(columns.split(", ")) <= set(row)


def test_a_row_too_many_and_a_row_too_few_are_named(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("begin")
    try:
        (lost,) = rows(con, "select form_id from score.form_place order by all limit 1")
        con.execute("delete from score.risk_answer where item = 9")
        con.execute("update score.expected_form set instrument_id = 'other' where rowid = 0")
        found = wrong(verify(con, THOROUGH, 1))
    finally:
        con.execute("rollback")
    assert lost and all(line.endswith(": no row") for line in found["answers to risk items"])
    assert sorted(line.rpartition(": ")[2] for line in found["forms expected"]) == [
        "a row too many",
        "no row",
    ]


def test_a_spoilt_night_says_so_on_its_pages(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("begin")
    try:
        check_agreement(con)
        build_stages(con, ["report"])
        good = rows(con, "select * from report.agreement order by agreement_order")
        con.execute("update score.outcome set category = 'improved' where rowid = 0")
        con.execute("update score.end_state set is_resolved = not is_resolved where rowid = 0")
        check_agreement(con)
        build_stages(con, ["report"])
        bad = rows(con, "select * from report.agreement order by agreement_order")
    finally:
        con.execute("rollback")
    assert {row["state"] for row in good} == {"agree"}
    n = sum(int(row["agree_text"].split()[0]) for row in good[1:])
    assert good[0]["agree_text"] == f"{n} of {n} figures agree"
    assert bad[0]["topic"] == "all figures" and bad[0]["state"] == "disagree"
    assert bad[1]["state"] == "disagree"


def test_a_fault_of_the_second_computation_is_no_agreement_and_stops_no_night(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("Canary Cornelia")

    monkeypatch.setattr(agreement, "tell", broken)
    con.execute("begin")
    try:
        found = check_agreement(con)
        build_stages(con, ["report"])
        first, *_ = rows(con, "select * from report.agreement order by agreement_order")
    finally:
        con.execute("rollback")
    unchecked = {topic.topic for topic in found.topics if topic.why_not}
    assert unchecked == set(STATED) and not found.is_good
    assert not any("Canary" in topic.line() for topic in found.topics)
    assert first["state"] == "not checked" and "topics could not be checked" in first["agree_text"]


def test_the_seed_draws_the_patients(con: duckdb.DuckDBPyConnection) -> None:
    few = replace(THOROUGH, patients=10)
    first, again, other = (agreement.draw_sample(con, 10, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first.patients) == 10 and not first.is_whole
    assert wrong(verify(con, few, 1)) == {}


def test_drawn_therapists_are_counted_whole(con: duckdb.DuckDBPyConnection) -> None:
    found = verify(con, replace(THOROUGH, courses=25), 1)
    rates = next(topic for topic in found.topics if topic.topic == "rates of units")
    assert not rates.is_whole and rates.is_good
    assert 0 < rates.n_checked < 200


def test_a_wrong_example_is_named() -> None:
    phq9 = shipped()["phq9"]
    first, *others = phq9.examples
    spoilt = replace(first, expect={"total": first.expect["total"] + 1})  # pyright: ignore[reportOptionalOperand]
    instruments: dict[str, Instrument] = {"phq9": replace(phq9, examples=(spoilt, *others))}
    by_sql, again, *cases = vectors(instruments)
    assert by_sql.wrong == again.wrong == ("phq9 example 1 score total: value",)
    assert all(topic.is_good for topic in cases)


def test_every_topic_can_be_said_in_other_languages() -> None:
    catalogue = (ROOT / "reports" / "languages" / "de.po").read_text(encoding="utf-8")
    assert [topic for topic in SPOILT if f'msgid "{topic}"\n' not in catalogue] == []
