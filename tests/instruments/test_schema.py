"""The JSON Schema for editors is current, takes what we take, and refuses what has no such shape."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from schemas.instrument import InstrumentFaults, load_instruments
from schemas.instrument_check import faults_of
from schemas.instrument_schema import FILE, MEANINGS, json_schema, schema_text
from tests.instruments.published import contents, scored
from tests.instruments.test_faults import FAULTS, content, write

PAGE = Path(__file__).parents[2] / "docs" / "instruments.md"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def page_example() -> dict[str, Any]:
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    return YAML(typ="safe", pure=True).load(block[1])


def test_the_committed_schema_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), "run make schema"
    VALIDATOR.check_schema(json_schema())


def test_every_meaning_is_said_of_a_key() -> None:
    text = schema_text()
    assert [key for key, words in MEANINGS.items() if json.dumps(words) not in text] == []


@pytest.mark.parametrize("name", contents())
def test_every_shipped_file_fits_the_schema(name: str) -> None:
    assert [error.json_path for error in VALIDATOR.iter_errors(contents()[name])] == []


@pytest.mark.parametrize(("name", "change", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_what_has_the_wrong_shape_is_refused_by_schema_and_reader(
    name: str, change: Any, fault: str
) -> None:
    data = content(name)
    change(data)
    is_about_shape = re.search(r": (missing|unknown key|must be (one of|a |text|true|two))", fault)
    assert (not VALIDATOR.is_valid(data)) == bool(is_about_shape)


def test_the_example_of_the_page_is_read_and_scores_as_it_says(tmp_path: Path) -> None:
    data = page_example()
    assert faults_of(data) == [] and VALIDATOR.is_valid(data)
    write(tmp_path, "sleep.yaml", data)
    own = load_instruments([tmp_path])
    forms = [
        {"inst": "Sleep-4", "input": "raw", "items": row["answers"]} for row in data["examples"]
    ]
    for row, result in zip(data["examples"], scored(forms, own), strict=True):
        assert result["scores"] == row["expect"]
        assert row.get("band", {}).items() <= result["bands"].items()
    said = [json.loads(line) for line in re.findall(r"^\{.*\}$", PAGE.read_text("utf-8"), re.M)]
    assert scored(said[:1], own) == said[1:]


def test_the_faults_of_the_page_are_what_is_said(tmp_path: Path) -> None:
    data = copy.deepcopy(page_example())
    data["reversed"] = [5]
    data["bands"][1]["from"] = 7
    write(tmp_path, "sleep.yaml", data)
    with pytest.raises(InstrumentFaults) as caught:
        load_instruments([tmp_path])
    text = PAGE.read_text(encoding="utf-8")
    assert caught.value.faults == re.findall(r"^  (sleep\.yaml: .*)$", text, re.MULTILINE)
