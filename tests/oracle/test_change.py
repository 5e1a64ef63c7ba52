"""Indices of change: published figures by hand, and the SQL against the second computation."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from flows.reference import Service
from flows.second.change import (
    METHODS,
    Group,
    Norm,
    Range,
    class_of,
    cutoff_a,
    cutoff_b,
    cutoff_c,
    group_of,
    index_of,
)
from flows.second.rules import Threshold
from tests.oracle.small_world import AS_OF, THROUGH, USED, make_world
from tests.sql.warehouse_fixture import build_stages, insert, rows, shipped, warehouse

CRITICAL = {**dict.fromkeys(METHODS, 1.96), "HA": 1.645}


def test_the_example_of_jacobson_and_truax() -> None:
    """1991, J Consult Clin Psychol 59:12-19: cut-offs 55, 45 and 50, and an index of 3.16."""
    norm = Norm(40, 7.5, 0.80, 60, 7.5)
    assert cutoff_a(norm, 1) == 55
    assert cutoff_b(norm, 1) == 45
    assert cutoff_c(norm) == 50
    found = index_of("JT", 32.5, 47.5, norm, None)
    assert found is not None and round(found, 2) == 3.16


def test_on_a_cut_off_or_a_critical_value_is_not_beyond_it() -> None:
    computed = Range(-1, None, 20)
    assert class_of("improved", 30, 20, computed) == "improved"
    assert class_of("improved", 30, 19.9, computed) == "recovered"
    assert class_of("improved", 20, 10, computed) == "improved"
    assert class_of("deteriorated", 19, 20, computed) == "deteriorated"
    assert class_of("deteriorated", 19, 21, computed) == "deteriorated_into_clinical_range"
    published = Range(-1, Threshold(">=", Decimal(20)), None)
    assert class_of("improved", 20, 19, published) == "recovered"
    assert class_of("improved", 30, 20, published) == "improved"
    assert class_of("improved", 30, 10, Range(-1, None, None)) is None


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A random service, large enough to be a group of its own."""
    world = make_world(5, 400)
    protocol = [
        {"clinic": clinic, "instrument": name, "every": 1}
        for clinic, used in USED.items()
        for name in used
    ]
    service = Service("S", {"a": "A", "b": "B"}, protocol=protocol, thresholds={"gap_days": 20})
    con = warehouse(AS_OF, service)
    for table in ("episodes", "sessions", "forms"):
        insert(con, f"valid.{table.removesuffix('s')}", getattr(world, table))
    through = [{"clinic_id": c, "data_through": day} for c, day in THROUGH.items()]
    insert(con, "valid.clinic", through)
    build_stages(con)
    yield con
    con.close()


def norms() -> dict[str, Norm]:
    found = {}
    for instrument in shipped().values():
        for one in instrument.change_norms:
            if one.scale == instrument.primary:
                other = one.functional
                found[instrument.id] = Norm(
                    float(one.clinical.mean), float(one.clinical.sd), float(one.reliability.value),
                    float(other.mean) if other else None, float(other.sd) if other else None,
                )  # fmt: skip
    return found


def groups(con: duckdb.DuckDBPyConnection) -> dict[str, Group]:
    pairs = defaultdict(list)
    query = """
        select instrument_id, baseline_value, last_value from score.reliable_change
        join score.end_state using (episode_id)
        where is_ended and is_resolved and baseline_value is not null and last_value is not null"""
    for row in rows(con, query):
        pairs[row["instrument_id"]].append((float(row["baseline_value"]), float(row["last_value"])))
    return {name: group_of(found) for name, found in pairs.items() if len(found) >= 30}


def test_every_index_and_class(con: duckdb.DuckDBPyConnection) -> None:
    own, norm, seen = groups(con), norms(), Counter()
    query = """
        select method.*, baseline_value, last_value, reliable.category as published
        from score.change_method as method
        join score.reliable_change as reliable using (episode_id, instrument_id)"""
    for row in rows(con, query):
        name, method = row["instrument_id"], row["method"]
        instrument, used = shipped()[name], norm.get(row["instrument_id"])
        pre, post = float(row["baseline_value"]), float(row["last_value"])
        if method == "published":
            change = None if row["published"] == "unpaired" else row["published"]
        else:
            index = index_of(method, pre, post, used, own.get(name))
            index = None if index is None else instrument.direction * index
            assert (index is None) == (row["change_index"] is None), row
            change = None
            if index is not None:
                assert abs(index - float(row["change_index"])) < 1e-5, row
                beyond = abs(index) > CRITICAL[method]
                word = "improved" if index > 0 else "deteriorated"
                change = word if beyond else "no_reliable_change"
        assert row["change"] == change, row
        cutoffs = [c for c in instrument.cutoffs if c.is_default and c.scale == instrument.primary]
        published = Threshold(cutoffs[0].op, cutoffs[0].value) if cutoffs else None
        computed = None
        if used is not None:
            c = cutoff_c(used)
            computed = c if c is not None else cutoff_a(used, instrument.direction)
        clinical = Range(instrument.direction, published, computed)
        assert row["category"] == class_of(change, pre, post, clinical), row
        assert (row["category"] is None) == (row["why_not"] is not None), row
        seen[method, row["category"]] += 1
    assert {method for method, _ in seen} == {*METHODS, "published"}
    assert {category for _, category in seen} == {
        "recovered", "improved", "no_reliable_change", "deteriorated",
        "deteriorated_into_clinical_range", None,
    }  # fmt: skip


def test_counts_add_up_to_those_used(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "select * from measure.change_count")
    assert {row["method"] for row in found} == {*METHODS, "published"}
    for row in found:
        kinds = ("recovered", "improved", "no_reliable_change", "deteriorated", "into_clinical")
        assert sum(row[f"n_{kind}"] for kind in kinds) == row["n_used"] <= row["n_eligible"]
    assert any(0 < row["n_used"] < row["n_eligible"] for row in found)


def test_alternative_indices_are_on_no_page(con: duckdb.DuckDBPyConnection) -> None:
    from flows.sql_files import read_sql_files

    reading = [
        file.name
        for file in read_sql_files()
        if file.stage == "report" and any("change_" in name for name in file.inputs)
    ]
    assert reading == []
