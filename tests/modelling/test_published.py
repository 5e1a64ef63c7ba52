"""Published worked examples, put through the SQL that makes our own figures."""

from collections.abc import Iterator
from math import log

import duckdb
import numpy as np
import pytest
from scipy.stats import chi2

from flows.modelling.cusum import cusum_limits, highest
from flows.second.therapist import byar
from tests.modelling.worlds import Chain
from tests.sql.warehouse_fixture import insert, rows


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    chain = Chain()
    yield chain.con
    chain.con.close()


def put(con: duckdb.DuckDBPyConnection, table: str, given: list[dict]) -> None:
    con.execute(f"delete from {table}")
    insert(con, table, given)


def found(con: duckdb.DuckDBPyConnection, table: str) -> list[dict]:
    from flows.sql_files import read_sql_files

    (text,) = [file.text for file in read_sql_files() if file.name == table]
    return rows(con, f"select * from ({text})")


def test_eight_schools(con: duckdb.DuckDBPyConnection) -> None:
    """Rubin 1981; medians and quartiles in Gelman et al. 2013, Bayesian Data Analysis, table 5.3.

    Theirs are quantiles of 200 draws, ours a mean and a standard deviation: near, not equal. All sizes
    of the spread count alike beforehand, as there; the effects are those that many courses print.
    """
    published = {"A": (7, 10, 16), "B": (3, 8, 12), "C": (2, 7, 11), "D": (4, 8, 11),
                 "E": (1, 5, 10), "F": (2, 6, 10), "G": (7, 10, 15), "H": (3, 8, 13)}  # fmt: skip
    for school, (mean, sd) in schools_drawn_in(con).items():
        lower, median, upper = published[school]
        assert mean == pytest.approx(median, abs=1.5)
        assert 1.349 * sd == pytest.approx(upper - lower, abs=2.5)


def test_eight_schools_by_many_draws(con: duckdb.DuckDBPyConnection) -> None:
    """Means and standard deviations that Stan prints for its own example (`8schools`) after 20,000 draws;
    the error of its means is .04 to .07.
    """
    printed = {"A": (11.42, 8.41), "B": (7.96, 6.18), "C": (6.16, 7.72), "D": (7.71, 6.60),
               "E": (5.15, 6.43), "F": (6.22, 6.65), "G": (10.72, 6.85), "H": (8.48, 7.82)}  # fmt: skip
    for school, drawn in schools_drawn_in(con).items():
        assert drawn == pytest.approx(printed[school], abs=0.1)


def schools_drawn_in(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, float]]:
    effects = {"A": (28, 15), "B": (8, 10), "C": (-3, 16), "D": (7, 11), "E": (-1, 9),
               "F": (1, 11), "G": (18, 10), "H": (12, 18)}  # fmt: skip
    each = {"period_id": "window", "measure": "m"}
    # spreads of up to 100 points are weighed, far beyond any that the data speak for
    spread = {**each, "variance_within": 10_000, "between_from": "own data", "n_therapists": 8}
    put(con, "measure.spread", [spread])
    put(con, "measure.deviation", [
        {**each, "unit_id": school, "n": 1, "deviation": y, "standard_error": s}
        for school, (y, s) in effects.items()
    ])  # fmt: skip
    con.execute("begin")
    con.execute("update ref.setting set value = 0 where name = 'shrink_spread_power'")  # as there
    drawn = found(con, "measure.shrunken")
    con.execute("rollback")
    assert len(drawn) == len(effects)
    return {
        row["unit_id"]: (float(row["difference"]), float(row["difference_sd"])) for row in drawn
    }


