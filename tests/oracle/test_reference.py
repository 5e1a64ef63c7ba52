"""Periods, thresholds and names that the reference tables hold."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.reference import ReferenceFaults, Service, reference_faults
from flows.reference_period import periods
from flows.targets import Target
from tests.sql.warehouse_fixture import rows, shipped, warehouse


@settings(max_examples=200, deadline=None)
@given(st.dates(date(2001, 1, 1), date(2100, 12, 31)), st.integers(1, 12))
def test_periods_are_whole_and_follow_each_other(as_of: date, first_month: int) -> None:
    """Quarters, their months and financial years, whatever month a financial year begins with."""
    listed: dict[str, list[tuple[date, date, str, str | None, bool]]] = defaultdict(list)
    for key, kind, start, end, _, _, block, is_partial, _ in periods(as_of, first_month):
        listed[kind].append((start, end, key, block, is_partial))
    [(start, end, *_)] = listed["year"]
    assert end == as_of and (end - start).days in (364, 365)
    quarters, months = listed["quarter"], listed["month"]
    assert len(quarters) == 8 and 24 <= len(months) <= 26
    assert quarters[0][1] <= as_of < quarters[0][1] + timedelta(days=92)
    assert months[-1][1] <= as_of < months[-1][1] + timedelta(days=31)
    assert months[0][0] == quarters[-1][0]
    for later, earlier in zip(quarters, quarters[1:], strict=False):
        assert earlier[1] + timedelta(days=1) == later[0]
        assert later[0].day == 1 and (later[0].month - first_month) % 3 == 0
    for start, end, key, *_ in quarters:
        inside = [month for month in months if month[3] == key]
        assert len(inside) == 3 and (inside[0][0], inside[2][1]) == (start, end)
    for start, end, key, _, is_partial in listed["financial_year"]:
        inside = [quarter for quarter in quarters if quarter[3] == key]
        assert start.month == first_month and start.day == 1
        assert (inside[-1][0], inside[0][1]) == (start, end)
        assert (len(inside) < 4) is is_partial
    assert [row[4] for row in listed["financial_year"]][-1] is False


def test_a_financial_year_is_named_as_people_name_it() -> None:
    named = {row[0]: row[4] for row in periods(date(2026, 11, 17), 4)}
    assert named["FY2025"] == "financial year 2025/26"
    assert named["FY2026"] == "financial year 2026/27 so far, to 30 September 2026"
    named = {row[0]: row[4] for row in periods(date(2026, 11, 17))}
    assert named["FY2025"] == "financial year 2025" and named["2026-10"] == "October 2026"
    assert "FY2024" not in named


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


def test_targets_that_cannot_be_held_are_all_listed() -> None:
    told = {"direction": "at least", "source": "contract"}
    good = Target.model_validate(told | {"measure": "paired_outcome", "value": Decimal("0.9")})
    targets = [
        good,
        Target.model_validate(told | {"measure": "recovery_rate", "value": 1}),
        Target.model_validate(told | {"measure": "paired_outcome", "value": 90, "clinic": "z"}),
        Target.model_validate(told | {"measure": "start_score", "value": 9, "instrument": "BDI"}),
        good,
    ]
    faults = reference_faults(Service("S", {"a": "Alder"}, targets=targets), shipped())
    assert [fault.partition(":")[0] for fault in faults] == [
        "target[1].measure", "target[2].value", "target[2].clinic", "target[2].level",
        "target[3].instrument", "target[4]",
    ]  # fmt: skip
