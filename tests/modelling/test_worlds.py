"""In services where the truth is known: few false flags, intervals that cover, spreads found again."""

from collections.abc import Iterator
from statistics import fmean, stdev

import numpy as np
import pytest

from flows.modelling.nested import Nested, shares
from tests.modelling.worlds import Chain, Worlds, worlds


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    chain = Chain()
    yield chain
    chain.con.close()


def flagged(chain: Chain, method: str, zones: str) -> float:
    (row,) = chain.rows(
        f"select (count(*) filter (where {zones}))::double / count(*) as share from measure.funnel"
        f" where method = '{method}'"
    )
    return row["share"]


def covered(chain: Chain, world: Worlds) -> float:
    found = chain.rows("select * from measure.shrunken")
    inside = [
        abs(float(row["difference"]) - world.truth[row["instrument_id"], row["unit_id"]])
        <= 1.959964 * float(row["difference_sd"])
        for row in found
    ]
    assert len(inside) == len(world.truth)
    return fmean(inside)


@pytest.mark.parametrize("kind", ["rate", "mean"])
def test_where_therapists_do_not_differ_few_are_flagged(chain: Chain, kind: str) -> None:
    world = worlds(11, 25, 60, 40, 0.0, kind)
    chain.build(world.totals, icc_min_therapists=1000)
    assert flagged(chain, "corrected", "zone <> 'within'") <= 0.05
    assert flagged(chain, "corrected", "zone like '%99.8'") <= 0.005
    assert covered(chain, world) >= 0.95


def test_as_published_the_limits_are_too_narrow_where_therapists_do_differ(chain: Chain) -> None:
    chain.build(worlds(12, 25, 60, 40, 0.11).totals, icc_min_therapists=1000)
    assert flagged(chain, "corrected", "zone like '%99.8'") <= 0.005
    assert flagged(chain, "published", "zone like '%99.8'") > 0.005


@pytest.mark.parametrize(("kind", "tau"), [("rate", 0.05), ("mean", 0.1)])
def test_intervals_cover_where_a_hundredth_of_the_variance_goes_with_therapists(
    chain: Chain, kind: str, tau: float
) -> None:
    world = worlds(17, 50, 60, 40, tau, kind)
    chain.build(world.totals, icc_min_therapists=1000)
    assert 0.93 <= covered(chain, world) <= 0.97


@pytest.mark.parametrize(("kind", "tau"), [("rate", 0.11), ("mean", 0.23)])
def test_the_spread_is_found_again_and_intervals_cover(chain: Chain, kind: str, tau: float) -> None:
    """About one twentieth of the variance between therapists, as the literature finds."""
    world = worlds(13, 25, 60, 40, tau, kind)
    chain.build(world.totals, icc_min_therapists=1000)
    assert 0.93 <= covered(chain, world) <= 0.97
    for query in (
        "select variance_between as found from measure.spread",
        "select tau_squared as found from measure.overdispersion where method = 'corrected'",
    ):
        found = [float(row["found"]) for row in chain.rows(query)]
        assert abs(fmean(found) - tau**2) < 3 * stdev(found) / len(found) ** 0.5 + 0.0004


def test_twenty_therapists_have_intervals_that_cover_and_no_funnel(chain: Chain) -> None:
    world = worlds(14, 50, 20, 30, 0.11)
    chain.build(world.totals, icc_min_therapists=1000)
    assert 0.92 <= covered(chain, world) <= 0.98
    assert chain.rows("select * from measure.funnel") == []


def test_the_share_of_variance_lies_in_its_interval(chain: Chain) -> None:
    tau = 0.25
    world = worlds(15, 12, 60, 40, tau, "mean")
    chain.build(world.totals, icc_min_therapists=50)
    found = chain.rows("select * from measure.icc")
    assert all(row["is_own"] and row["low"] < row["share"] < row["high"] for row in found)
    truth = tau**2 / (tau**2 + 1)
    assert sum(row["low"] <= truth <= row["high"] for row in found) >= 10
    # as the likelihood has it where it is looked for without steps
    for row in found:
        own = [
            total
            for total in world.totals
            if total["level"] == "therapist" and total["instrument_id"] == row["instrument_id"]
        ]
        n = np.array([total["n"] for total in own], dtype=float)
        rest = np.array([total["sum_x"] - total["expected"] for total in own])
        within = sum(total["sum_rr"] for total in own) - float((rest**2 / n).sum())
        told = shares(Nested(n, rest / n, within, [np.zeros(len(n), dtype=np.int64)]))
        assert told is not None
        assert tuple(float(row[end]) for end in ("share", "low", "high")) == pytest.approx(
            told[0], abs=0.0011
        )


def test_a_small_service_cites_the_literature(chain: Chain) -> None:
    chain.build(worlds(16, 1, 49, 40, 0.2, "mean").totals, icc_min_therapists=50)
    (row,) = chain.rows("select share, low, high, is_own from measure.icc")
    assert (float(row["share"]), row["low"], row["high"], row["is_own"]) == (
        0.05,
        None,
        None,
        False,
    )
