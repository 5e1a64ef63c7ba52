"""The log of what a clinic did: read by the preset, judged row by row, restated as everything else."""

from __future__ import annotations

import tempfile
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.init import make_workspace
from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from flows.workspace import Workspace
from schemas.export_format import Mapping, check_mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import REGISTRY

HEADER = "patient,therapist,acted_on,action,outcome,remark\n"
NIGHT = date(2026, 12, 31)


def mapping(**source: Any) -> Mapping:
    clinic = {"id": "test", "timezone": "UTC"}
    log = {"name": "log", "preset": "rapport_actions", **source}
    return check_mapping({"mapping": 1, "clinic": clinic, "source": [log]})


def read(tmp_path: Path, *texts: str, by: Mapping | None = None, key: bytes | None = None) -> Any:
    """Open rows of actions and every finding, after deliveries in order."""
    con = duckdb.connect()
    Pseudonyms(key, "test").install(con)
    rules = DeliveryRules(by or mapping(), REGISTRY, date(1990, 1, 1), NIGHT)
    state, told = open_state(with_text=False), []
    for number, text in enumerate(texts):
        path = tmp_path / f"actions_{number}.csv"
        path.write_text(text, encoding="utf-8")
        with tempfile.TemporaryDirectory() as scratch:
            task = read_delivery(con, path, rules, Path(scratch), f"d{number}")
            counts = merge_file(con, task, state, f"d{number}", NIGHT, rules)
        reading = task.reading
        assert reading.records == reading.used + reading.dropped + reading.rejected_records
        assert reading.found["action"] == sum(counts["action"].values())
        told += [
            (row["rule"], row["line"], row["column_name"])
            for row in reading.findings.frame().iter_rows(named=True)
        ]
    rows = con.execute(
        "select patient_id, therapist_id, acted_on::varchar, kind, outcome from action_version"
        " where known_to = date '9999-12-31' order by all"
    ).fetchall()
    return rows, told


def test_a_log_is_read_and_its_remarks_are_not(tmp_path: Path) -> None:
    rows, told = read(
        tmp_path,
        HEADER
        + "17,t1,2026-03-02,Call,not reached,Canary said no\n"
        + "17,t1,2026-03-02,letter,,\n"
        + "18,,2026-03-03,talked about the alliance,,\n",
    )
    assert rows == [
        ("17", "t1", "2026-03-02", "call", "not_reached"),
        ("17", "t1", "2026-03-02", "letter", None),
        ("18", None, "2026-03-03", "alliance_talk", None),
    ]
    assert not [rule for rule, *_ in told if rule.startswith(("field", "date", "key"))]


def test_each_bad_line_costs_itself_alone_and_is_named(tmp_path: Path) -> None:
    rows, told = read(
        tmp_path,
        HEADER
        + "17,t1,2026-03-02,call,reached,\n"
        + ",t1,2026-03-02,call,,\n"
        + "19,t1,soon,call,,\n"
        + "20,t1,2027-01-01,call,,\n"
        + "21,t1,2026-03-02,=cmd|' /C calc'!A0,,\n"
        + "22,t1,2026-03-02,call,shouted,\n"
        + "23,t1,2026-03-02,,,\n",
    )
    assert rows == [
        ("17", "t1", "2026-03-02", "call", "reached"),
        ("22", "t1", "2026-03-02", "call", None),
    ]
    assert set(told) >= {
        ("id-missing", 3, "patient"),
        ("date-unreadable", 4, "acted_on"),
        ("date-in-future", 5, "acted_on"),
        ("field-undeclared", 6, "action"),
        ("fact-unreadable", 7, "outcome"),
        ("id-missing", 8, "action"),
    }


def test_a_line_told_again_with_another_outcome_replaces_the_first(tmp_path: Path) -> None:
    first = HEADER + "17,t1,2026-03-02,call,not reached,\n"
    rows, _ = read(tmp_path, first, first, first.replace("not reached", "appointment made"))
    assert rows == [("17", "t1", "2026-03-02", "call", "appointment_made")]


def test_ids_become_the_pseudonyms_that_other_files_use(tmp_path: Path) -> None:
    key = b"k" * 32
    rows, _ = read(tmp_path, HEADER + "17,t1,2026-03-02,call,,\n", key=key)
    names = Pseudonyms(key, "test")
    assert rows[0][:2] == (names.of("patient", "17"), names.of("therapist", "t1"))


def test_codes_and_company_of_actions_are_closed() -> None:
    wrong = {"kind": {"column": "action", "map": {"x": "prayed"}}}
    with pytest.raises(MappingFaults, match="prayed is not one"):
        mapping(action=wrong)
    form = {"instrument": "PHQ-9", "respondent": "patient", "items": {"columns": "q{}", "count": 9}}
    with pytest.raises(MappingFaults, match="action needs a source of its own"):
        mapping(form=[form])


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_table_that_init_offers_is_read_by_the_lines_beside_it(
    tmp_path: Path, delimiter: str
) -> None:
    make_workspace(Workspace(tmp_path / "service"), "Test")
    templates = tmp_path / "service" / "templates"
    text = (templates / "actions.toml").read_text(encoding="utf-8")
    clinic = 'mapping = 1\n[clinic]\nid = "test"\ntimezone = "UTC"\n'
    if delimiter == ";":
        text = text.replace("# read = ", "read = ")
    header = (templates / "actions.csv").read_text(encoding="utf-8")
    table = header + "17,t1,10.03.2026,call,reached,\n18,,2026-03-11,letter,,\n"
    by = check_mapping(tomllib.loads(clinic + text))
    rows, told = read(tmp_path, table.replace(",", delimiter), by=by)
    assert rows == [
        ("17", "t1", "2026-03-10", "call", "reached"),
        ("18", None, "2026-03-11", "letter", None),
    ]
    assert {rule for rule, *_ in told} <= {"personal-data"}
    # every word that the lines name, and no other, is one that the preset knows
    action = by.source[0].action
    assert action is not None
    for column, fact in (("action", action.kind), ("outcome", action.outcome)):
        assert fact is not None
        (line,) = [line for line in text.splitlines() if line.startswith(f"#   {column} ")]
        words = line.removeprefix(f"#   {column}").partition(";")[0].strip().split(", ")
        assert {f"(?i){word}" for word in words} == set(fact.map)
