"""Facts beside episodes and appointments: kept as stated, not known where they cannot be read."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from schemas.export_format import check_mapping
from schemas.mapping_faults import MappingFaults
from tests.nightly.conftest import NIGHT, drop, make_service, run

MAPPING = """
mapping = 1
[clinic]
id = "north"
timezone = "Europe/Berlin"
[[source]]
name = "episodes"
match = "*.csv"
delivery = "append"
[source.read]
format = "csv"
[source.fields]
patient = { column = "patient" }
episode = { column = "episode" }
[source.missing]
"" = "blank"
[source.episode]
start = { column = "start", formats = ["iso"] }
referral = { column = "referral", formats = ["iso"] }
sex = { column = "sex", map = { "w" = "female", "m" = "male" } }
age_band = { column = "age", map = { '1[89]|2[0-5]' = "18_25", '2[6-9]|3[0-5]' = "26_35" } }
language = { column = "language", matches = '[a-z]{2}' }
interpreter_needed = { column = "interpreter", map = { "1" = "yes", "0" = "no" } }
[source.appointment]
planned_at = { column = "start", formats = ["iso"] }
status = { column = "mode", map = { ".+" = "attended" } }
mode = { column = "mode", map = { "V" = "video", "P" = "in_person" } }
"""
ROWS = """patient,episode,start,referral,sex,age,language,interpreter,mode
p1,1,2026-02-01,2026-01-07,w,25,de,0,V
p2,1,2026-02-02,,m,26,,1,P
p3,1,2026-02-03,soon,x,70,Deutsch,,Q
"""


def test_facts_are_kept_as_stated_and_unreadable_ones_are_not_known(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    (service.clinics / "north.toml").write_text(MAPPING, encoding="utf-8")
    for path in (service.inbox / "north").iterdir():
        path.unlink()
    drop(service, "north", "episodes.csv", ROWS)
    outcome = run(service, NIGHT)
    assert outcome.failed == {}
    with duckdb.connect(str(service.warehouse), read_only=True) as con:
        con.execute("set variable as_of = date '2026-03-10'")
        facts = con.execute(
            "select line, referred_on::varchar, sex, age_band, language, interpreter_needed"
            " from valid.episode where clinic_id = 'north' order by line"
        ).fetchall()
        modes = con.execute(
            "select mode from valid.session where clinic_id = 'north' order by line"
        ).fetchall()
        told = con.execute(
            "select line, column_name, severity from finding.finding"
            " where rule = 'fact-unreadable' order by all"
        ).fetchall()
    assert facts == [
        (2, "2026-01-07", "female", "18_25", "de", "no"),
        (3, None, "male", "26_35", None, "yes"),
        (4, None, None, None, None, None),
    ]
    assert modes == [("video",), ("in_person",), (None,)]
    columns = ["age", "language", "mode", "referral", "sex"]
    assert told == [(4, column, "warn") for column in columns]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"w" = "female"', '"w" = "woman"', "sex: map must lead to female"),
        (', map = { "w" = "female", "m" = "male" }', "", "there is no map"),
        ("matches = '[a-z]{2}'", 'map = { "D" = "German" }', "language: German does not fit"),
        ('"V" = "video"', '"V" = "zoom"', "mode: map must lead to in_person"),
    ],
)
def test_a_fact_that_leads_elsewhere_is_refused(before: str, after: str, fault: str) -> None:
    import tomllib

    assert before in MAPPING
    with pytest.raises(MappingFaults) as told:
        check_mapping(tomllib.loads(MAPPING.replace(before, after)))
    assert any(fault in said for said in told.value.faults), told.value.faults
