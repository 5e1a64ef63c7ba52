"""A wrong questionnaire file is refused with every fault, each with its dotted path."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.instrument import SHIPPED, InstrumentFaults, find, load_instruments
from schemas.instrument_check import faults_of
from tests.sql.warehouse_fixture import shipped

Change = Callable[[dict[str, Any]], object]


def content(name: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((SHIPPED / name).read_text(encoding="utf-8"))


FAULTS: dict[str, tuple[str, Change, str]] = {
    "unknown key": (
        "phq9.yaml",
        lambda d: d.update(colour="red"),
        "colour: unknown key",
    ),
    "missing source": (
        "phq9.yaml",
        lambda d: d["cutoffs"][0].pop("source"),
        "cutoffs[0].source: missing",
    ),
    "missing rule": (
        "phq9.yaml",
        lambda d: d["scales"]["total"].pop("missing"),
        "scales.total.missing: missing",
    ),
    "counterpart of a patient's form": (
        "wai_sr.yaml",
        lambda d: d.update(counterpart={"instrument": "x", "parallel": True, "source": "s"}),
        "counterpart: belongs to an alliance form of the therapist",
    ),
    "counterpart half said": (
        "arm5_t.yaml",
        lambda d: d["counterpart"].pop("source"),
        "counterpart.source: missing",
    ),
    "wrong word": (
        "phq9.yaml",
        lambda d: d.update(kind="mood"),
        "kind: must be one of symptom, alliance, wellbeing",
    ),
    "reversed out of range": (
        "core10.yaml",
        lambda d: d.update(reversed=[2, 11]),
        "reversed: items [11] are not among 1 to 10",
    ),
    "item twice": (
        "core10.yaml",
        lambda d: d["scales"]["total"]["items"].append(3),
        "scales.total.items: items [3] are named twice",
    ),
    "overlapping parts": (
        "wai_sr.yaml",
        lambda d: d["scales"]["goal"].update(items=[4, 6, 8, 9]),
        "scales.total.parts: items [9] overlap and would count twice",
    ),
    "item of no scale": (
        "wai_sr.yaml",
        lambda d: d["scales"]["goal"].update(items=[4, 6, 8]),
        "scales: items [11] belong to no scale",
    ),
    "part that is no scale": (
        "wai_sr.yaml",
        lambda d: d["scales"]["total"].update(parts=["goal", "mean"]),
        "scales.total.parts: ['mean'] are not scales made of items",
    ),
    "range": (
        "phq9.yaml",
        lambda d: d["scales"]["total"].update(range=[0, 30]),
        "scales.total.range: items and answers give [0, 27]",
    ),
    "band gap": (
        "phq9.yaml",
        lambda d: d["bands"][1].update({"from": 6}),
        "bands[1]: gap before 'mild'; 5 should follow",
    ),
    "band overlap": (
        "phq9.yaml",
        lambda d: d["bands"][1].update({"from": 4}),
        "bands[1]: overlap at 'mild'; 5 should follow",
    ),
    "bands end early": (
        "phq9.yaml",
        lambda d: d["bands"].pop(),
        "bands[3].to: the bands of total must end at 27",
    ),
    "two defaults": (
        "gad7.yaml",
        lambda d: d["reliable_change"][1].update(default=True),
        "reliable_change: total has 2 defaults, one is needed",
    ),
    "no default": (
        "ors.yaml",
        lambda d: d["reliable_change"].clear(),
        "reliable_change: no default for the primary scale 'total'",
    ),
    "size below zero": (
        "ors.yaml",
        lambda d: d["reliable_change"][0].update(value=-5),
        "reliable_change[0]: is a size: >= or > and above 0",
    ),
    "proration without limit": (
        "core10.yaml",
        lambda d: d["scales"]["total"]["missing"].update(max=0),
        "scales.total.missing: rule none goes with max 0, the others do not",
    ),
    "score without answers": (
        "core10.yaml",
        lambda d: d["scales"]["total"]["missing"].update(max=10),
        "scales.total.missing.max: would allow a score without any answer",
    ),
    "example too short": (
        "phq9.yaml",
        lambda d: d["examples"][0].update(answers=[1, 2]),
        "examples[0].answers: 2 answers, 9 items",
    ),
    "example out of range": (
        "phq9.yaml",
        lambda d: d["examples"][0].update(answers=[4, 2, 2, 2, 1, 1, 2, 0, 0]),
        "examples[0].answers: an answer lies outside 0 to 3",
    ),
    "no example": (
        "phq9.yaml",
        lambda d: d["examples"].clear(),
        "examples: at least one worked example is needed",
    ),
    "unknown key in use": (
        "core10.yaml",
        lambda d: d.update(reversed="unknown"),
        "reversed: unknown goes with enabled: false",
    ),
    "risk under an unknown key": (
        "core10.yaml",
        lambda d: d.update(reversed="unknown", enabled=False),
        "risk: needs to be known which items are reversed",
    ),
    "another word for unknown": (
        "core10.yaml",
        lambda d: d.update(reversed="some"),
        "reversed: must be a list of whole numbers, or the word unknown",
    ),
    "a default and a reason for none": (
        "ors.yaml",
        lambda d: d.update(no_reliable_change="none is known"),
        "no_reliable_change: the primary scale 'total' has a default",
    ),
    "item that is no symptom": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["needs"][0].update(items=[1, 12]),
        "criteria[0].needs[0].items: must be items of symptoms, each once",
    ),
    "need that cannot be met": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["needs"][0].update(at_least=3),
        "criteria[0].needs[0].at_least: must lie within its items",
    ),
    "symptom twice": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["symptoms"][1].update(items=[8]),
        "criteria[0].symptoms: items [8] are named twice",
    ),
    "reversed symptom": (
        "phq9.yaml",
        lambda d: d.update(reversed=[2]),
        "criteria[0].symptoms: patterns are of raw answers, so no item is reversed",
    ),
    "symptom outside": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["symptoms"][1].update(items=[10]),
        "criteria[0].symptoms: items [10] are not among 1 to 9",
    ),
    "symptom without operator": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["symptoms"][1].pop("op"),
        "criteria[0].symptoms[1].op: missing",
    ),
    "no need": (
        "phq9.yaml",
        lambda d: d["criteria"][0]["needs"].clear(),
        "criteria[0].needs: at least one is needed",
    ),
    "too few codes": (
        "phq9.yaml",
        lambda d: d["loinc"]["items"].pop(),
        "loinc.items: 8 codes, 9 items",
    ),
    "mistyped code": (
        "gad7.yaml",
        lambda d: d["loinc"]["items"].__setitem__(5, "69689-6"),
        "loinc: '69689-6' has a wrong check digit",
    ),
    "true is no number": (
        "phq9.yaml",
        lambda d: d["answers"].update(max=True),
        "answers.max: must be a number",
    ),
}


@pytest.mark.parametrize(("name", "change", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_is_found_with_its_path(name: str, change: Change, fault: str) -> None:
    data = content(name)
    assert faults_of(data) == []
    change(data)
    assert fault in faults_of(data)


def write(folder: Path, name: str, data: dict[str, Any]) -> None:
    text = StringIO()
    YAML(typ="safe", pure=True).dump(data, text)
    (folder / name).write_text(text.getvalue(), encoding="utf-8")


def test_all_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    phq9, gad7 = content("phq9.yaml"), content("gad7.yaml")
    phq9["kind"] = "mood"
    phq9["norms"][0].pop("sd")
    gad7["reversed"] = [9]
    write(tmp_path, "a.yaml", phq9)
    write(tmp_path, "b.yaml", gad7)
    (tmp_path / "c.yaml").write_text("id: [", encoding="utf-8")
    (tmp_path / "d.yaml").write_bytes(b"id: \xff")
    with pytest.raises(InstrumentFaults) as caught:
        load_instruments([tmp_path])
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "a.yaml", "a.yaml", "b.yaml", "c.yaml", "d.yaml",
    ]  # fmt: skip
    assert "norms[0].sd: missing" in caught.value.faults[1]
    assert "line 1" in caught.value.faults[3] or "line 2" in caught.value.faults[3]
    assert "byte 4" in caught.value.faults[4]


def test_a_missing_source_hides_no_other_fault() -> None:
    data = content("pcl5.yaml")
    data["colour"] = "red"
    data["cutoffs"][0].pop("source")
    data["reversed"] = [21]
    data["scales"]["C"]["items"].append(data["scales"]["B"]["items"][0])
    core10 = content("core10.yaml")
    core10["bands"][1]["from"] += 1
    core10["bands"][1].pop("source")
    assert [fault.partition(": ")[0] for fault in faults_of(data)] == [
        "colour",
        "cutoffs[0].source",
        "reversed",
        "scales.C.range",
        "scales.total.parts",
        "scales.total.range",
    ]
    assert [fault.partition(": ")[0] for fault in faults_of(core10)] == [
        "bands[1].source",
        "bands[1]",
    ]


def test_a_scale_may_be_called_as_words_are() -> None:
    data = content("core10.yaml")
    data["scales"]["source"] = "none"
    assert faults_of(data) == ["scales.source: must be a table"]


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(InstrumentFaults) as raised:
        load_instruments([tmp_path])
    assert raised.value.faults == ["long.yaml: is too large for a questionnaire's file"]


def test_a_name_that_another_instrument_has_is_refused(tmp_path: Path) -> None:
    own = content("gad7.yaml")
    own["id"] = "own_scale"
    write(tmp_path, "own.yaml", own)
    with pytest.raises(InstrumentFaults, match="'gad-7' already stands for gad7"):
        load_instruments([SHIPPED, tmp_path])


def test_own_instruments_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    own = content("gad7.yaml")
    own.update(id="own_scale", names=["Our scale"], name="Our scale")
    write(tmp_path, "own.yaml", own)
    loaded = load_instruments([SHIPPED, tmp_path])
    found = find(loaded, "our  SCALE")
    assert found is not None and found.id == "own_scale"
    assert set(loaded) == {*shipped(), "own_scale"}


def test_only_a_questionnaire_that_is_switched_off_gives_up_its_place(tmp_path: Path) -> None:
    own = content("oq30_2.yaml")
    own.update(reversed=[1, 2], enabled=True, note="with the key of the licence holder")
    for example in own["examples"]:
        example.pop("band", None)
    write(tmp_path, "oq30.yaml", own)
    loaded = load_instruments([SHIPPED, tmp_path])
    assert loaded["oq30_2"].is_enabled and loaded["oq30_2"].reversed == {1, 2}
    assert not shipped()["oq30_2"].is_enabled and not shipped()["oq30_2"].is_key_known
    write(tmp_path, "phq9.yaml", content("phq9.yaml"))
    with pytest.raises(InstrumentFaults, match="'phq9' already stands for phq9"):
        load_instruments([SHIPPED, tmp_path])


@pytest.mark.parametrize(
    ("word", "expected"),
    [("PHQ-9", "phq9"), ("wai-sr", "wai_sr_c"), ("WAI-SRT", "wai_sr_t"), ("srs_v3", "srs_v3"),
     ("OQ-45.2", "oq45_2"), ("HAQ-II", None)],
)  # fmt: skip
def test_instruments_are_found_by_registry_name_or_id(word: str, expected: str | None) -> None:
    found = find(shipped(), word)
    assert (found.id if found else None) == expected


def test_hash_changes_with_any_byte(tmp_path: Path) -> None:
    text = (SHIPPED / "ors.yaml").read_text(encoding="utf-8")
    (tmp_path / "ors.yaml").write_text(text + "# changed\n", encoding="utf-8")
    assert load_instruments([tmp_path])["ors"].content_hash != shipped()["ors"].content_hash
