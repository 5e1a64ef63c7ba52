"""JSON, NDJSON and FHIR questionnaire responses: rows out, and a finding for whatever is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flows.reading import json_records
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, Read, phq_mapping, read_paths, row
from tests.reading.test_reshape import long_lines, long_mapping, text

Reader = Callable[..., Read]
GOOD = [1, 2, 0, 1, 2, 0, 1, 2, 0]
QUESTIONNAIRE = "http://example.org/phq-9"


def fhir_mapping(**changes: Any) -> Mapping:
    """Responses by link ids p1 to p9."""
    fields = {
        "patient": {"column": "subject.reference", "extract": "Patient/(.+)"},
        "answered_at": {"column": "authored", "formats": ["iso"]},
        **changes.pop("fields", {}),
    }
    form = {
        "instrument": "PHQ-9",
        "respondent": "patient",
        "items": {"links": [f"p{n}" for n in range(1, 10)]},
        **changes.pop("form", {}),
    }
    whole = {
        "read": {"format": "fhir"},
        "fields": fields,
        "form": [form],
        "missing": {"": "blank"},
        "key": ["id"],
    }
    return phq_mapping(**{**whole, **changes})


def response(
    patient: str = "1", answers: list[Any] = GOOD, number: int = 0, **changes: Any
) -> dict[str, Any]:
    items = [
        {"linkId": f"p{n}"} | ({} if value is None else {"answer": [answer(value)]})
        for n, value in enumerate(answers, start=1)
    ]
    whole = {
        "resourceType": "QuestionnaireResponse",
        "id": f"r{patient}-{number}",
        "status": "completed",
        "questionnaire": QUESTIONNAIRE,
        "subject": {"reference": f"Patient/{patient}"},
        "authored": "2026-03-01",
        "item": items,
    }
    return {**whole, **changes}


def answer(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"valueInteger": value}


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def bundle(*resources: Any, **about: Any) -> str:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": part} for n, part in enumerate(resources)]
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries, **about}
    return json.dumps(whole, indent=1) + "\n"


def values(result: Read) -> list[str | None]:
    return result.reading.rows["value"].to_list()


TEXTS = [str(value) for value in GOOD]


class TestResponses:
    def test_one_resource_a_line_or_a_bundle_or_alone(self, read: Reader) -> None:
        pair = [response("1"), response("2")]
        for whole in (lines(*pair), bundle(*pair), lines(json.loads(bundle(*pair)))):
            result = read(whole, mapping=fhir_mapping())
            assert values(result) == TEXTS * 2, whole
            assert result.rules() == set()
        assert values(read(json.dumps(pair[0], indent=2), mapping=fhir_mapping())) == TEXTS
        assert values(read(json.dumps(pair[0]), mapping=fhir_mapping())) == TEXTS

    def test_lines_of_bundle_entries_are_told(self, read: Reader) -> None:
        whole = bundle(response("1"), response("2", [9, *GOOD[1:]]))
        at = whole[: whole.index('"Patient/2"')].count("\n")
        found = read(whole, mapping=fhir_mapping()).at("answer-out-of-range")
        assert found[0][1] == "PHQ-9 item 1"
        assert found[0][0] is not None and 0 < found[0][0] <= at

    def test_nested_groups_and_nested_answers(self, read: Reader) -> None:
        items = response()["item"]
        nested: dict[str, Any] = {
            "item": [
                {"linkId": "group", "item": [{"linkId": "inner", "item": items[:4]}]},
                {
                    "linkId": "gate",
                    "answer": [{"valueBoolean": True, "item": items[4:]}],
                },
            ]
        }
        result = read(lines(response(**nested)), mapping=fhir_mapping())
        assert values(result) == TEXTS
        assert result.at("column-unexpected") == [(1, "gate")]

    @pytest.mark.parametrize(
        ("value", "read_as"),
        [
            ({"valueInteger": 2}, "2"),
            ({"valueDecimal": 2.0}, "2"),
            ({"valueString": "2"}, "2"),
            ({"valueQuantity": {"value": 2, "unit": "pts"}}, "2"),
            ({"valueCoding": {"code": "2"}}, "2"),
            (
                {
                    "valueCoding": {
                        "code": "LA6570-1",
                        "extension": [
                            {
                                "url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
                                "valueDecimal": 2,
                            }
                        ],
                    }
                },
                "2",
            ),
            ({"valueString": "two"}, None),
            ({"valueCoding": {"code": "LA6570-1"}}, None),
            ({"valueCoding": {"display": "2"}}, "2"),
            ({"valueCoding": {"display": "Several days"}}, None),
            ({"valueReference": {"reference": "Patient/1"}}, None),
            ({"valueAttachment": {"url": "a.png"}}, None),
            ({"valueDecimal": 1e1}, None),
        ],
    )
    def test_kinds_of_answers(self, read: Reader, value: Any, read_as: str | None) -> None:
        result = read(lines(response(answers=[value, *GOOD[1:]])), mapping=fhir_mapping())
        if read_as is None:
            assert {"answer-undeclared", "answer-out-of-range"} & result.rules("reject")
            assert result.rows == []
        else:
            assert values(result)[0] == read_as

    def test_codes_come_before_ordinal_values_where_the_mapping_has_codes(
        self, read: Reader
    ) -> None:
        ordinal = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue"}
        coding = {"code": "LA6570-1", "extension": [{**ordinal, "valueDecimal": 3}]}
        codes = {"LA6570-1": 2, **{str(n): n for n in range(4)}}
        mapping = fhir_mapping(form={"values": {"map": codes}})
        result = read(
            lines(response(answers=[{"valueCoding": coding}, *GOOD[1:]])), mapping=mapping
        )
        assert values(result)[0] == "2"

    def test_an_item_without_answer_is_missing_and_two_answers_are_none(self, read: Reader) -> None:
        result = read(lines(response(answers=[None, *GOOD[1:]])), mapping=fhir_mapping())
        assert result.reading.rows.select("value", "missing_reason").rows()[0] == (None, "blank")
        two = response()
        two["item"][0]["answer"].append({"valueInteger": 3})
        assert read(lines(two), mapping=fhir_mapping()).at("answer-undeclared") == [
            (1, "PHQ-9 item 1")
        ]
        same = response()
        same["item"].append(same["item"][0])
        assert values(read(lines(same), mapping=fhir_mapping())) == TEXTS

    def test_unfinished_responses_are_not_read_and_are_told(self, read: Reader) -> None:
        result = read(
            lines(response("1", status="in-progress"), response("2", status="amended")),
            mapping=fhir_mapping(),
        )
        assert set(result.reading.rows["patient_id"]) == {"2"}
        assert result.at("response-unfinished") == [(1, "status")]
        assert result.at("response-amended") == [(2, "status")]

    def test_a_response_entered_in_error_retracts_its_earlier_version(self, read: Reader) -> None:
        first = lines(response("1"), response("2"))
        second = lines(response("1", status="entered-in-error"))
        result = read(first, second, mapping=fhir_mapping())
        assert set(result.reading.rows["patient_id"]) == {"2"}
        versioned = fhir_mapping(version="meta.lastUpdated")

        def at(day: int, **changes: Any) -> str:
            return lines(
                response("1", meta={"lastUpdated": f"2026-03-0{day}T10:00:00Z"}, **changes)
            )

        withdrawn = at(3, status="entered-in-error")
        assert read(at(2), withdrawn, mapping=versioned).rows == []
        assert values(read(at(4), withdrawn, mapping=versioned)) == TEXTS
        late = read(withdrawn, at(2), mapping=versioned)
        assert late.rows == []
        assert late.at("withdrawn-before") == [(1, None)]
        restated = read(withdrawn, at(2), at(4), mapping=versioned)
        assert values(restated) == TEXTS
        assert values(read(withdrawn, at(4), at(2), mapping=versioned)) == TEXTS

    def test_a_later_version_replaces_the_earlier_one_in_any_order(self, read: Reader) -> None:
        mapping = fhir_mapping(version="meta.lastUpdated")
        old = lines(response(answers=[0] * 9, meta={"lastUpdated": "2026-03-02T10:00:00+02:00"}))
        new = lines(response(meta={"lastUpdated": "2026-03-02T09:00:00.123Z"}, status="amended"))
        for order in ((old, new), (new, old)):
            assert values(read(*order, mapping=mapping)) == TEXTS

    def test_what_a_reference_leads_to_is_followed(self, read: Reader) -> None:
        patient = {
            "resourceType": "Patient",
            "id": "1",
            "identifier": [
                {"system": "urn:insurance", "value": "X9"},
                {"system": "urn:clinic", "value": "00417"},
            ],
        }
        encounter = {
            "resourceType": "Encounter",
            "id": "e1",
            "episodeOfCare": [{"reference": "EpisodeOfCare/ep7"}],
            "participant": [{"individual": {"reference": "Practitioner/t3"}}],
        }
        fields = {
            "patient": {"column": "subject.identifier[urn:clinic]"},
            "episode": {
                "column": "encounter.episodeOfCare.reference",
                "extract": "EpisodeOfCare/(.+)",
            },
            "therapist": {
                "column": "encounter.participant.individual.reference",
                "extract": "Practitioner/(.+)",
            },
        }
        answered = response(
            encounter={"reference": "http://server/fhir/Encounter/e1/_history/2"},
            author={"reference": "Practitioner/t9"},
        )
        mapping = fhir_mapping(fields=fields)
        for whole in (
            bundle(patient, encounter, answered),
            lines(answered, encounter, patient),
            bundle({**answered, "subject": {"reference": "urn:uuid:1"}}, patient, encounter),
        ):
            result = read(whole, mapping=mapping)
            found = result.reading.rows.select("patient_id", "therapist_id", "episode_id").unique()
            assert found.rows() == [("00417", "t3", "ep7")]
            assert result.at("resources-not-read") == [(1, None)]
        contained = {
            **answered,
            "subject": {"reference": "#p"},
            "contained": [{**patient, "id": "p"}],
        }
        assert "00417" in set(read(bundle(contained), mapping=mapping).reading.rows["patient_id"])

    def test_references_in_a_circle_end(self, read: Reader) -> None:
        circle = {"resourceType": "Patient", "id": "1", "reference": "Patient/1"}
        mapping = fhir_mapping(fields={"patient": {"column": "subject.identifier.value"}})
        assert read(bundle(circle, response()), mapping=mapping).rules("reject") == {"id-missing"}

    def test_respondent_from_source_and_never_from_author(self, read: Reader) -> None:
        who = {"Patient/.*": "patient", "Practitioner/.*": "therapist"}
        mapping = fhir_mapping(form={"respondent": {"column": "source.reference", "map": who}})
        author: dict[str, Any] = {"author": {"reference": "Practitioner/7"}}
        told = read(lines(response(source={"reference": "Patient/1"}, **author)), mapping=mapping)
        assert set(told.reading.rows["respondent"]) == {"patient"}
        assert told.at("author-differs") == [(1, "author")]
        assert read(lines(response(**author)), mapping=mapping).rows == []

    def test_paths_and_links_that_no_response_has_are_told(self, read: Reader) -> None:
        form = {"items": {"links": ["p1x", *[f"p{n}" for n in range(2, 10)]]}}
        fields = {"session": {"column": "encounter.reference"}}
        result = read(lines(response()), mapping=fhir_mapping(form=form, fields=fields))
        assert result.at("path-absent") == [(1, "encounter.reference")]
        assert result.at("link-unmatched") == [(1, "PHQ-9 item 1")]
        assert result.at("column-unexpected") == [(1, "p1")]
        assert values(result)[0] is None


def test_a_file_without_any_key_is_refused(read: Reader) -> None:
    nameless = [{k: v for k, v in response(str(n)).items() if k != "id"} for n in range(3)]
    result = read(lines(*nameless), mapping=fhir_mapping())
    assert result.at("column-missing") == [(1, "id")]
    assert len(read(lines(*nameless), mapping=fhir_mapping(key=[])).rows) == 27


class TestDamage:
    good = lines(response("1"), response("2"), response("3"))

    @pytest.mark.parametrize(
        "broken",
        [
            "{not json}",
            '"text"',
            "[1, 2]",
            '{"resourceType": "QuestionnaireResponse", "id": "x", "id": "y"}',
            json.dumps(response()).replace("GOOD", "x").replace('"valueInteger": 1', '"valueInteger": NaN'),
            json.dumps(response(item="none")),
            json.dumps(response(item=[{"answer": []}])),
            json.dumps(response(item=[{"linkId": "p1", "answer": [{"valueInteger": [1]}]}])),
            json.dumps(response(item=[{"linkId": "p1", "answer": [{"valueInteger": 1, "valueString": "1"}]}])),
            json.dumps(response(authored="2026\u0001")),
            json.dumps(response(authored="2026\ud800")),
            json.dumps(response()).replace('"item":', '"deep": ' + "[" * 100 + "]" * 100 + ', "item":'),
            json.dumps(response()).replace('"item":', '"deep": ' + "[" * 90000 + "]" * 90000 + ', "item":'),
        ],
    )  # fmt: skip
    def test_a_broken_line_costs_that_line(self, read: Reader, broken: str) -> None:
        first, second, third = self.good.splitlines()
        result = read("\n".join([first, broken, second, third, ""]), mapping=fhir_mapping())
        assert result.at("record-not-json") == [(2, None)]
        assert set(result.reading.rows["patient_id"]) == {"1", "2", "3"}
        first_broken = read("\n".join([broken, first, ""]), mapping=fhir_mapping())
        assert len(first_broken.rows) in (0, 9)
        assert first_broken.rules("reject")

    def test_a_cut_file_is_held_where_it_restates_everything(self, read: Reader) -> None:
        cut = self.good[:-40]
        appended = read(cut, mapping=fhir_mapping())
        assert appended.at("record-truncated") == [(3, None)]
        assert len(appended.rows) == 18
        snapshot = read(cut, mapping=fhir_mapping(delivery="snapshot"))
        assert "file-truncated" in snapshot.rules("reject")
        assert snapshot.rows == []

    def test_doubled_lines_are_one_form(self, read: Reader) -> None:
        result = read(self.good + self.good, mapping=fhir_mapping())
        assert len(result.rows) == 27
        assert result.rules("reject") == set()

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (b"", "file-empty"),
            (b" \n\n", "file-empty"),
            (b"\xff\xfe{\x00}\x00", "encoding"),
            (b"[]", "file-without-records"),
            (b'{"resourceType":"Bundle","entry":[]}', "file-without-records"),
            (b'{"resourceType":"Patient","id":"1"}\n', "file-without-records"),
            (bundle(response())[:-30].encode(), "json-invalid"),
            (b"[" * 90000 + b"]" * 90000, "json-nested"),
            (b"[" * 60 + b"]" * 60, "json-nested"),
            (b"[\n1e999999999999,\n NaN]", "json-invalid"),
            (b'"text"', "json-invalid"),
        ],
    )
    def test_a_file_that_is_no_json_is_refused_whole(
        self, read: Reader, content: bytes, rule: str
    ) -> None:
        result = read(content, mapping=fhir_mapping())
        assert rule in result.rules("reject")
        assert result.rows == []

    def test_a_document_over_the_limit_is_refused(
        self, read: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_records, "LARGEST_DOCUMENT", 2000)
        whole = bundle(*[response(str(n)) for n in range(5)])
        assert "document-too-large" in read(whole, mapping=fhir_mapping()).rules("reject")

    def test_a_byte_order_mark_is_no_fault(self, read: Reader) -> None:
        assert len(read(b"\xef\xbb\xbf" + self.good.encode(), mapping=fhir_mapping()).rows) == 27
        whole = b"\xef\xbb\xbf" + bundle(response()).encode()
        assert len(read(whole, mapping=fhir_mapping()).rows) == 9


WHOLE = {
    "lines": TestDamage.good.encode(),
    "bundle": bundle(response("1"), response("2"), response("3")).encode(),
    "long": text(*long_lines("1", "1,2,0,1,2,0,1,2,0"), *long_lines("2", "0,1,2,3,0,1,2,3,0")).encode(),
}  # fmt: skip


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.sampled_from(sorted(WHOLE)),
    st.sampled_from(["cut", "byte", "drop", "double"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([b"{", b"}", b"[", b'"', b",", b"\n", b"\x00", b"\xff", b"9", b"\\"]),
)
def test_damage_ends_in_a_finding_or_the_same_rows(
    tmp_path_factory: Any, kind: str, harm: str, where: float, byte: bytes
) -> None:
    whole = WHOLE[kind]
    at = int(where * len(whole))
    changed = {
        "cut": whole[:at],
        "byte": whole[:at] + byte + whole[at + 1 :],
        "drop": whole[:at] + whole[at + 1 :],
        "double": whole[:at] + whole[at // 2 :],
    }[harm]
    # A file cut between two records is a whole one.
    assume(harm != "cut" or b"\n" not in whole[max(0, at - 1) : at + 1])
    folder: Path = tmp_path_factory.mktemp("damage")
    mapping = long_mapping() if kind == "long" else fhir_mapping()
    readings = []
    for name, content in (("whole", whole), ("changed", changed)):
        (folder / name).write_bytes(content)
        readings.append(read_paths([folder / name], mapping))
    before, after = readings
    ids = {"patient_id", "session_no", "therapist_id", "answered_at", "value"}
    same_forms = set(before.rows.drop(*ids).rows()) >= set(after.rows.drop(*ids).rows())
    fewer = after.rows.height < before.rows.height
    assert same_forms or not after.findings.is_empty()
    assert not fewer or not after.findings.is_empty(), "forms were lost in silence"


def flat_mapping(**changes: Any) -> Mapping:
    return phq_mapping(read__format="json", **changes)


def flat(patient: str = "p1", **changes: Any) -> dict[str, Any]:
    record = {"patient": patient, "therapist": "t1", "session": 1, "date": "2026-03-01"}
    return record | {f"q{n}": value for n, value in enumerate(GOOD, start=1)} | changes


class TestFlat:
    def test_an_array_or_lines_of_objects(self, read: Reader) -> None:
        pair = [flat("p1"), flat("p2", q3=None)]
        for whole in (json.dumps(pair), json.dumps(pair, indent=1), lines(*pair)):
            result = read(whole, mapping=flat_mapping())
            assert values(result) == [*TEXTS, *TEXTS[:2], None, *TEXTS[3:]]
            assert result.rules() == {"answer-missing"}

    def test_inner_objects_go_by_path(self, read: Reader) -> None:
        record = {key: value for key, value in flat().items() if key != "patient"}
        mapping = flat_mapping(fields__patient={"column": "who.ids.0"})
        result = read(lines({**record, "who": {"ids": ["p7", "x"]}}), mapping=mapping)
        assert set(result.reading.rows["patient_id"]) == {"p7"}
        assert result.at("column-unexpected") == [(1, "who.ids.1")]

    def test_a_name_that_no_record_has_refuses_the_file(self, read: Reader) -> None:
        record = {key: value for key, value in flat().items() if key != "q4"}
        result = read(lines(record), mapping=flat_mapping())
        assert result.at("column-missing") == [(1, "q4")]

    def test_long_data_in_json(self, read: Reader) -> None:
        keys = ["patient", "therapist", "session", "date", "code", "answer"]
        records = [
            dict(zip(keys, line.split(","), strict=True))
            for line in long_lines("p1", "1,2,0,1,2,0,1,2,0")
        ]
        result = read(json.dumps(records), mapping=long_mapping(read__format="json"))
        assert values(result) == TEXTS


answer_lists = st.lists(
    st.lists(st.sampled_from(["0", "1", "2", "3", ""]), min_size=9, max_size=9),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(answer_lists)
def test_a_table_its_long_form_and_its_responses_read_alike(
    tmp_path_factory: Any, forms: list[list[str]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("alike")
    ordinary = [row(f"p{n}", session=n, answers=",".join(cells)) for n, cells in enumerate(forms)]
    (folder / "table.csv").write_text(text(*ordinary, header=HEADER))
    long = [
        line for n, cells in enumerate(forms) for line in long_lines(f"p{n}", ",".join(cells), n)
    ]
    (folder / "long.csv").write_text(text(*long))
    responses = [
        response(
            f"p{n}", [int(cell) if cell else None for cell in cells], n,
            encounter={"reference": f"Encounter/{n}"}, basedOn=[{"display": "t1"}],
        )
        for n, cells in enumerate(forms)
    ]  # fmt: skip
    (folder / "responses.ndjson").write_text(lines(*responses))
    fields = {
        "session": {"column": "encounter.reference", "extract": r"Encounter/(\d+)", "type": "int"},
        "therapist": {"column": "basedOn.display"},
    }
    table = read_paths([folder / "table.csv"], phq_mapping()).rows
    by_code = read_paths([folder / "long.csv"], long_mapping()).rows
    by_link = read_paths([folder / "responses.ndjson"], fhir_mapping(fields=fields)).rows
    assert table.rows() == by_code.rows() == by_link.rows()
    assert isinstance(table, pl.DataFrame) and len(table) == 9 * len(forms)
