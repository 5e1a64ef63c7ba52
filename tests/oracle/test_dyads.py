"""Patient and therapist side by side: SQL and second computation agree, and limits are respected."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from math import atanh, tanh
from typing import Any

import duckdb
import pytest

from flows.second.dyad import agreement, drawn_in, pooled
from flows.sql_files import build
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

# patient's form, therapist's form, lowest and highest score of each, whether parallel
FORMS = {
    "a": ("arm5_p", (1, 7), "arm5_t", (1, 7), True),
    "b": ("wai_sr_c", (1, 5), "wai_sr_t", (1, 5), False),
}
Courses = dict[str, list[tuple[int, float, float]]]


def draw(seed: int, n: int, clinic: str) -> Courses:
    """Session number and both ratings; some courses never move, some are too short."""
    chance, courses = random.Random(seed), {}
    _, (low, high), _, _, _ = FORMS[clinic]
    step = (high - low) / 20
    for number in range(n):
        level, pairs = chance.uniform(low + 2 * step, high - 4 * step), []
        for session in sorted(chance.sample(range(1, 16), chance.choice([1, 4, 5, 6, 9]))):
            move = 0.0 if number % 11 == 0 else chance.randint(-3, 3) * step
            seen = (
                move if number % 13 == 0 else chance.choice([move, 0, chance.randint(-2, 2) * step])
            )
            bias = chance.randint(-2, 2) * step if number % 13 else -step
            patient, therapist = (
                min(high, max(low, x)) for x in (level + move, level + seen + bias)
            )
            pairs.append((session, round(patient, 6), round(therapist, 6)))
        courses[f"{clinic}{number:03d}"] = pairs
    return courses


def enter(con: duckdb.DuckDBPyConnection, courses: Courses) -> None:
    scores: list[dict[str, Any]] = []
    for episode_id, pairs in courses.items():
        patient_form, _, therapist_form, _, _ = FORMS[episode_id[0]]
        for session, *ratings in pairs:
            for form, value in zip((patient_form, therapist_form), ratings, strict=True):
                scores.append(
                    {
                        "session_id": f"{episode_id}-{session}",
                        "instrument_id": form,
                        "episode_id": episode_id,
                        "session_no": session,
                        "session_on": date(2026, 1, 5) + timedelta(days=7 * session),
                        "value": value,
                    }
                )
    insert(con, "score.session_score", scores)
    ends = [{"episode_id": e, "clinic_id": e[0], "therapist_id": f"t{e[-1]}"} for e in courses]
    insert(con, "score.end_state", ends)


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[duckdb.DuckDBPyConnection, Courses]]:
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    courses = {**draw(1, 90, "a"), **draw(2, 90, "b")}
    enter(con, courses)
    build(con, "score", only=["score.dyad"])
    build(con, "model", only=["model.congruence_pool", "model.dyad_congruence"])
    build(con, "measure", only=["measure.congruence", "measure.alliance_discrepancy"])
    yield con, courses
    con.close()


def hundred(clinic: str, value: float) -> float:
    _, (low, high), _, _, _ = FORMS[clinic]
    return round((value - low) * 100 / (high - low), 4)


def test_every_course(told: tuple[duckdb.DuckDBPyConnection, Courses]) -> None:
    con, courses = told
    found = {row["episode_id"]: row for row in rows(con, "select * from score.dyad")}
    assert found.keys() == courses.keys()
    reasons = set()
    for episode_id, pairs in courses.items():
        row, clinic = found[episode_id], episode_id[0]
        assert row["n_pairs"] == len(pairs)
        reasons.add(row["why_not"])
        if len(pairs) < 5:
            assert row["why_not"] == "too few sessions rated by both"
            assert {row[k] for k in ("discrepancy", "congruence", "tracking", "fisher_z")} == {None}
            continue
        sessions = [s for s, _, _ in pairs]
        patient = [hundred(clinic, p) for _, p, _ in pairs]
        therapist = [hundred(clinic, t) for _, _, t in pairs]
        expected = agreement(sessions, patient, therapist)
        for name in ("congruence", "tracking"):
            value = getattr(expected, name)
            assert row[name] == (None if value is None else pytest.approx(value, abs=1e-4))
        for name in ("discrepancy", "convergence"):
            value = getattr(expected, name) if FORMS[clinic][4] else None
            assert row[name] == (None if value is None else pytest.approx(value, abs=1e-4))
    assert "the patient's ratings never move" in reasons
    perfect = [r for r in found.values() if r["congruence"] and abs(r["congruence"]) > 1 - 1e-12]
    assert perfect and all(row["fisher_z"] is None for row in perfect)


def test_pooled_over_courses(told: tuple[duckdb.DuckDBPyConnection, Courses]) -> None:
    con, _ = told
    dyads = rows(con, "select * from score.dyad where fisher_z is not null")
    for clinic in FORMS:
        mine = [(d["congruence"], d["n_pairs"]) for d in dyads if d["clinic_id"] == clinic]
        expected = pooled(mine, 1.959964)
        [row] = rows(con, f"select * from measure.congruence where unit_id = '{clinic}'")
        assert row["n"] == len(mine) < row["n_eligible"]
        for name in ("congruence", "low", "high", "spread"):
            assert row[name] == pytest.approx(getattr(expected, name), abs=1e-6)


def test_a_course_is_drawn_towards_the_others(
    told: tuple[duckdb.DuckDBPyConnection, Courses],
) -> None:
    con, _ = told
    for patient_form, *_ in FORMS.values():
        of_forms = f"patient_instrument_id = '{patient_form}'"
        dyads = rows(con, f"from score.dyad where fisher_z is not null and {of_forms}")
        whole = pooled([(d["congruence"], d["n_pairs"]) for d in dyads], 1.959964)
        centre, half = atanh(whole.congruence), atanh(whole.high) - atanh(whole.congruence)
        found = {
            row["episode_id"]: row
            for row in rows(con, f"from model.dyad_congruence where {of_forms}")
        }
        assert found.keys() == {d["episode_id"] for d in dyads}
        for dyad in dyads:
            expected = drawn_in(
                dyad["congruence"], dyad["n_pairs"], centre, (half / 1.959964) ** 2,
                whole.spread**2, 1.959964,
            )  # fmt: skip
            row = found[dyad["episode_id"]]
            assert (row["shrunken"], row["low"], row["high"]) == pytest.approx(expected, abs=1e-6)
            away, drawn = abs(dyad["fisher_z"] - centre), abs(atanh(row["shrunken"]) - centre)
            assert drawn <= away


def test_intervals_of_single_courses_cover_the_truth() -> None:
    """Six hundred courses of five to fifteen sessions, whose true correlations are known."""
    chance, truth, dyads = random.Random(5), {}, []
    keys = {"patient_instrument_id": "p", "therapist_instrument_id": "t", "clinic_id": "a"}
    for number in range(600):
        n, z = chance.randint(5, 15), chance.gauss(0.5, 0.4)
        truth[f"e{number}"] = tanh(z)
        seen = tanh(chance.gauss(z, (n - 3) ** -0.5))
        dyads.append({**keys, "episode_id": f"e{number}", "n_pairs": n, "congruence": seen,
                      "fisher_z": atanh(seen), "last_on": "2026-05-01"})  # fmt: skip
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    insert(con, "score.dyad", dyads)
    build(con, "model", only=["model.congruence_pool", "model.dyad_congruence"])
    found = rows(con, "from model.dyad_congruence")
    con.close()
    covered = [row["low"] <= truth[row["episode_id"]] <= row["high"] for row in found]
    assert len(covered) == 600 and 0.93 <= sum(covered) / 600 <= 0.97


def test_levels_of_forms_that_ask_different_things_are_not_compared(
    told: tuple[duckdb.DuckDBPyConnection, Courses],
) -> None:
    con, _ = told
    found = rows(con, "select distinct clinic_id, instrument_id from measure.alliance_discrepancy")
    assert found == [{"clinic_id": "a", "instrument_id": "arm5_p"}]


# Sample size and correlation of sixteen studies of conscientiousness and adherence (Molloy, O'Carroll & Ferguson 2014),
# the example of metafor's documentation, which prints Q = 38.1595 and, by REML, z = .1499 (.0881 to .2118).
STUDIES = [
    (109, 0.187), (749, 0.162), (55, 0.34), (107, 0.32), (72, 0.27), (65, 0.0), (174, 0.175),
    (326, 0.05), (58, 0.26), (771, 0.01), (56, -0.09), (91, 0.37), (116, 0.0), (537, 0.15),
    (158, 0.24), (65, 0.04),
]  # fmt: skip


def test_a_published_example_of_pooling() -> None:
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    keys = {"patient_instrument_id": "p", "therapist_instrument_id": "t", "clinic_id": "a"}
    dyads = [
        {**keys, "episode_id": f"e{i}", "n_pairs": n, "fisher_z": atanh(r), "last_on": "2026-05-01"}
        for i, (n, r) in enumerate(STUDIES)
    ]
    insert(con, "score.dyad", dyads)
    build(con, "model", only=["model.congruence_pool"])
    build(con, "measure", only=["measure.congruence"])
    [row] = rows(con, "select * from measure.congruence where level = 'service'")
    weights = [n - 3 for n, _ in STUDIES]
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    assert row["spread"] ** 2 * scale + 15 == pytest.approx(38.1595, abs=1e-4)
    # moments and REML differ in the third decimal
    printed = [atanh(row[name]) for name in ("congruence", "low", "high")]
    assert printed == pytest.approx([0.1499, 0.0881, 0.2118], abs=2e-3)
