"""What a mapping may say: each fault is told with its dotted path, and none ends in a traceback."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.errors import MappingError
from flows.reading.delivery import DeliveryRules
from schemas.export_format import Mapping, check_mapping, read_mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import REGISTRY, phq_mapping

PATIENT = "fields__patient"
DATE = "fields__answered_at"


def form(**changes: Any) -> list[dict[str, Any]]:
    whole = {
        "instrument": "PHQ-9",
        "respondent": "patient",
        "items": {"columns": "q{}", "count": 9},
    }
    return [{**whole, **changes}]


def faults(**changes: Any) -> list[str]:
    """What the grammar, the registry and the engine say of a mapping with these changes."""
    try:
        mapping = phq_mapping(**changes)
    except MappingFaults as wrong:
        return wrong.faults
    try:
        DeliveryRules(mapping, REGISTRY, date(1990, 1, 1), None).check()
    except MappingError as wrong:
        return wrong.faults
    return []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({PATIENT: {"column": "p", "extract": "p."}}, "fields.patient.extract"),
        ({PATIENT: {"column": "p", "extract": "(p)(.)"}}, "fields.patient.extract"),
        ({PATIENT: {"column": "p", "map": {"p1": r"x\3"}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "map": {"(p)1": r"\2"}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "map": {"p1": "x\\"}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "map": {"p1": r"\d"}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "map": {"p1": ""}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "lookup": {"p1": " "}}}, "fields.patient.lookup"),
        ({PATIENT: {"column": "p", "matches": "(?=p)p.*"}}, "fields.patient.matches"),
        ({PATIENT: {"column": "p", "matches": r"(.)\1"}}, "fields.patient.matches"),
        ({PATIENT: {"column": "p", "map": {"(?<=x)p": "p"}}}, "fields.patient.map"),
        ({PATIENT: {"column": "p", "extract": r"(p)(?!x)"}}, "fields.patient.extract"),
        ({"read__keep": [{"column": "p", "matches": "(?=p)"}]}, "read.keep.1.matches"),
        ({"read__drop": [{"column": "p", "matches": "(?=p)"}]}, "read.drop.1.matches"),
        ({"form": form(when={"column": "p", "matches": "(?=p)"})}, "form.1.when.matches"),
        ({DATE: {"column": "d", "zone": "Europe/Berln"}}, "fields.answered_at.zone"),
        ({DATE: {"column": "d", "formats": [""]}}, "fields.answered_at.formats"),
        ({DATE: {"column": "d", "formats": ["%Y-%m"]}}, "fields.answered_at.formats"),
        ({DATE: {"column": "d", "formats": ["ISO"]}}, "fields.answered_at.formats"),
        ({DATE: {"column": "d", "formats": ["%d.%m.%Q"]}}, "fields.answered_at.formats.1"),
        ({DATE: {"column": "d", "formats": ["iso", "%d.%m.%Y%"]}}, "fields.answered_at.formats.2"),
        ({"form": form(items={"columns": "q{0.real.foo}", "count": 9})}, "form.1.items"),
        ({"form": form(items={"columns": "q{0[1]}", "count": 9})}, "form.1.items"),
        ({"form": form(items={"columns": "q{:z}", "count": 9})}, "form.1.items"),
        ({"form": form(items={"columns": "q{:>999999999}", "count": 9})}, "form.1.items"),
        ({"form": form(items={"columns": "q{}", "count": 8})}, "form.1.items"),
        ({"form": form(items={"list": ["q1"] * 9})}, "form.1.items"),
        ({"form": form(respondent={"column": "who"})}, "form.1.respondent"),
        ({"form": form(respondent={"column": "who", "map": {"x": "me"}})}, "form.1.respondent"),
        ({"form": form(items=None, scores={"totl": "sum"})}, "form.1.scores.totl"),
        ({"form": form(values={"map": {"Ja": 1, "ja": 0}, "fold": True})}, "form.1.values"),
        ({"form": form(values={"map": {"0": 0.5}})}, "form.1.values.map.0"),
        ({"missing": {"-9": "invalid"}}, "missing"),
        ({"missing": {"\0": "blank"}}, "missing"),
        ({"read__encoding": "idna"}, "read.encoding"),
        ({"read__encoding": "undefined"}, "read.encoding"),
        ({"read__delimiter": '"'}, "read.delimiter"),
        ({"read__delimiter": "\n"}, "read.delimiter"),
    ],
)  # fmt: skip
def test_a_fault_is_told_once_with_its_path(changes: dict[str, Any], path: str) -> None:
    told = faults(**changes)
    assert [fault.removeprefix("mapping: ").split(": ")[0] for fault in told] == [
        f"source.1.{path}"
    ]


def test_an_episode_needs_an_id() -> None:
    told = faults(episode={"start": {"column": "begun", "formats": ["%Y-%m-%d"]}})
    assert told == ["mapping: source.1: episode needs episode (fields.episode or its own)"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {PATIENT: {"column": "patient", "map": {r"(a)-(\d+)": r"\2\\\1"}}},
        {PATIENT: {"column": "patient", "extract": r"(?:a|b)-(\d+)"}},
        {DATE: {"column": "date", "formats": ["%j/%Y", "iso", "%-d.%-m.%y"]}},
        {"form": form(respondent={"column": "who", "map": {"x": "patient"}})},
        {"form": form(instrument="Another", items=None, scores={"anything": "sum"})},
        {"form": form(values={"map": {"Ja": 1, "ja": 0}})},
        {"read__delimiter": "\t"},
        {"read__header": {"find": ["patient"], "rows": 3}},
    ],
)
def test_what_is_in_order_is_no_fault(changes: dict[str, Any]) -> None:
    assert faults(**changes) == []


def test_all_faults_are_told_at_once() -> None:
    told = faults(
        fields__patient={"column": "p", "extract": "p"},
        fields__answered_at={"column": "d", "zone": "Nowhere"},
        missing={"": "invalid"},
    )
    assert len(told) == 3
    told = faults(
        fields__patient={"column": "p", "matches": "(?=p)"},
        fields__answered_at={"column": "d", "formats": ["%d%Q"]},
    )
    assert len(told) == 2


def two_sources(first: str, second: str) -> Mapping:
    source = phq_mapping().model_dump(by_alias=True, exclude_unset=True)["source"][0]
    clinic = {"id": "test", "timezone": "Europe/Berlin"}
    sources = [{**source, "name": first}, {**source, "name": second}]
    return check_mapping({"mapping": 1, "clinic": clinic, "source": sources})


def test_the_name_of_a_source_is_its_own() -> None:
    assert len(two_sources("a", "b").source) == 2
    with pytest.raises(MappingFaults, match="source.2.name"):
        two_sources("a", "a")


GOOD = """mapping = 1
[clinic]
id = "test"
timezone = "Europe/Berlin"
[[source]]
name = "phq"
delivery = "append"
[source.read]
format = "csv"
[source.fields]
patient = { column = "patient" }
answered_at = { column = "date" }
[[source.form]]
instrument = "PHQ-9"
respondent = "patient"
items = { columns = "q{}", count = 9 }
"""


def test_a_byte_order_mark_before_a_mapping_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert read_mapping(path).clinic.id == "test"


def test_deep_nesting_is_a_fault_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_text(GOOD + "x = " + "[" * 5000 + "]" * 5000, encoding="utf-8")
    with pytest.raises(MappingFaults, match="nested too deeply"):
        read_mapping(path)
