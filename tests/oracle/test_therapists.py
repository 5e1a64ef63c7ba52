"""SQL and plain Python agree on every figure of a therapist: expected, spread, place, list, sums."""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from flows.model import build_models
from flows.second import therapist as second
from tests.modelling.worlds import Chain, worlds
from tests.oracle.small_world import AS_OF, THROUGH, make_world
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

SERVICES = ((60, 40, 0.1, "rate"), (35, 25, 0.2, "mean"), (14, 30, 0.1, "rate"))
STEPS = 60


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    """Three services of different size; the smallest has no funnel and the literature's prior."""
    chain = Chain()
    totals: list[dict[str, Any]] = []
    for number, (j, n, tau, kind) in enumerate(SERVICES):
        for row in worlds(number, 1, j, n, tau, kind).totals:
            totals.append({**row, "instrument_id": f"s{number}"})
    chain.build(totals, review_q=0.9, icc_min_courses=500, icc_min_therapists=30)
    yield chain
    chain.con.close()


def groups(chain: Chain) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in chain.rows("select * from measure.total where level = 'therapist' order by unit_id"):
        plain = {
            name: float(value) if name in SUMS and value is not None else value
            for name, value in row.items()
        }
        found[row["instrument_id"]].append(plain)
    return found


SUMS = ("n", "sum_x", "sum_xx", "expected", "expected_variance", "sum_rr")


def told(chain: Chain, table: str, *keys: str) -> dict[Any, dict[str, Any]]:
    return {
        tuple(row[key] for key in keys): row for row in chain.rows(f"select * from measure.{table}")
    }


def test_spread_and_shrunken_figures(chain: Chain) -> None:
    spreads = told(chain, "spread", "instrument_id")
    drawn = told(chain, "shrunken", "instrument_id", "unit_id")
    for instrument, therapists in groups(chain).items():
        within, between = second.moments(
            [(int(t["n"]), t["sum_x"] - t["expected"], t["sum_rr"]) for t in therapists]
        )
        row = spreads[(instrument,)]
        assert float(row["variance_within"]) == pytest.approx(within, abs=1e-8)
        is_small = len(therapists) < 30
        if not is_small:
            assert float(row["variance_between"]) == pytest.approx(between, abs=1e-8)
        deviations, errors = positions(therapists, within)
        expected = second.drawn_in(deviations, errors, within, 0.05 if is_small else None, STEPS)
        for t, (mean, sd) in zip(therapists, expected, strict=True):
            found = drawn[instrument, t["unit_id"]]
            assert float(found["difference"]) == pytest.approx(mean, abs=1e-7)
            assert float(found["difference_sd"]) == pytest.approx(sd, abs=1e-7)


def positions(therapists: list[dict[str, Any]], within: float) -> tuple[list[float], list[float]]:
    deviations = [(t["sum_x"] - t["expected"]) / t["n"] for t in therapists]
    variances = [
        t["n"] * within if t["kind"] == "mean" else t["expected_variance"] for t in therapists
    ]
    return deviations, [v**0.5 / t["n"] for v, t in zip(variances, therapists, strict=True)]


def test_places_in_the_funnel_and_review_list(chain: Chain) -> None:
    funnels = told(chain, "funnel", "instrument_id", "unit_id", "method")
    spreads = told(chain, "overdispersion", "instrument_id", "method")
    lists = told(chain, "review", "instrument_id", "unit_id")
    listed = 0
    for instrument, everybody in groups(chain).items():
        if len(everybody) < 30:
            assert not any(key[0] == instrument for key in funnels)
            continue
        within = float(told(chain, "spread", "instrument_id")[(instrument,)]["variance_within"])
        therapists = [t for t in everybody if t["n"] >= 15]
        deviations, errors = positions(therapists, within)
        for method in ("corrected", "published"):
            by_chance = 0.678655 + 0.47 / len(therapists) if method == "corrected" else 1.0
            phi, tau_squared = second.spread_beyond_chance(deviations, errors, 0.1, by_chance)
            row = spreads[instrument, method]
            assert float(row["phi"]) == pytest.approx(phi, abs=1e-6)
            assert float(row["tau_squared"]) == pytest.approx(tau_squared, abs=1e-7)
            z = [y / (s * s + tau_squared) ** 0.5 for y, s in zip(deviations, errors, strict=True)]
            p = [second.two_sided(value) for value in z]
            for t, value, chance in zip(therapists, z, p, strict=True):
                place = funnels[instrument, t["unit_id"], method]
                assert float(place["z_adjusted"]) == pytest.approx(value, abs=1e-5)
                assert float(place["p"]) == pytest.approx(chance, abs=3e-6)
            if method == "corrected":
                for t, is_listed in zip(therapists, second.listed(p, 0.9), strict=True):
                    assert lists[instrument, t["unit_id"]]["is_listed"] == is_listed
                    listed += is_listed
    assert listed > 0


