"""Objects read together by how they are built come out as each does by itself, whatever is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import FileRefused
from flows.reading import json_shapes, json_stretches
from flows.reading.finding import Findings
from flows.reading.json_table import prepare_json
from schemas.export_format import Source
from tests.reading.test_json import (
    GOOD,
    answer,
    bundle,
    fhir_mapping,
    flat_mapping,
    lines,
    response,
)

ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
WORDS = ("2", "", "ü", 'a"b', "\\", "\r\n", "\ue000", "\ufffd", "{", "Patient/1", "#p", "😀", "e1")
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "identifier": [{"system": "urn:a", "value": "X9"}, {"system": "urn:b", "value": "00417"}],
}
FIELDS = {
    "patient": {"column": "subject.identifier[urn:b]"},
    "episode": {"column": "note"},
    "session": {"column": "p1"},
}
MAPPINGS = {
    "links": fhir_mapping(),
    "codes": fhir_mapping(form={"values": {"map": {"LA1": 2, **{str(n): n for n in range(4)}}}}),
    "references": fhir_mapping(fields=FIELDS, version="meta.lastUpdated"),
    "flat": flat_mapping(),
}


def coded(code: str, ordinal: float) -> dict[str, Any]:
    return {"valueCoding": {"code": code, "extension": [{"url": ORDINAL, "valueDecimal": ordinal}]}}


answers = st.one_of(
    st.sampled_from([0, 1, 2, 3, 1.50, 1e1, -1, None]),
    st.sampled_from(WORDS).map(lambda word: {"valueString": word}),
    st.builds(coded, st.sampled_from(["LA1", "LA2"]), st.sampled_from([0, 2.0])),
    st.sampled_from([{}, {"valueInteger": None}, {"valueBoolean": True}]),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["amended", "entered-in-error", "", None, 3]),
        "author": st.sampled_from([{"reference": "Practitioner/1"}, {"reference": ""}]),
        "source": st.sampled_from([{"reference": "Patient/1"}, {"reference": ""}]),
        "subject": st.sampled_from([{"reference": word} for word in ("#p", "#q", "Patient/1")]),
        "contained": st.sampled_from([[{**PATIENT, "id": key}] for key in "pq"]),
        "meta": st.just({"lastUpdated": "2026-03-02T10:00:00Z"}),
        "note": st.sampled_from(WORDS),
        "item": st.sampled_from([None, "none", [{"answer": []}], [{"linkId": 5}]]),
        "resourceType": st.sampled_from(["Patient", 7, None]),
    },
)
records = st.lists(
    st.builds(
        lambda patient, given, changed: response(patient, given, **changed),
        st.sampled_from("123"),
        st.one_of(st.lists(answers, min_size=9, max_size=9), st.just(GOOD)),
        changes,
    )
    | st.just(PATIENT),
    min_size=1,
    max_size=9,
)
ways = {
    "lines": lambda found: lines(*found),
    "plain": lambda found: "".join(json.dumps(r, ensure_ascii=False) + "\r\n" for r in found),
    "bundle": lambda found: bundle(*found, link=[{"relation": "self", "url": "x"}]),
    "array": lambda found: json.dumps(found, indent=1).replace('": ', '" : '),
}
harms = st.tuples(
    st.sampled_from(["none", "cut", "byte", "drop", "put", "double"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([b"{", b"}", b"[", b'"', b",", b":", b"\n", b"\x01", b"9", b"-", b"\\", b"e"]),
)


def harmed(whole: bytes, harm: tuple[str, float, bytes]) -> bytes:
    kind, where, byte = harm
    at = int(where * len(whole))
    return {
        "none": whole,
        "cut": whole[:at],
        "byte": whole[:at] + byte + whole[at + 1 :],
        "drop": whole[:at] + whole[at + 1 :],
        "put": whole[:at] + byte + whole[at:],
        "double": whole[: at + 99] + whole[at:],
    }[kind]


def outcome(path: Path, source: Source, fewest: int, patch: pytest.MonkeyPatch) -> Any:
    patch.setattr(json_shapes, "FEWEST", fewest)
    findings = Findings()
    try:
        table = prepare_json(path, source, path.with_suffix(".txt"), findings)
    except FileRefused as refusal:
        return refusal.rule, refusal.line, refusal.column, refusal.about
    return (
        table.path.read_bytes(), table.columns, table.lines.tolist(), table.starts.tolist(),
        table.ends_unfinished, findings.frame().rows(),
    )  # fmt: skip


@settings(
    max_examples=80, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(records, st.sampled_from(sorted(ways)), st.sampled_from(sorted(MAPPINGS)), harms)
def test_together_as_each_by_itself(
    tmp_path_factory: Any, found: Any, way: str, mapping: str, harm: tuple[str, float, bytes]
) -> None:
    path: Path = tmp_path_factory.mktemp("shapes") / "export"
    path.write_bytes(harmed(ways[way](found).encode(), harm))
    source = MAPPINGS[mapping].source[0]
    with pytest.MonkeyPatch.context() as patch:
        by_itself = outcome(path, source, 1_000_000, patch)
        together = outcome(path, source, 1, patch)
        patch.setattr(json_stretches, "STRETCH_BYTES", 700)
        assert outcome(path, source, 1, patch) == together == by_itself


@pytest.mark.parametrize("way", ways)
def test_so_many_responses_are_not_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    found = [response(str(n), [n % 4] * 9, note="ä" * n) for n in range(200)]
    (tmp_path / "export").write_text(ways[way](found), encoding="utf-8")
    seen: list[str] = []
    read = json_stretches.records_of
    monkeypatch.setattr(
        "flows.reading.json_table.records_of",
        lambda stretch, text, line: seen.append(text) or read(stretch, text, line),
    )
    source = MAPPINGS["references"].source[0]
    table = prepare_json(tmp_path / "export", source, tmp_path / "text", Findings())
    assert len(table.starts) == 200
    # The first has no note, and what follows the last is not what follows others; in two passes.
    assert len(seen) <= 4


def test_what_is_no_number_of_json_is_told_where_many_are_alike(tmp_path: Path) -> None:
    good = [json.dumps(response(str(n), [answer(1)] * 9)) for n in range(100)]
    for wrong in ("01", "-", "1.", "+1", "1-2", "NaN", "#"):
        bad = good[0].replace('"valueInteger": 1', f'"valueInteger": {wrong}', 1)
        (tmp_path / "export").write_text("\n".join([*good[:50], bad, *good[50:], ""]))
        source = MAPPINGS["links"].source[0]
        prepare_json(tmp_path / "export", source, tmp_path / "text", Findings())
        rows = (tmp_path / "text").read_text().splitlines()
        assert [n for n, row in enumerate(rows) if row.startswith("!")] == [50], wrong
