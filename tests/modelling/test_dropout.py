"""Therapists and dropout: each session beside its own chance, courses that go on included."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from flows.model import build_models
from flows.modelling.case_mix import Rows, fit_case_mix, fit_one
from flows.second import therapist as second
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

NIGHT = date(2026, 11, 30)
FIRST_DAY = date(2024, 1, 1)
# Chances of leaving after each session, of finishing from the tenth on, and days until silence counts.
LEAVES = (0.12, 0.09, 0.07, 0.05, *([0.02] * 5), *([0.01] * 40))
FINISHES, DUE = 0.15, 56
NEWCOMER = "newcomer"


def course(
    chance: np.random.Generator, therapist: str, number: int, began: date
) -> list[dict[str, Any]]:
    """Sessions a week apart until the patient leaves or finishes; those that are due by the night."""
    sessions = []
    for no, leaves in enumerate(LEAVES, start=1):
        day = began + timedelta(days=7 * no)
        drawn = chance.random()
        outcome = "dropout" if drawn < leaves else "goes_on"
        if no > 9 and leaves <= drawn < leaves + FINISHES:
            outcome = "planned"
        due = day + timedelta(days=DUE)
        name = f"{therapist}/{number}"
        sessions.append({
            "session_id": f"{name}/{no:02}", "episode_id": name, "clinic_id": "a", "session_no": no,
            "session_on": day, "outcome": outcome, "due_on": due, "is_at_risk": due <= NIGHT,
        })  # fmt: skip
        if outcome != "goes_on":
            break
    return sessions


def ending(sessions: list[dict[str, Any]], therapist: str) -> dict[str, Any]:
    """The course of these sessions, as far as it is known on the night."""
    last = sessions[-1]
    is_ended = last["outcome"] != "goes_on" and last["session_on"] <= NIGHT
    state = {"dropout": "dropout", "planned": "completed"}.get(last["outcome"], "ongoing")
    return {
        "episode_id": last["episode_id"], "clinic_id": "a", "therapist_id": therapist,
        "state": state if is_ended else "ongoing", "end_by": "record",
        "ended_on": last["session_on"] if is_ended else None,
        "is_ended": is_ended, "is_resolved": last["is_at_risk"], "n_attended": len(sessions),
    }  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Iterator[duckdb.DuckDBPyConnection]:
    """Forty therapists alike; one of them has worked here for three months and a bit."""
    chance = np.random.default_rng(8)
    con = warehouse(NIGHT)
    build_stages(con, ["finding", "score"])
    courses = []
    for number in range(39 * 50):
        therapist = f"t{number % 39:02}"
        courses.append(
            (therapist, number, FIRST_DAY + timedelta(days=int(chance.integers(0, 1050))))
        )
    began = NIGHT - timedelta(days=110)
    courses += [
        (NEWCOMER, n, began + timedelta(days=int(chance.integers(0, 35)))) for n in range(40)
    ]
    made = [(course(chance, *one), one[0]) for one in courses]
    insert(con, "score.session_end", [session for sessions, _ in made for session in sessions])
    insert(con, "score.end_state", [ending(sessions, therapist) for sessions, therapist in made])
    insert(con, "score.course_therapist", [
        {"episode_id": s[0]["episode_id"], "clinic_id": "a", "therapist_id": t, "n_therapists": 1}
        for s, t in made
    ])  # fmt: skip
    insert(con, "score.finished_course", finished(con))
    build_models(con, NIGHT, [fit_case_mix])
    build_stages(con, ["measure"])
    yield con
    con.close()


def finished(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return rows(
        con,
        "select clinic_id, therapist_id, period_id, episode_id, state from score.end_state"
        " join ref.period on ended_on between period_start and period_end"
        " where is_ended and is_resolved",
    )


def test_a_therapist_three_months_in_post_is_not_condemned(
    service: duckdb.DuckDBPyConnection,
) -> None:
    (crude,) = rows(
        service,
        "select numerator / n as share from measure.early_ending"
        f" where therapist_id = '{NEWCOMER}' and period_id = 'year'",
    )
    (usual,) = rows(
        service,
        "select sum(numerator) / sum(n) as share from measure.early_ending"
        f" where therapist_id <> '{NEWCOMER}' and period_id = 'year'",
    )
    # Of those who have ended nearly all have left: the finishers are still coming.
    assert crude["share"] > usual["share"] + 0.3
    (row,) = rows(
        service,
        f"select * from measure.ratio where unit_id = '{NEWCOMER}' and period_id = 'year'"
        " and measure = 'dropout_under_way'",
    )
    assert row["observed"] >= 5
    assert float(row["low"]) < 1 < float(row["high"])
    assert float(row["shrunken"]) == pytest.approx(1, abs=0.25)
    (placed,) = rows(
        service,
        "select deviation / standard_error as z from measure.deviation"
        f" where unit_id = '{NEWCOMER}' and period_id = 'year' and measure = 'dropout_under_way'",
    )
    assert abs(placed["z"]) < 2


def test_every_session_that_is_due_counts_and_none_that_is_not(
    service: duckdb.DuckDBPyConnection,
) -> None:
    (due,) = rows(service, "select count(*) as n, sum((outcome = 'dropout')::int) as y,"
                           " count(distinct episode_id) as courses from score.session_end where is_at_risk")  # fmt: skip
    (told,) = rows(service, "select count(*) as n, sum(y)::int as y, count(distinct episode_id) as courses"
                            " from model.expected where model_id = 'dropout_under_way'")  # fmt: skip
    assert told == due
    period = "period_id = 'window' and level = 'service' and measure = 'dropout_under_way'"
    (total,) = rows(service, f"select n, numerator, expected from measure.total where {period}")
    (counted,) = rows(
        service,
        "select count(distinct episode_id) as n, sum((outcome = 'dropout')::int) as y"
        " from score.session_end join ref.period on due_on between period_start and period_end"
        " where period_id = 'window' and is_at_risk",
    )
    assert (total["n"], total["numerator"]) == (counted["n"], counted["y"])
    assert total["expected"] is not None


def test_expected_of_every_session(service: duckdb.DuckDBPyConnection) -> None:
    """The clock finds the chances that made the endings, and SQL tells what the model says."""
    coefficients = {
        row["term"]: (row["estimate"], row["centre"] or 0.0)
        for row in rows(service, "select * from model.coefficient where model_id = 'dropout_under_way'")
    }  # fmt: skip
    by_band: dict[str, list[tuple[float, int]]] = defaultdict(list)
    found = rows(
        service,
        "select session_band, expected.expected, expected.y from model.expected as expected"
        " join model.dropout_exposure using (session_id) where model_id = 'dropout_under_way'",
    )
    for row in found:
        levels = defaultdict(lambda: "not recorded", session_band=row["session_band"], severity="recorded",
                             questionnaire="none")  # fmt: skip
        chance = second.expected_of(levels, None, coefficients, is_event=True)
        assert abs(float(row["expected"]) - chance) < 1e-12
        by_band[row["session_band"]].append((chance, int(row["y"])))
    for band, true in (("1", 0.12), ("2", 0.09), ("4", 0.05), ("9+", 0.0105)):
        chance, n = by_band[band][0][0], len(by_band[band])
        assert chance == pytest.approx(true, abs=4 * (true * (1 - true) / n) ** 0.5)
        # a model of maximum likelihood expects as many as there were
        assert n * chance == pytest.approx(sum(y for _, y in by_band[band]), abs=1e-5)


def test_ratios_have_byars_interval(service: duckdb.DuckDBPyConnection) -> None:
    found = rows(service, "select * from measure.ratio where measure = 'dropout_under_way'")
    assert {0} < {row["observed"] for row in found}
    for row in found:
        low, high = second.byar(row["observed"], float(row["expected"]), 1.959964)
        assert float(row["low"]) == pytest.approx(low, abs=1e-6)
        assert float(row["high"]) == pytest.approx(high, abs=1e-6)


def test_without_a_clock_there_is_no_model() -> None:
    """Too few dropouts to tell early sessions from late ones: no figure, and not an unfair one."""
    n = 4_000
    bands = pl.Series(["1", "2", "3", "4", "5-8"] * (n // 5))
    y = (np.arange(n) % 101 == 0).astype(float)
    sexes = pl.Series(["female", "male"] * (n // 2))
    levels = {"session_band": bands, "severity": pl.Series(["recorded"] * n), "language": sexes}
    given = Rows(y, np.zeros(n), levels, "hazard", NIGHT, 20, 5, n_courses=n // 5)
    assert fit_one("m", "m", given, 10).why_not is None
    fit = fit_one("m", "m", given, 11)
    assert fit.why_not == "too few: 40 events to tell early sessions from late"
    assert not fit.terms
