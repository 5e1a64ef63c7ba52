"""The chance of a last session on simulated services: the generating effects, chances as shown, honest tests."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from flows.model import build_models
from flows.modelling.hazard import (
    QUERY,
    calibrated,
    fit_family,
    fit_hazards,
    in_the_large,
)
from flows.modelling.multinomial import multinomial
from flows.modelling.yardstick import boosted
from flows.second.hazard import area_under_curve, chances, leaves_within
from flows.sql_files import build, read_sql_files
from flows.synthetic.parameters import load
from flows.synthetic.world import World, simulate
from tests.modelling.service import NIGHT, alliance_without_effect, part_of, service, truth
from tests.sql.warehouse_fixture import build_stages, rows

SEEDS = (51, 52)
FILES = {file.name: file for file in read_sql_files()}


@pytest.fixture(scope="module")
def whole() -> Iterator[duckdb.DuckDBPyConnection]:
    """One clinic with some fifteen hundred courses, of a model that is expected to tell much."""
    con = service(part_of(simulate(31, NIGHT), "alder", 5000))
    con.execute("update ref.setting set value = 0.8 where name = 'hazard_expected_c'")
    build_stages(con, ["score"])
    build_models(con, NIGHT, [fit_hazards])
    yield con
    con.close()


def coefficients(con: duckdb.DuckDBPyConnection, family: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows(
        con, f"select * from model.coefficient where starts_with(model_id, '{family}/')"
    ):
        outcome = row["model_id"].partition("/")[2]
        found.setdefault(outcome, {})[row["term"]] = (row["estimate"], row["centre"])
    return found


def test_sql_gives_the_chances_of_the_second_computation(whole: duckdb.DuckDBPyConnection) -> None:
    models = coefficients(whole, "last_session")
    scored = rows(
        whole,
        "select * from model.risk join model.person_session using (session_id)"
        " where family = 'last_session'",
    )
    assert len(scored) > 8_000
    for row in random.Random(1).sample(scored, 500):
        ends = chances(models, row, row["session_no"])
        for outcome, chance in ends.items():
            assert abs(row[outcome] - chance) < 1e-12
        within = leaves_within(models, row, row["session_no"])
        assert abs(row["dropout_within_five"] - within) < 1e-12
        assert ends["dropout"] <= within < 1


def test_contributions_are_the_distance_from_the_average_session(
    whole: duckdb.DuckDBPyConnection,
) -> None:
    models = coefficients(whole, "last_session")
    found = rows(
        whole,
        """select term.session_id, sum(term.contribution)::double as total, min(risk.dropout) as dropout,
            min(1 - risk.dropout - risk.planned - risk.other) as goes_on
        from model.risk_term as term join model.risk as risk using (session_id)
        where risk.family = 'last_session' group by all order by all limit 200""",
    )
    assert len(found) == 200
    for row in found:
        logit = models["dropout"]["intercept"][0] + row["total"]
        assert np.log(row["dropout"] / row["goes_on"]) == pytest.approx(logit, abs=1e-10)


def listed(con: duckdb.DuckDBPyConnection, gate_dropouts: int) -> list[dict[str, Any]]:
    """The worklists of a lawful service whose model needs so many dropouts to pass its test."""
    con.execute(
        "update ref.night set risk_owner = 'a', risk_basis = 'b', risk_assessment = 'c',"
        " risk_assessed_on = '2026-01-31'"
    )
    con.execute("update ref.setting set value = ? where name = 'gate_dropouts'", [gate_dropouts])
    # on so few dropouts the interval of the slope is wider than the limits
    con.execute(
        "update ref.setting set value = 2 where name in ('gate_slope_most', 'gate_intercept_most')"
    )
    con.execute("update ref.setting set value = 0.5 where name = 'gate_slope_least'")
    build(con, "measure", only={"measure.unit", "measure.risk_gate"})
    tables = ("worklist_order", "therapist", "open_course", "chance_reason", "worklist")
    build(con, "report", only={f"report.{table}" for table in tables})
    return rows(con, "select * from report.worklist join report.worklist_order using (clinic_id)"
                     " order by therapist_id, section, place")  # fmt: skip


def test_worklists_show_what_the_model_says_while_it_passes_its_test(
    whole: duckdb.DuckDBPyConnection,
) -> None:
    models = coefficients(whole, "last_session")
    found = listed(whole, 50)
    to_do = [row for row in found if row["section"] == "to_do"]
    assert len(found) > 150 and len(to_do) > 30
    sure = {
        factor
        for row in rows(whole, "from model.coefficient where model_id = 'last_session/dropout'")
        if abs(row["estimate"]) > 1.959964 * row["standard_error"]
        for factor in [row["term"].partition("=")[0]]
    }
    for row in found:
        known = dict(zip(row["input_names"], row["inputs"], strict=True))
        ends = chances(models, known, int(known["session_no"]))
        assert abs(row["chance"] - ends["dropout"]) < 1e-12
        told = dict(zip(row["factors"], row["contributions"], strict=True))
        raises = [factor for factor, added in told.items() if added > 0 and factor in sure]
        lowers = [factor for factor, added in told.items() if added < 0 and factor in sure]
        assert (len(row["raises"]), len(row["lowers"])) == (
            min(3, len(raises)),
            min(3, len(lowers)),
        )
    for one, other in zip(to_do, to_do[1:], strict=False):
        if one["therapist_id"] == other["therapist_id"]:
            ahead = [{"missed_last", "none_booked"} <= set(row["facts"]) for row in (one, other)]
            assert (ahead[0], one["chance"]) >= (ahead[1], other["chance"])

    shut = listed(whole, 1_000_000)
    assert {row["episode_id"] for row in shut} == {row["episode_id"] for row in found}
    assert {(row["ordered_by"], row["chance"], row["raises"]) for row in shut} == {
        ("facts", None, None)
    }
    assert shut[0]["why_text"].startswith("Chances of leaving are not shown: tested on ")


def test_a_way_of_ending_that_nobody_took_has_no_chance(whole: duckdb.DuckDBPyConnection) -> None:
    """A service that closes every course as completed or left has a model all the same."""
    settings = {"expected_c": 0.8, "shrinkage": 0.9}
    known = whole.execute(QUERY).pl().filter(pl.col("outcome") != "other")
    fits, chance = fit_family("last_session", known, settings, known)
    assert [fit.outcome for fit in fits] == ["dropout", "planned"]
    assert chance is not None
    # a model of maximum likelihood expects as many as there were, but for the penalty
    assert chance.sum() == pytest.approx((known["outcome"] == "dropout").sum(), rel=1e-3)
    whole.execute("begin")
    try:
        whole.execute("delete from model.fit where model_id = 'last_session/other'")
        whole.execute("delete from model.coefficient where model_id = 'last_session/other'")
        models = coefficients(whole, "last_session")
        found = rows(whole, f"select * from ({FILES['model.risk'].text}) join model.person_session"
                            " using (session_id) where family = 'last_session' limit 50")  # fmt: skip
        assert len(found) == 50
        for row in found:
            ends = chances(models, row, row["session_no"])
            assert (row["other"], ends.keys()) == (0, {"dropout", "planned"})
            assert abs(row["dropout"] - ends["dropout"]) < 1e-12
            within = leaves_within(models, row, row["session_no"])
            assert abs(row["dropout_within_five"] - within) < 1e-12
    finally:
        whole.execute("rollback")


def test_held_out_model_knew_nothing_of_the_time_it_is_tested_on(
    whole: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(whole, "select is_held_out, is_before, min(session_on) as first, max(due_on) as last"
                        " from model.hazard_row group by all order by all")  # fmt: skip
    assert not any(row["is_held_out"] and row["is_before"] for row in found)
    before = next(row for row in found if row["is_before"])
    tested = next(row for row in found if row["is_held_out"])
    assert before["last"] < tested["first"] == date(2026, 5, 4)
    fits = rows(whole, "select * from model.fit where starts_with(model_id, 'held_out')")
    assert {row["n"] for row in fits} == {
        n
        for (n,) in whole.execute(
            "select count(*) from model.hazard_row where is_before"
        ).fetchall()
    }


def test_model_in_use_tells_nearly_what_can_be_told(whole: duckdb.DuckDBPyConnection) -> None:
    scored = rows(
        whole,
        "select family, dropout, outcome = 'dropout' as happened from model.risk"
        " join model.hazard_row using (session_id) where is_held_out order by session_id",
    )
    area = {
        family: area_under_curve(
            [row["dropout"] for row in scored if row["family"] == family],
            [row["happened"] for row in scored if row["family"] == family],
        )
        for family in ("held_out", "last_session")
    }
    build(whole, "measure", only={"measure.risk_test"})
    (told,) = rows(whole, "select auc from measure.risk_test where part = 'all'")
    assert float(told["auc"]) == pytest.approx(area["held_out"], abs=1e-8)
    # The model in use has seen these sessions: it is the most that these terms could tell.
    assert 0.62 < area["held_out"] <= area["last_session"] + 1e-9
    assert area["last_session"] - area["held_out"] < 0.03
    (slope,) = rows(whole, "select * from model.coefficient where term = 'slope'")
    assert abs(slope["estimate"] - 1) < 3 * slope["standard_error"] < 0.6


def test_flexible_model_is_tested_on_the_same_sessions(whole: duckdb.DuckDBPyConnection) -> None:
    (fit,) = rows(whole, "select * from model.fit where starts_with(model_id, 'yardstick')")
    (tested,) = rows(whole, "select count(*) as n, count(*) filter (where outcome = 'dropout') as n_events"
                            " from model.hazard_row where is_held_out")  # fmt: skip
    assert (fit["n"], fit["n_events"]) == (tested["n"], tested["n_events"])
    terms = {row["term"]: row["estimate"] for row in rows(
        whole, "select * from model.coefficient where starts_with(model_id, 'yardstick')")}  # fmt: skip
    assert 0.55 < terms["auc"] < 0.8 and 0 < terms["brier"] < 0.05


def test_a_bend_is_found_by_the_flexible_model_alone() -> None:
    chance = np.random.default_rng(4)
    x = chance.normal(size=(8_000, 1))
    happened = (chance.random(8_000) < np.where(np.abs(x[:, 0]) > 1, 0.3, 0.02)).astype(float)
    # nothing is known of a form that no clinic uses
    known = np.column_stack([x, np.full(8_000, np.nan)])
    area, _ = boosted(known[:4_000], happened[:4_000], known[4_000:], happened[4_000:])
    assert area > 0.75
    assert area_under_curve(x[4_000:, 0].tolist(), (happened[4_000:] == 1).tolist()) < 0.55


def generating(world: World) -> tuple[np.ndarray, np.ndarray]:
    """True terms and ends of all sessions of a world that has run its course."""
    p = load()
    missed = (
        world.sessions.filter(pl.col("status") != "booked")
        .with_columns(pl.concat_str("clinic_id", pl.lit("/"), "episode_id").alias("episode_id"))
        .sort("episode_id", "appointment_no")
        .with_columns(before=pl.col("status").shift(1).over("episode_id"))
        .filter(status="attended")
        .select("episode_id", "session_no", missed=(pl.col("before") == "no_show").fill_null(False))
    )
    ends = world.truth["episode"].select(
        pl.concat_str("clinic_id", pl.lit("/"), "episode_id").alias("episode_id"),
        "last_session", "end_reason",
    )  # fmt: skip
    frame = truth(world).join(missed, on=["episode_id", "session_no"]).join(ends, on="episode_id")
    depth, within = frame["rupture_depth"].to_numpy(), frame["within"].to_numpy()
    number = frame["session_no"].to_numpy()
    level = frame["alliance"].to_numpy() - p.alliance.mean - within + depth
    level = level - p.alliance.per_log_session * np.log(number)
    columns = [
        level / np.hypot(p.alliance.therapist_sd, p.alliance.patient_sd),
        within / p.alliance.ar_sd,
        depth > 0,
        (frame["symptoms"].to_numpy() - p.dropout.severity_centre) / 3,
        frame["missed"].to_numpy(),
        *(number == session for session in (2, 3, 4)),
        number > 4,
        number > 8,
    ]
    kinds = {"dropout": 1, "completed": 2}
    is_last = number == frame["last_session"].to_numpy()
    code = np.array([kinds.get(reason, 3) for reason in frame["end_reason"]])
    return np.column_stack(columns).astype(float), np.where(is_last, code, 0)


def recovered(seeds: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of dropout on the true terms, by seed; and what generated them."""
    p = load().dropout
    found = []
    for seed in seeds:
        columns, ends = generating(simulate(seed, NIGHT))
        found.append(multinomial(columns, ends, 3, 5.0).estimates[1:6, 0])
    effects = [
        p.per_alliance_sd,
        p.per_within_sd,
        p.open_rupture,
        p.per_three_points,
        p.after_no_show,
    ]
    return np.array(found), np.array(effects)


