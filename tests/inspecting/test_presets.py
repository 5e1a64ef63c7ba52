"""Presets: each is a mapping's beginning, is recognised by its own exports, and yields to the mapping."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.inspecting.detect import detect
from flows.inspecting.look import look_at
from flows.validate import clinic_rules
from flows.workspace import Workspace
from schemas.export_format import check_mapping, read_mapping
from schemas.mapping_faults import MappingFaults
from schemas.presets import presets, with_presets
from tests.reading.conftest import REGISTRY, SAMPLES, read_paths

# Headers as each product writes them; where samples are shipped, these are looked at too.
HEADERS = {
    "redcap": "study_id,redcap_event_name,phq1,phq2,phq_complete",
    "redcap_eav": "record,redcap_event_name,field_name,value",
    "qualtrics": "StartDate,EndDate,Status,Progress,Finished,RecordedDate,ResponseId,Q1",
    "qualtrics_legacy": "V1,V2,V3,V4,V5,V6,V7,V8,V9,V10,Q1",
    "limesurvey": "id,submitdate,lastpage,startlanguage,seed,token,Q00[SQ001]",
    "limesurvey_vv": "id\tsubmitdate\tlastpage\tstartlanguage\tseed\ttoken\t1X2X3SQ001",
    "surveymonkey": "Respondent ID,Collector ID,Start Date,End Date,IP Address,How are you?",
    "google_forms": "Timestamp,How are you?,Name or code",
    "ms_forms": "ID,Start time,Completion time,Email,Name,How are you?",
    "sosci": "CASE,SERIAL,REF,QUESTNNR,MODE,LANGUAGE,STARTED,AB01_01,LASTDATA,FINISHED",
    "formr": "session,created,modified,ended,phq_1",
    "castor": "Participant Id;Participant Status;Site Abbreviation;phq_1",
    "iapt": "CareActId,CodedAssToolType,PersScore,CareContDate,LocalPatientId",
    "iapt_tables": "IDS001MPI,IDS101Referral,IDS201CareContact,IDS202CareActivity,IDS607",
    "pmhc": "metadata,clients,episodes,service-contacts,service-contact-practitioners,"
    "collection-occasions,k10p,k5,sdq",
    "cdisc_qs": "STUDYID,USUBJID,QSSEQ,QSTESTCD,QSTEST,QSCAT,QSORRES,QSDTC",
    "openfit": "Client_ID,Case_ID,Session_ID,Session_Date,ORS_Skip,ORSQ1,ORSQ2,SRS_Skip,SRSQ1",
    "fhir": "QuestionnaireResponse",
    "rapport_actions": "patient,therapist,acted_on,action,outcome,remark",
}
FILES = {
    "redcap/nacho_anxiety_raw.csv": "redcap",
    "cdisc/qs_ophtha.csv": "cdisc_qs",
    "fhir/us_core_phq9.json": "fhir",
    "fhir/mii_pro_phq9.json": "fhir",
    "mess/fh01_QuestionnaireResponse.ndjson": "fhir",
    "mess/us01_qualtrics_like.csv": "qualtrics",
    "mess/de01_phq_ors_cp1252.csv": None,
    "mess/no01_wai_two_respondents.csv": None,
    "mess/rx01_2026-11-09.csv": None,
}


def test_every_preset_is_tried_here() -> None:
    assert set(HEADERS) == set(presets())


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_recognised_as_its_own_product_and_no_other(name: str) -> None:
    header = HEADERS[name]
    delimiter = next((mark for mark in ("\t", ";", ",") if mark in header), "")
    names = tuple(header.split(delimiter)) if delimiter else (header,)
    assert detect(names, delimiter) == name


@pytest.mark.parametrize("file", FILES)
def test_samples_are_recognised(file: str) -> None:
    assert look_at(SAMPLES / file).preset == FILES[file]


def source(**keys: Any) -> dict[str, Any]:
    return {"name": "s", "delivery": "append", **keys}


def mapping(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"mapping": 1, "clinic": {"id": "x", "timezone": "UTC"}, "source": list(sources)}


@pytest.mark.parametrize("name", HEADERS)
def test_a_preset_is_a_sound_beginning_of_a_source(name: str) -> None:
    own: dict[str, Any] = {"fields": {"patient": {"column": "a"}, "answered_at": {"column": "b"}}}
    if not {"form", "code", "action"} & presets()[name].keys():
        items = {"list": [f"q{n}" for n in range(1, 10)]}
        own["form"] = [{"instrument": "PHQ-9", "respondent": "patient", "items": items}]
    checked = check_mapping(mapping(source(preset=name, **own)))
    assert checked.source[0].delivery == "append"
    assert checked.source[0].read.format == presets()[name]["read"]["format"]


def test_the_mapping_wins_key_by_key() -> None:
    own = source(preset="qualtrics", read={"delimiter": ";"}, missing={"-99": "refused", "x": "y"})
    merged, faults = with_presets(mapping(own))
    found = merged["source"][0]
    assert faults == []
    assert found["read"]["delimiter"] == ";"
    assert found["read"]["header"] == {"rows": 3}
    assert found["missing"]["-99"] == "refused" and found["missing"]["x"] == "y"
    assert found["missing"][""]["reason"] == "not_reached"
    assert found["key"] == ["ResponseId"]
    assert "detect" not in found


def test_an_unknown_preset_is_a_fault_of_the_mapping() -> None:
    with pytest.raises(MappingFaults, match=r"source\.1\.preset: there is no redcup"):
        check_mapping(mapping(source(preset="redcup")))


def test_a_changed_preset_changes_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that everything a clinic delivered is read again."""
    space = Workspace(tmp_path)
    space.clinics.mkdir(parents=True)
    text = 'mapping = 1\n[clinic]\nid = "of"\ntimezone = "UTC"\n[[source]]\nname = "of"\n'
    (space.clinics / "of.toml").write_text(text + 'preset = "openfit"\n')

    def rules() -> str:
        return clinic_rules(space, "of", REGISTRY, date(2026, 1, 1))[1]

    before = rules()
    assert rules() == before
    changed = {**presets()["openfit"], "missing": {"": "blank", "-1": "not_answered"}}
    monkeypatch.setattr("schemas.presets.presets", lambda: {"openfit": changed})
    assert rules() != before