@pytest.fixture(scope="module")
def service() -> Iterator[duckdb.DuckDBPyConnection]:
    """A random service of courses, with what was known at intake, some of it missing."""
    world, chance = make_world(5, 600), random.Random(5)
    con = warehouse(AS_OF)
    con.execute("delete from ref.clinic")
    insert(con, "ref.clinic", [{"clinic_id": c, "clinic_name": c} for c in THROUGH])
    for episode in world.episodes:
        episode |= {
            "age_band": chance.choice(["18_25", "26_35", "26_35", "over_65", None]),
            "diagnosis_group": chance.choice(["anxiety", "depressive", "eating", None]),
            "language": chance.choice(["de", "de", "de", "tr"]),
            "previous_treatment": chance.choice(["yes", "no", None]),
        }
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    insert(con, "valid.clinic", [{"clinic_id": c, "data_through": d} for c, d in THROUGH.items()])
    con.execute("update ref.setting set value = 3 where name = 'case_mix_events_per_term'")
    build_stages(con, ["finding", "score"])
    build_models(con, AS_OF)
    yield con
    con.close()


def test_expected_of_every_course(service: duckdb.DuckDBPyConnection) -> None:
    coefficients: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in rows(service, "select * from model.coefficient"):
        coefficients[row["model_id"]][row["term"]] = (row["estimate"], row["centre"] or 0.0)
    levels: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows(service, "select * from model.case_mix_level"):
        levels[row["model_id"], row["episode_id"]][row["factor"]] = row["level"]
    found = rows(
        service,
        """
        select expected.*, outcome.severity, outcome.kind from model.expected as expected
        join model.case_mix_outcome as outcome using (model_id, episode_id)""",
    )
    models = {row["model_id"] for row in found}
    assert {"early_ending", "reliable_improvement"} <= models
    for row in found:
        severity = None if row["severity"] is None else float(row["severity"])
        expected = second.expected_of(
            levels[row["model_id"], row["episode_id"]], severity, coefficients[row["model_id"]],
            is_event=row["kind"] == "rate",
        )  # fmt: skip
        assert abs(float(row["expected"]) - expected) < 1e-12
    # a model of maximum likelihood expects as many events as there were where it was fitted
    fitted = rows(
        service,
        """
        select sum(expected.y - expected.expected)::double as rest from model.expected as expected
        join model.case_mix_outcome as outcome using (model_id, episode_id)
        where outcome.is_fitted group by expected.model_id""",
    )
    assert all(abs(row["rest"]) < 1e-5 for row in fitted)
    assert any("=pooled" in t or "=not recorded" in t for m in coefficients.values() for t in m)


def test_models_that_are_not_used_say_why(service: duckdb.DuckDBPyConnection) -> None:
    fits = rows(service, "select model_id, is_used, why_not from model.fit")
    assert all(row["is_used"] == (row["why_not"] is None) for row in fits)
    wanted = rows(service, "select distinct model_id from model.case_mix_outcome")
    assert {row["model_id"] for row in wanted} <= {row["model_id"] for row in fits}


def test_sums_over_time(service: duckdb.DuckDBPyConnection) -> None:
    limits = {
        (row["model_id"], row["odds_ratio"]): row["h"]
        for row in rows(service, "select * from model.cusum_limit")
    }
    service.execute("update model.cusum_limit set h = h / 2")
    from flows.sql_files import read_sql_files

    (text,) = [file.text for file in read_sql_files() if file.name == "model.cusum"]
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows(service, f"select * from ({text}) order by step_no"):
        found[row["model_id"], row["therapist_id"]].append(row)
    assert found
    alarms = 0
    for (model_id, _), courses in found.items():
        outcomes = [(row["y"], float(row["expected"])) for row in courses]
        assert [row["counted_on"] for row in courses] == sorted(r["counted_on"] for r in courses)
        left = 0.0
        for ratio, value, alarm in (
            (2.0, "more", "is_more_alarm"),
            (0.5, "fewer", "is_fewer_alarm"),
        ):
            sums = second.cumulative_sum(outcomes, ratio, limits[model_id, ratio] / 2)
            for row, (level, is_alarm) in zip(courses, sums, strict=True):
                assert float(row[value]) == pytest.approx(level, abs=1e-8)
                assert row[alarm] == is_alarm
                alarms += is_alarm
        for row, (y, p) in zip(courses, outcomes, strict=True):
            left += p - y
            assert float(row["fewer_than_expected"]) == pytest.approx(left, abs=1e-9)
    assert alarms > 0


def test_the_totals_of_the_measures_are_those_of_the_courses(
    service: duckdb.DuckDBPyConnection,
) -> None:
    """What a measure counts is what was expected: no course in one and not in the other."""
    build_stages(service, ["measure"])
    query = """
        select measure, n, expected from measure.total
        where level = 'service' and period_id = 'year' and n > 0 and measure in
            (select measure from model.expected)"""
    found = rows(service, query)
    assert len(found) >= 3
    assert all(row["expected"] is not None for row in found)