def test_der_simonian_and_laird_on_the_bcg_trials(con: duckdb.DuckDBPyConnection) -> None:
    """Trials of Colditz et al. 1994 as metafor's example data have them (dat.bcg); Q = 152.2330 and, by
    DerSimonian & Laird, tau^2 = .3088 as printed in Viechtbauer's code for Borenstein et al. 2009
    (wviechtb.github.io/meta_analysis_books). Nothing is drawn in or corrected: the formula itself.
    """
    trials = [
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
        (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619),
        (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
        (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
    ]  # fmt: skip
    ratio = [log(a / (a + b)) - log(c / (c + d)) for a, b, c, d in trials]
    variance = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in trials]
    centre = sum(y / v for y, v in zip(ratio, variance, strict=True)) / sum(1 / v for v in variance)
    put(con, "measure.funnel_point", [
        {"unit_id": f"{i:02}", "period_id": "window", "measure": "m",
         "deviation": f"{y - centre:.9f}", "standard_error": f"{v**0.5:.9f}"}
        for i, (y, v) in enumerate(zip(ratio, variance, strict=True))
    ])  # fmt: skip
    con.execute("begin")
    con.execute("update ref.setting set value = 0 where name = 'winsor_share'")
    (plain,) = [r for r in found(con, "measure.overdispersion") if r["method"] == "published"]
    con.execute("rollback")
    assert float(plain["phi"]) * 13 == pytest.approx(152.233, abs=0.001)
    assert float(plain["tau_squared"]) == pytest.approx(0.3088, abs=0.00005)


def test_mean_square_of_a_funnel_that_another_program_states(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Six units of the tests of FunnelPlotR, which states phi = 2.948033 for log ratios with nothing drawn in.

    Its standard error of a log ratio is that of expected events (NHS England's SHMI).
    """
    observed, expected = (100, 150, 180, 80, 120, 225), (108, 112, 165, 95, 100, 220)
    put(con, "measure.funnel_point", [
        {"unit_id": str(i), "period_id": "window", "measure": "m", "deviation": f"{log(o / e):.9f}",
         "standard_error": f"{e**-0.5:.9f}"}
        for i, (o, e) in enumerate(zip(observed, expected, strict=True))
    ])  # fmt: skip
    con.execute("begin")
    con.execute("update ref.setting set value = 0 where name = 'winsor_share'")
    (plain,) = [r for r in found(con, "measure.overdispersion") if r["method"] == "published"]
    con.execute("rollback")
    assert float(plain["phi"]) == pytest.approx(2.948033, abs=0.000001)


def test_byars_interval_is_as_near_the_exact_one_as_published() -> None:
    """Public Health England, Technical guide: Confidence intervals, 2018: from ten events on within 0.2 % at 95 %."""
    for observed in (10, 11, 20, 53, 200):
        exact = (chi2.ppf(0.025, 2 * observed) / 2, chi2.ppf(0.975, 2 * observed + 2) / 2)
        assert byar(observed, 1, 1.959964) == pytest.approx(exact, rel=0.002)
    assert byar(3, 1, 1.959964) != pytest.approx((0.6187, 8.7673), rel=0.002)


def test_byars_interval_as_other_programs_state_it(con: duckdb.DuckDBPyConnection) -> None:
    """A hundred events: 81.36210549052788 at the lower end by PHStatsMethods of the UK Health Security
    Agency (tests/); of 90 expected .9040199067337297 to 1.3514260807978444 by the Ruby gem `byar` with 1.96.
    """
    each = {"period_id": "window", "measure": "m", "kind": "rate", "is_adjusted": True, "n": 500}
    put(con, "measure.shrunken", [])
    put(con, "measure.deviation", [
        {**each, "unit_id": "count", "observed": 100, "expected": 1},
        {**each, "unit_id": "ratio", "observed": 100, "expected": 90},
    ])  # fmt: skip
    told = {row["unit_id"]: row for row in found(con, "measure.ratio")}
    assert float(told["count"]["low"]) == pytest.approx(81.36210549, abs=1e-6)
    con.execute("begin")
    con.execute("update ref.setting set value = 1.96 where name = 'z_95'")
    (ratio,) = [row for row in found(con, "measure.ratio") if row["unit_id"] == "ratio"]
    con.execute("rollback")
    assert float(ratio["low"]) == pytest.approx(0.9040199067, abs=1e-9)
    assert float(ratio["high"]) == pytest.approx(1.3514260808, abs=1e-9)


@pytest.mark.parametrize("j", [30, 60])
def test_what_chance_alone_gives_is_the_simulated_one(
    con: duckdb.DuckDBPyConnection, j: int
) -> None:
    """The correction is the mean square of drawn-in normal values, for as many units."""
    setting = {
        row["name"]: float(row["value"])
        for row in rows(con, "select name, value from ref.setting where name like 'winsor%'")
    }
    z = np.random.default_rng(j).standard_normal((40_000, j))
    low, high = np.quantile(z, [setting["winsor_share"], 1 - setting["winsor_share"]], axis=1)
    simulated = (np.clip(z, low[:, None], high[:, None]) ** 2).mean()
    by_chance = setting["winsor_null"] + setting["winsor_null_per_unit"] / j
    assert by_chance == pytest.approx(simulated, abs=0.004)


def test_the_rule_finds_a_true_45_per_cent_against_25_hardly_ever(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Forty courses: 19 and more of them lie beyond .25 + 3.09 * .0685 if nothing but chance spreads
    therapists, which 45 % reach with .435 (exact binomial); with the usual spread in .02 of windows.
    """
    each = {"period_id": "window", "measure": "m"}
    points = [{**each, "unit_id": "t", "kind": "rate", "n": 40}]
    put(con, "measure.funnel_point", points)
    put(con, "measure.total", [{**each, "level": "service", "n": 100, "sum_x": 25}])
    put(con, "measure.spread", [{**each, "variance_within": 0.1875}])
    told = {}
    for tau_squared in (0, 0.009868):
        spread = {**each, "method": "corrected", "tau_squared": tau_squared}
        put(con, "measure.overdispersion", [spread])
        for row in found(con, "measure.signal_power"):
            told[tau_squared, float(row["true_difference"])] = row
    assert float(told[0, 0.2]["in_one"]) == pytest.approx(0.4349, abs=0.0005)
    assert float(told[0, 0.2]["in_both"]) == pytest.approx(0.4349**2, abs=0.0005)
    assert float(told[0.009868, 0.2]["in_one"]) == pytest.approx(0.0196, abs=0.005)
    assert float(told[0.009868, 0.0]["in_one"]) < 0.0001


def test_weights_of_the_cumulative_sum_are_steiners(con: duckdb.DuckDBPyConnection) -> None:
    """Steiner 2014, p. 234: surgery with Parsonnet scores 0 and 50, risk by logit -3.68 + .077 score."""
    risk = {score: 1 / (1 + np.exp(3.68 - 0.077 * score)) for score in (0, 50)}
    published = {
        (0, 0): (-0.024, 0.012), (0, 1): (0.669, -0.681),
        (50, 0): (-0.433, 0.316), (50, 1): (0.260, -0.377),
    }  # fmt: skip
    courses = [
        {"model_id": "m", "episode_id": f"{score} {y}", "therapist_id": f"{score} {y}",
         "counted_on": "2026-01-01", "y": y, "expected": f"{risk[score]:.12f}"}
        for score, y in published
    ]  # fmt: skip
    put(con, "model.expected", courses)
    put(con, "model.cusum_limit", [
        {"model_id": "m", "odds_ratio": odds, "h": 4.5} for odds in (2, 0.5)
    ])  # fmt: skip
    sums = {row["therapist_id"]: row for row in found(con, "model.cusum")}
    for (score, y), (more, fewer) in published.items():
        row = sums[f"{score} {y}"]
        assert float(row["more"]) == pytest.approx(max(more, 0), abs=0.0006)
        assert float(row["fewer"]) == pytest.approx(max(fewer, 0), abs=0.0006)


def test_the_threshold_lets_chance_pass_in_one_of_twenty_runs() -> None:
    expected = np.array([0.1, 0.2, 0.3, 0.6])
    for ratio, share, h in cusum_limits(expected):
        top = highest(expected, ratio)
        assert share == 0.05
        assert (top > h).mean() == pytest.approx(0.05, abs=0.005)
        # a true change of the kind looked for is found far more often
        assert (highest(expected, ratio, 4000, odds=ratio) > h).mean() > 0.5
