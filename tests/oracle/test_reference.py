"""Periods, thresholds and names that the reference tables hold."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.reference import ReferenceFaults, Service, reference_faults
from flows.reference_period import periods
from tests.sql.warehouse_fixture import rows, shipped, warehouse


@settings(max_examples=200, deadline=None)
@given(st.dates(date(2001, 1, 1), date(2100, 12, 31)))
def test_periods_are_one_year_and_eight_whole_quarters_in_a_row(as_of: date) -> None:
    year, *others = periods(as_of)
    quarters = [row for row in others if row[1] == "quarter"]
    assert year[3] == as_of and (year[3] - year[2]).days in (364, 365)
    assert len(quarters) == 8
    newest = quarters[0][3]
    assert newest <= as_of < newest + timedelta(days=92)
    for _, _, start, end, _, _ in quarters:
        assert start.day == 1 and start.month in (1, 4, 7, 10)
        assert (end + timedelta(days=1)).month % 3 == 1 and 89 <= (end - start).days <= 91
    for later, earlier in zip(quarters, quarters[1:], strict=False):
        assert earlier[3] + timedelta(days=1) == later[2]


def test_names_that_stand_for_nothing_are_all_listed() -> None:
    service = Service(
        "S",
        {"a": "Alder"},
        thresholds={"gap_dayz": 40, "reason_share": 80},
        protocol=[{"clinic": "b", "instrument": "PHQ-8", "every": 1}],
        outcome_preference=["PHQ-9", "BDI"],
    )
    faults = reference_faults(service, shipped())
    assert len(faults) == 5
    assert faults[0].startswith("thresholds.gap_dayz: no such threshold")
    assert faults[1] == "thresholds.reason_share: must lie between 0 and 1"
    assert faults[2].startswith("protocol[0].instrument: no instrument 'PHQ-8'")
    assert faults[3].startswith("outcome_preference[1]: no instrument 'BDI'")
    assert faults[4] == "protocol[0].clinic: no clinic 'b'"
    with pytest.raises(ReferenceFaults):
        warehouse(date(2026, 11, 22), service)


def test_a_service_may_change_thresholds_and_the_source_says_so() -> None:
    service = Service("S", {"a": "Alder"}, thresholds={"gap_days": Decimal(60)})
    con = warehouse(date(2026, 11, 22), service)
    found = rows(con, "select name, value, source from ref.setting where name like 'gap%'")
    assert found[0] == {"name": "gap_days", "value": Decimal(60), "source": "set by the service"}
    assert found[1]["value"] == 3 and found[1]["source"].startswith("Rapport's own rule")


def test_a_disabled_instrument_is_not_expected() -> None:
    service = Service("S", {"a": "Alder"}, disabled_instruments=["WAI-SRT"])
    con = warehouse(date(2026, 11, 22), service)
    found = rows(con, "select instrument_id from ref.instrument where not is_enabled")
    off = {row["instrument_id"] for row in found}
    assert off - {i.id for i in shipped().values() if not i.is_enabled} == {"wai_sr_t"}


def test_preference_puts_named_instruments_first_and_forgets_none() -> None:
    con = warehouse(date(2026, 11, 22), Service("S", {}, outcome_preference=["GAD-7", "ORS"]))
    found = rows(con, "select instrument_id from ref.outcome_preference order by rank")
    named = [row["instrument_id"] for row in found]
    assert named[:2] == ["gad7", "ors"]
    assert named[2:] == sorted(
        i.id for i in shipped().values() if i.kind != "alliance" and i.id not in named[:2]
    )