def test_a_mapping_with_a_preset_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "of.toml"
    path.write_text(
        'mapping = 1\n[clinic]\nid = "of"\ntimezone = "UTC"\n[[source]]\nname = "of"\npreset = "openfit"\n'
    )
    names = [form.instrument for form in read_mapping(path).source[0].form]
    assert names == ["ORS", "SRS"]


def rows_of(folder: Path, text: str, own: dict[str, Any]) -> list[tuple[Any, ...]]:
    path = folder / "export.csv"
    path.write_text(text)
    rows = read_paths([path], check_mapping(mapping(source(**own)))).rows
    columns = ["patient_id", "session_no", "instrument", "item", "value", "answered_at"]
    return rows.select(columns).rows()


def test_scores_of_talking_therapies_by_snomed_code(tmp_path: Path) -> None:
    head = "ServiceRequestId,LocalPatientId,CareContactId,CareContDate,CareActId,CarePersLocalId"
    lines = [
        "SR1,P1,C1,2026-03-02,A1,T1,720433000,12 ",
        "SR1,P1,C1,2026-03-02,A1,T1,445455005,9",
        "SR1,P1,C2,2026-03-09,A2,T1,506701000000100,28",
    ]
    text = "\n".join([head + ",CodedAssToolType,PersScore", *lines, ""])
    assert rows_of(tmp_path, text, {"preset": "iapt"}) == [
        ("P1", None, "PHQ-9", "total", "12", "2026-03-02"),
        ("P1", None, "GAD-7", "total", "9", "2026-03-02"),
    ]


def test_redcaps_long_export(tmp_path: Path) -> None:
    lines = [
        f"{record},e1_arm_1,{name},{value}"
        for record in ("1", "2")
        for name, value in [
            *((f"gad{n}", n % 4) for n in range(1, 8)),
            ("gad_date", "2026-03-02"),
            ("city", "Ulm"),
        ]
    ]
    text = "\n".join(["record,redcap_event_name,field_name,value", *lines, ""])
    code = {
        "column": "field_name",
        "value": "value",
        "carry": ["gad_date"],
        "ignore": ["city"],
        "map": {f"gad{n}": ["GAD-7", n] for n in range(1, 8)},
    }
    fields = {"session": {"column": "redcap_event_name"}, "answered_at": {"column": "gad_date"}}
    found = rows_of(tmp_path, text, {"preset": "redcap_eav", "code": [code], "fields": fields})
    assert found == [
        (record, "e1_arm_1", "GAD-7", str(n), str(n % 4), "2026-03-02")
        for record in ("1", "2")
        for n in range(1, 8)
    ]


def test_limesurveys_vv_export(tmp_path: Path) -> None:
    items = "\t".join(f"gad[{n}]" for n in range(1, 8))
    text = "\n".join(
        [
            "Response ID\tDate submitted\tLast page\tStart language\tToken\t"
            + "\t".join("abcdefg"),
            f"id\tsubmitdate\tlastpage\tstartlanguage\ttoken\t{items}",
            "1\t2026-03-02 10:00:00\t3\tde\tP1\t0\t1\t2\t3\t0\t1\t{question_not_shown}",
            "2\t{question_not_shown}\t1\tde\tP2\t0\t1\t2\t3\t0\t1\t2",
            "",
        ]
    )
    form = {
        "instrument": "GAD-7",
        "respondent": "patient",
        "items": {"columns": "gad[{}]", "count": 7},
    }
    found = rows_of(tmp_path, text, {"preset": "limesurvey_vv", "form": [form]})
    assert [row[4] for row in found] == ["0", "1", "2", "3", "0", "1", None]
    assert {row[0] for row in found} == {"P1"}
