"""SQL and second computation agree on the NHS Talking Therapies set and the standardised changes."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import duckdb
import pytest

from flows.reference import Service
from flows.second.course import Course, end_of, place_of
from flows.second.effect import adjusted_effect_of, effect_of, reference_of
from flows.second.outcome import Scored
from flows.second.rules import Rules
from flows.second.score import scores_of
from flows.second.talking_therapies import Outcome, Pair, figures_of, outcome_of, pair_of
from tests.oracle import small_world
from tests.oracle.second_view import questionnaires
from tests.oracle.small_world import AS_OF, THROUGH, make_world
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

RULES = Rules()
GIVEN = {"a": ["phq9", "gad7", "spin", "pcl5"], "b": ["phq9", "pdss", "ors"]}
SET = ("phq9", "gad7", "spin", "pcl5", "pdss")
GROUPS = [None, None, "anxiety", "stress_related", "depressive"]
MIN_COURSES = 30


@dataclass
class Told:
    """One world in the warehouse, and its courses as the second computation has them."""

    con: duckdb.DuckDBPyConnection
    courses: dict[str, Course]
    pairs: dict[str, dict[str, Pair]]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {
            episode_id: outcome_of(
                {name: pair for name, pair in pairs.items() if name in SET},
                self.courses[episode_id].record["diagnosis_group"],
            )
            for episode_id, pairs in self.pairs.items()
        }

    def finished(self) -> list[str]:
        """Courses long enough whose end counts."""
        found = []
        for episode_id, course in self.courses.items():
            _, ended, is_resolved = end_of(
                course, AS_OF, THROUGH[course.record["clinic_id"]], RULES
            )
            if ended and is_resolved and len(course.attended) >= RULES.outcome_min_sessions:
                found.append(episode_id)
        return found


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """A random service whose clinics give the measures of the set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_world, "USED", GIVEN)
        world = make_world(5, 360)
    chance = random.Random(5)
    for episode in world.episodes:
        waited = timedelta(days=chance.randrange(-3, 60))
        episode["diagnosis_group"] = chance.choice(GROUPS)
        episode["referred_on"] = chance.choice([None, episode["started_on"] - waited])
    protocol = [
        {"clinic": c, "instrument": i, "every": 1} for c, used in GIVEN.items() for i in used
    ]
    con = warehouse(AS_OF, Service("Random", {"a": "Alder", "b": "Birch"}, protocol=protocol))
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    insert(con, "valid.clinic", [{"clinic_id": c, "data_through": d} for c, d in THROUGH.items()])
    build_stages(con)
    appointments, forms = defaultdict(list), defaultdict(list)
    for session in world.sessions:
        appointments[session["episode_id"]].append(session)
    courses = {e["episode_id"]: Course(e, appointments[e["episode_id"]]) for e in world.episodes}
    for form in world.forms:
        key, course = questionnaires()[form["instrument_id"]], courses[form["episode_id"]]
        place = place_of(form, key, [course], RULES)
        score = scores_of(key, form)[key.primary]
        forms[form["episode_id"], form["instrument_id"]].append(
            Scored(form, score, place.session_no)
        )
    pairs = {
        episode_id: {
            name: pair_of(forms[episode_id, name], course, RULES)
            for name in GIVEN[course.record["clinic_id"]]
        }
        for episode_id, course in courses.items()
        if course.attended
    }
    yield Told(con, courses, pairs)
    con.close()


def test_every_course_has_the_same_outcome(told: Told) -> None:
    found = rows(
        told.con,
        "select episode_id, anxiety_instrument_id, category, is_case_first, is_recovered,"
        " is_reliably_recovered from score.talking_therapies",
    )
    stated = {row["episode_id"]: Outcome(*list(row.values())[1:]) for row in found}
    assert stated == told.outcomes
    seen = Counter(one.category for one in stated.values())
    assert set(seen) == {"improved", "deteriorated", "no_reliable_change", "unpaired"}
    assert {one.anxiety for one in stated.values()} == {"gad7", "spin", "pcl5", "pdss", None}
    assert {one.is_recovered for one in stated.values()} == {True, False, None}


def test_every_figure_of_the_set_agrees(told: Told) -> None:
    first_day = AS_OF.replace(year=AS_OF.year - 1) + timedelta(days=1)
    ended = {
        episode_id: end_of(course, AS_OF, THROUGH[course.record["clinic_id"]], RULES)[1]
        for episode_id, course in told.courses.items()
    }
    for clinic in GIVEN:
        outcomes = [
            told.outcomes[e]
            for e in told.finished()
            if told.courses[e].record["clinic_id"] == clinic
            and first_day <= (ended[e] or AS_OF) <= AS_OF
        ]
        for name, count in figures_of(outcomes).items():
            (row,) = rows(
                told.con,
                "select numerator, n, n_known, n_eligible, numerator_high from measure.total where"
                f" measure = 'talking_therapies_{name}' and unit_id = '{clinic}' and period_id = 'year'",
            )
            assert (row["numerator"], row["n"], row["n_known"]) == (
                count.numerator, count.n, count.n_known,
            ), (clinic, name)  # fmt: skip
            assert row["n_eligible"] == count.n
            assert row["numerator_high"] == (None if name == "paired" else count.highest)


def test_improved_worse_unchanged_and_unknown_are_all(told: Told) -> None:
    (row,) = rows(
        told.con,
        "select sum(numerator)::integer as classed, max(n) as n, max(n - n_known) as unknown"
        " from measure.total where level = 'service' and period_id = 'year' and measure in"
        " ('talking_therapies_improvement', 'talking_therapies_deterioration',"
        " 'talking_therapies_no_change')",
    )
    assert row["classed"] + row["unknown"] == row["n"] > 50


def test_standardised_changes_agree(told: Told) -> None:
    found = rows(told.con, "select * from score.standardised_change")
    stated = {(row["episode_id"], row["instrument_id"]): row for row in found}
    n_compared = 0
    for name in sorted({name for given in GIVEN.values() for name in given}):
        direction = questionnaires()[name].direction
        complete: dict[str, tuple[Fraction, Fraction]] = {}
        for episode_id, pairs in told.pairs.items():
            first, last = pairs.get(name, (None, None))
            if first is not None and last is not None:
                complete[episode_id] = (first, last)
        finished = [complete[e] for e in told.finished() if e in complete]
        reference = reference_of(finished, direction, MIN_COURSES)
        assert reference is not None, name
        for episode_id, (first, last) in complete.items():
            row = stated[episode_id, name]
            assert abs(float(row["effect"]) - effect_of(first, last, direction, reference)) < 2e-6
            adjusted = adjusted_effect_of(first, last, direction, reference)
            assert abs(float(row["adjusted_effect"]) - adjusted) < 2e-6
            n_compared += 1
    assert n_compared > 300
    paired = {
        (e, name) for e, pairs in told.pairs.items() for name, p in pairs.items() if None not in p
    }
    assert paired == {key for key, row in stated.items() if row["effect"] is not None}


def test_adjusted_effects_of_the_whole_reference_are_its_mean() -> None:
    pairs = [(Fraction(x), Fraction(y)) for x, y in ((10, 8), (20, 12), (30, 25), (40, 20))]
    reference = reference_of(pairs, -1, 3)
    assert reference is not None
    adjusted = [adjusted_effect_of(x, y, -1, reference) for x, y in pairs]
    assert sum(adjusted) / 4 == pytest.approx(
        float(reference.mean_improvement) / reference.sd_first
    )
