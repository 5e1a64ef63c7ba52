"""The grammar of mappings as clinics wrote it: each key is taken and does what it says."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.export_format import check_mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import HEADER, Read, phq_mapping, read_paths, row

Reader = Callable[..., Read]
PATIENT, SESSION, DATE = "fields__patient", "fields__session", "fields__answered_at"
MINUTE = "%Y-%m-%d %H:%M"
ITEMS = {"columns": "q{}", "count": 9}
NAMES = [f"q{n}" for n in range(1, 10)]
NOTHING = ",,,,,,,,"


def form(**changes: Any) -> list[dict[str, Any]]:
    whole = {"instrument": "PHQ-9", "respondent": "patient", "items": ITEMS}
    return [{key: part for key, part in {**whole, **changes}.items() if part is not None}]


def text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


TWO = text(row("p1"), row("p2", 2))
MORE = HEADER + ",more"
# Key of the grammar: what the mapping says, the file, the field of the first rows to look at, what is there.
PATIENTS, THERAPISTS, SESSIONS, INSTRUMENTS, WHO, ITEM, VALUE, REASON, AT = (
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
)
KEYS: dict[str, tuple[dict[str, Any], str, int, list[Any]]] = {
    "read.delimiter": ({"read__delimiter": ";"}, TWO.replace(",", ";"), PATIENTS, ["p1", "p2"]),
    "read.decimal": (
        {"read__decimal": ",", "read__delimiter": ";"},
        text(row(answers="1,2,0,1,2,0,1,2,0")).replace(",", ";").replace(";1;2;0;", ";1,0;2;0;", 1),
        VALUE,
        ["1"],
    ),
    "read.trim": ({"read__trim": True}, text(row("  p1 ")), PATIENTS, ["p1"]),
    "read.header.find": (
        {"read__header": {"find": ["patient", "q9"]}}, "A title\n\n" + TWO, PATIENTS, ["p1", "p2"],
    ),
    "read.header.rows": (
        {"read__header": {"rows": 2}}, HEADER + "\n" + HEADER.upper() + "\n" + row() + "\n",
        PATIENTS, ["p1"],
    ),
    "read.keep": (
        {"read__keep": [{"column": "session", "matches": "2"}]}, TWO, PATIENTS, ["p2"],
    ),
    "read.drop": (
        {"read__drop": [{"column": "session", "matches": "2"}]}, TWO, PATIENTS, ["p1"],
    ),
    "read.drop.header_again": (
        {"read__drop": [{"header_again": True}]}, text(row(), HEADER), PATIENTS, ["p1"],
    ),
    "fields.first_of": (
        {PATIENT: {"first_of": ["more", "patient"]}}, text(row() + ",x9", row("p2", 2) + ",", header=MORE),
        PATIENTS, ["x9", "p2"],
    ),
    "fields.extract": ({PATIENT: {"column": "patient", "extract": r"p(\d)"}}, TWO, PATIENTS, ["1", "2"]),
    "fields.map": (
        {SESSION: {"column": "session", "map": {"1": "intake", r"(\d)": r"week \1"}}}, TWO,
        SESSIONS, ["intake", "week 2"],
    ),
    "fields.lookup": (
        {"fields__therapist": {"column": "therapist", "lookup": {"t1": "T-ONE"}}}, TWO,
        THERAPISTS, ["T-ONE", "T-ONE"],
    ),
    "fields.personal": (
        {"fields__therapist": {"column": "therapist", "personal": True}}, TWO, THERAPISTS, ["t1", "t1"],
    ),
    "fields.pad": ({PATIENT: {"column": "patient", "pad": 5}}, text(row("417")), PATIENTS, ["00417"]),
    "fields.matches": ({PATIENT: {"column": "patient", "matches": "p1"}}, TWO, PATIENTS, ["p1"]),
    "fields.type": (
        {SESSION: {"column": "session", "type": "int"}}, text(row().replace(",1,2026", ",01,2026", 1)),
        SESSIONS, ["1"],
    ),
    "fields.formats": (
        {DATE: {"column": "date", "formats": ["%d.%m.%Y", "excel"]}},
        text(row(day="1.3.2026"), row("p2", 2, "46082")), AT, ["2026-03-01", "2026-03-01"],
    ),
    "fields.zone": (
        {DATE: {"column": "date", "formats": [MINUTE], "zone": "clinic"}},
        text(row(day="2026-03-01 10:30")), AT, ["2026-03-01T10:30:00+01:00"],
    ),
    "fields.precision": (
        {DATE: {"column": "date", "formats": [MINUTE], "zone": "UTC", "precision": "date"}},
        text(row(day="2026-03-01 23:30")), AT, ["2026-03-02"],
    ),
    "missing": ({"missing": {"": "a", "-9": "b"}}, text(row(answers="-9,,0,0,0,0,0,0,0")), REASON, ["b"]),
    "missing.if": (
        {"missing": {"": {"reason": "a", "if": {"column": "session", "matches": "1"}, "else": "b"}}},
        text(row(answers=NOTHING[1:] + "1,1"), row("p2", 2, answers=NOTHING[1:] + "1,1"))
        .replace(NOTHING[1:] + "1,1", ",,,,,,,,1"),
        REASON, ["a", "b"],
    ),
    "form.when": (
        {"form": form(when={"column": "session", "matches": "2"})}, TWO, PATIENTS, ["p2"],
    ),
    "form.instrument": ({"form": form(instrument="phq9")}, TWO, INSTRUMENTS, ["PHQ-9"] * 2),
    "form.version": ({"form": form(version="de 2004")}, TWO, INSTRUMENTS, ["PHQ-9"] * 2),
    "form.respondent": (
        {"form": form(respondent={"column": "session", "map": {"1": "patient", "2": "relative"}})}, TWO,
        WHO, ["patient", "relative"],
    ),
    "form.answered_at": (
        {"form": form(answered_at={"column": "more", "formats": ["%d/%m/%Y"]})},
        text(row() + ",31/01/2026", header=MORE), AT, ["2026-01-31"],
    ),
    "form.items.columns": (
        {"form": form(items={"columns": "q{:02}", "count": 9})},
        text(row(), header=HEADER.replace("q", "q0")), PATIENTS, ["p1"],
    ),
    "form.items.list": ({"form": form(items={"list": NAMES[::-1]})}, text(row(answers="3,0,0,0,0,0,0,0,1")), VALUE, ["1"]),
    "form.items.omit_if_all_blank": (
        {"form": form(items={**ITEMS, "omit_if_all_blank": True})}, text(row(answers=NOTHING), row("p2", 2)),
        PATIENTS, ["p2"],
    ),
    "form.values": (
        {"form": form(values={"map": {"1": 0, "2": 1, "3": 2, "4": 3}})},
        text(row(answers="4,1,1,1,1,1,1,1,1")), VALUE, ["3"],
    ),
    "form.values.fold": (
        {"form": form(values={"map": {"Not at all": 0, "Often": 3}, "fold": True})},
        text(row(answers="OFTEN" + ", not  At all" * 8)), VALUE, ["3"],
    ),
    "form.reversed": (
        {"form": form(reversed="already")}, text(row(answers="3,0,0,0,0,0,0,0,0")), VALUE, ["3"],
    ),
    "form.scores": (
        {"form": form(items=None, scores={"total": "more"})}, text(row() + ",12", header=MORE), ITEM, ["total"],
    ),
    "form.totals": (
        {"form": form(totals={"answered_sum": "more"})}, text(row() + ",9", header=MORE), ITEM, ["1"],
    ),
    "key": ({"key": ["patient", "nowhere"]}, text(row(), row("p1", 2)), PATIENTS, ["p1"]),
    "version": (
        {"key": ["patient"], "version": "more"},
        text(row(session=7) + ",2", row(session=8) + ",1", header=MORE), SESSIONS, ["7"],
    ),
    "delivery.window": ({"delivery": "window"}, TWO, PATIENTS, ["p1", "p2"]),
    "delivery.snapshot": ({"delivery": "snapshot"}, TWO, PATIENTS, ["p1", "p2"]),
    "shrink": ({"delivery": "snapshot", "shrink": {"warn": 0.9, "hold": 0.5}}, TWO, PATIENTS, ["p1", "p2"]),
    "wide": (
        {
            "form": (),
            "fields": {"patient": {"column": "id"}, "answered_at": {"column": "date"}},
            "wide": {
                "columns": "{form}.{time}", "forms": {"phq": ["PHQ-9", "total"]},
                "times": {r"s(\d+)": r"\1", "fu": "later"}, "carry": ["date"],
            },
        },
        "id,phq.s0,date.s0,phq.fu,date.fu\np1,7,2026-03-01,9,2026-05-01\n", SESSIONS, ["0", "later"],
    ),
    "code": (
        {
            "form": (),
            "code": [{
                "column": "what", "value": "score", "ignore": ["X*"],
                "map": {"1": ["PHQ-9", "total", 0, 27], "2": ["GAD-7", "total"]},
            }],
        },
        "patient,therapist,session,date,what,score\np1,t1,1,2026-03-01,1,7\np1,t1,1,2026-03-01,2,8\n"
        "p1,t1,1,2026-03-01,X9,8\n", VALUE, ["7", "8"],
    ),
    "appointment": (
        {"appointment": {"status": {"column": "more", "map": {"a": "attended"}}}},
        text(row() + ",a", header=MORE), PATIENTS, ["p1"],
    ),
    "episode": (
        {"episode": {"start": {"column": "date"}}, "fields__episode": {"column": "session"}},
        TWO, PATIENTS, ["p1", "p2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_the_grammar_does_what_it_says(read: Reader, key: str) -> None:
    changes, content, field, wanted = KEYS[key]
    result = read(content, mapping=phq_mapping(**changes))
    firsts = [found for found in result.rows if found[ITEM] in ("1", "total")]
    assert [found[field] for found in firsts] == wanted, result.reading.findings.to_dicts()


def test_a_shrunken_snapshot_is_held_and_retracts_nothing(read: Reader) -> None:
    mapping = phq_mapping(delivery="snapshot", shrink={"warn": 0.9, "hold": 0.6})
    assert read(TWO, text(row()), mapping=mapping).forms == 2
    lenient = phq_mapping(delivery="snapshot", shrink={"warn": 0.9, "hold": 0.4})
    assert read(TWO, text(row()), mapping=lenient).forms == 1


def test_globs_of_ignore_spare_the_finding_and_need_no_column(read: Reader) -> None:
    header = HEADER + ",intern_a,intern_b,other"
    mapping = phq_mapping(fields__ignore=["intern_*", "absent*"])
    result = read(text(row() + ",1,2,3", header=header), mapping=mapping)
    assert result.at("column-unexpected") == [(1, "other")]
    assert result.forms == 1


FOREIGN = [
    ("xlsx", "delimiter", ";"),
    ("xlsx", "encoding", "cp1252"),
    ("json", "delimiter", ";"),
    ("json", "header", {"find": ["a"]}),
    ("sav", "header", {"rows": 2}),
    ("sav", "delimiter", ";"),
    ("fhir", "encoding", "cp1252"),
    ("tsv", "delimiter", ";"),
    ("csv", "sheets", ["a"]),
    ("dta", "drop", [{"header_again": True}]),
]


@pytest.mark.parametrize(("kind", "key", "value"), FOREIGN)
def test_a_key_that_does_not_belong_to_the_format_is_a_fault(
    kind: str, key: str, value: Any
) -> None:
    with pytest.raises(MappingFaults) as faults:
        phq_mapping(read={"format": kind, key: value})
    assert key in str(faults.value)
    assert kind in str(faults.value)


def test_what_a_preset_says_of_another_format_is_no_fault_of_the_clinic() -> None:
    mapping = phq_mapping(preset="ms_forms", read={"format": "xlsx"})
    assert mapping.source[0].read.format == "xlsx"
    assert "encoding" not in mapping.source[0].read.model_fields_set


IAPT = """
mapping = 1
[clinic]
id = "ia01"
timezone = "Europe/London"
[[source]]
name = "iapt"
match = "*iapt*.zip"
delivery = "window"
[source.read]
format = "tables"
trim = true
[[source.join]]
table = "IDS607*"
to = [ ["IDS202*", "CareActId"], ["IDS201*", "CareContactId"], ["IDS101*", "ServiceRequestId"] ]
[source.join.fields]
patient = { column = "LocalPatientId" }
therapist = { column = "CarePersLocalId" }
episode = { column = "ServiceRequestId" }
answered_at = { column = "CareContDate", formats = ["%Y-%m-%d"] }
[[source.code]]
column = "CodedAssToolType"
value = "PersScore"
respondent = "patient"
[source.code.map]
"720433000" = ["PHQ-9", "total", 0, 27]
"506701000000100" = ["PHQ-9", "total", 0, 27]
"445455005" = ["GAD-7", "total", 0, 21]
[source.appointment]
table = "IDS201*"
id = { column = "CareContactId" }
[source.appointment.status]
column = "AttendOrDNACode"
map = { '0?[56]' = "attended", '0?3' = "no_show", '0?7' = "too_late_not_seen" }
"""
IAPT_TABLES = {
    "IDS101Referral.csv": "ServiceRequestId,LocalPatientId\nSR1 ,L1\nSR2,L2\nSR3,L3\n",
    "IDS201CareContact.csv": "CareContactId,ServiceRequestId,CareContDate,AttendOrDNACode\n"
    "C1,SR1,2026-03-01,5\nC2,SR1,2026-03-08,05\nC3,SR2,2026-03-02,3 \nC4,SR9,2026-03-03,5\n"
    "C5,SR3,2026-03-05, 7\nC6,SR3,2026-03-12,9\n",
    "IDS202CareActivity.csv": "CareActId,CareContactId,CarePersLocalId\n"
    "A1,C1,T1\nA2,C2 ,T1\nA4,C4,T2\nA5,C6,T3\n",
    "IDS607.csv": "CareActId,CodedAssToolType,PersScore\nA1,720433000,12\nA1,445455005,9 \n"
    "A2,506701000000100, 3\nA2 ,445455005,22\nA4,720433000,5\nA9,720433000,5\nA5,999,1\n"
    "A5,445455005,0\n",
}


def test_join_code_and_appointment_together(tmp_path: Path) -> None:
    path = tmp_path / "x_iapt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in IAPT_TABLES.items():
            archive.writestr(name, content)
    result = Read(read_paths([path], check_mapping(tomllib.loads(IAPT))))
    assert [(r[1], r[2], r[3], r[5], r[8], r[10]) for r in result.rows] == [
        ("L1", "T1", "SR1", "PHQ-9", "12", "2026-03-01"),
        ("L1", "T1", "SR1", "GAD-7", "9", "2026-03-01"),
        ("L1", "T1", "SR1", "PHQ-9", "3", "2026-03-08"),
        ("L3", "T3", "SR3", "GAD-7", "0", "2026-03-12"),
    ]
    assert set(result.at("parent-missing")) == {
        (6, "ServiceRequestId"), (7, "CareActId"), (5, "ServiceRequestId"),
    }  # fmt: skip
    assert result.at("code-out-of-range") == [(5, "PersScore")]
    assert result.at("code-undeclared") == [(8, "CodedAssToolType")]
    assert result.at("field-undeclared") == [(7, "AttendOrDNACode")]
    # What the joins and the appointments read is no surprise in the scores.
    assert result.at("column-unexpected") == []