# Three standard errors over the seeds, from those of single ones among eight (`make bench`).
ALLOWED = 3 * np.array([0.035, 0.04, 0.12, 0.013, 0.10]) / len(SEEDS) ** 0.5


def test_fit_finds_the_effects_that_generated_the_endings() -> None:
    found, effects = recovered(SEEDS)
    assert (np.abs(found.mean(axis=0) - effects) < ALLOWED).all(), found.mean(axis=0)


def test_fit_finds_no_effect_of_the_alliance_where_there_is_none() -> None:
    _, effects = recovered(())
    with alliance_without_effect():
        found, _ = recovered(SEEDS)
    effects[:3] = 0
    assert (np.abs(found.mean(axis=0) - effects) < ALLOWED).all(), found.mean(axis=0)


def test_calibration_finds_a_model_that_says_too_much() -> None:
    chance = np.random.default_rng(3)
    logit = chance.normal(-2.0, 1.0, 40_000)
    happened = chance.random(40_000) < 1 / (1 + np.exp(-(0.3 + 0.5 * logit)))
    after = pl.DataFrame(
        {"outcome": np.where(happened, "dropout", "goes_on"), "session_on": [NIGHT] * 40_000}
    )
    fit = calibrated("calibration/dropout", after, 1 / (1 + np.exp(-logit)))
    slope = next(term for term in fit.terms if term.name == "slope")
    assert slope.estimate == pytest.approx(0.5, abs=3 * (slope.standard_error or 0))
    shift, error = in_the_large(np.full(1000, -2.0), np.repeat([1.0, 0.0], [200, 800]))
    assert shift == pytest.approx(np.log(0.25) + 2) and error == pytest.approx(
        (1000 * 0.16) ** -0.5
    )
