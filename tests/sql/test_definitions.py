"""No definition changes under the version that auditors know it by."""

from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from flows.sql_files import SQL_ROOT, SqlFile, read_sql_files
from flows.sql_header import read_header
from tests.instruments.published import contents
from tests.sql.data_definitions import questionnaire, thresholds
from tests.sql.definitions import (
    LOCK,
    definition_of,
    definitions,
    faults,
    normalised,
    remembered,
    update,
)

REMEDY = (
    "\nRaise its `version` (`scoring_version` of a questionnaire's file), name the figure that moves in CHANGELOG.md under 'Changes to numbers',"
    " and run `make definitions`."
)


def test_no_definition_changed_without_raising_its_version() -> None:
    wrong = faults(remembered(LOCK.read_text(encoding="utf-8")), definitions())
    assert not wrong, "\n".join(wrong) + REMEDY


def test_every_definition_is_remembered() -> None:
    known, found = remembered(LOCK.read_text(encoding="utf-8")), definitions()
    stale = sorted(name for name in {*known, *found} if known.get(name) != found.get(name))
    assert not stale, f"{', '.join(stale)}: run `make definitions`"


def copy(root: Path, **changes: str) -> Path:
    """One measure in a folder of its own, changed."""
    target = root / "sql" / "measure" / "paired_outcome.sql"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (SQL_ROOT / "measure" / "paired_outcome.sql").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("changes", "is_change"),
    [
        ({"category <> 'unpaired'": "category  <>\n  'unpaired' -- complete\n"}, False),
        ({"-- why:     Below": "-- why:     Under"}, False),
        ({"category <> 'unpaired'": "category = 'unpaired'"}, True),
        ({"'unpaired'": "'Unpaired'"}, True),
        ({"-- minimum: 5": "-- minimum: 4"}, True),
        ({"-- better:  higher": "-- better:  lower"}, True),
        ({"therapist_id?": "therapist_id"}, True),
    ],
)
def test_a_change_is_seen_and_a_new_line_is_none(
    tmp_path: Path, changes: dict[str, str], is_change: bool
) -> None:
    before = next(f for f in read_sql_files() if f.name == "measure.paired_outcome")
    path = copy(tmp_path, **changes)
    after = _read(path)
    assert (definition_of(before) != definition_of(after)) is is_change
    raised = _read(copy(tmp_path, **changes, **{"-- version: 1": "-- version: 2"}))
    known = {"m": definition_of(before)}
    assert bool(faults(known, {"m": definition_of(after)})) is is_change
    assert faults(known, {"m": definition_of(raised)}) == []
    lowered = {"m": definition_of(raised)}
    assert "down to 1" in faults(lowered, known)[0]


def _read(path: Path) -> SqlFile:
    text = path.read_text(encoding="utf-8").strip()
    return SqlFile("measure", path.stem, "x", text, read_header(text, "x"))


def test_the_lock_does_not_forget_a_definition_under_its_version(tmp_path: Path) -> None:
    lock = tmp_path / "definitions.lock"
    found = definitions()
    assert update(lock, found) == []
    assert remembered(lock.read_text(encoding="utf-8")) == found
    name, first = sorted(found.items())[0]
    before = lock.read_bytes()
    wrong = update(lock, {**found, name: first._replace(content="0" * 16)})
    assert len(wrong) == 1 and name in wrong[0] and lock.read_bytes() == before
    raised = {**found, name: first._replace(content="0" * 16, version=first.version + 1)}
    assert update(lock, raised) == []
    del raised[name]
    assert update(lock, raised) == [] and name not in lock.read_text(encoding="utf-8")


def test_a_threshold_is_its_value_and_not_its_source() -> None:
    said = {"value": 42, "least": 1, "most": 3650, "source": "Rapport's own rule."}
    known = thresholds({"gap_days": said})
    assert thresholds({"gap_days": {**said, "source": "Other words.", "most": 100}}) == known
    moved = thresholds({"gap_days": {**said, "value": 43}})
    assert faults(known, moved) == [
        "defaults.toml/gap_days: its definition changed and its version is still 1"
    ]
    assert faults(known, thresholds({"gap_days": {**said, "value": 43, "version": 2}})) == []
    listed = thresholds({"phase_ends": {**said, "value": [5, 10]}})
    assert faults(listed, thresholds({"phase_ends": {**said, "value": [10, 5]}}))


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (("reversed",), [1, 2], "instruments/core10"),
        (("scales", "total", "missing", "max"), 2, "instruments/core10"),
        (("bands", 0, "label"), "fine", "instruments/core10"),
        (("risk", 0, "value"), 2, "instruments/core10"),
        (("cutoffs", 0, "op"), ">", "instruments/core10/cutoffs/"),
        (("reliable_change", 0, "value"), 7, "instruments/core10/reliable_change/"),
        (("norms", 0, "sd"), 3, "instruments/core10/norms/"),
        (("note",), "Other words.", None),
        (("cutoffs", 0, "source"), "Another paper.", None),
    ],
)
def test_what_a_questionnaire_computes_has_a_version(
    path: tuple[Any, ...], value: object, wrong: str | None
) -> None:
    data = deepcopy(contents()["core10"])
    known = questionnaire(data)
    *steps, last = path
    place: Any = reduce(getitem, steps, data)
    assert place[last] != value
    place[last] = value
    found = faults(known, questionnaire(data))
    assert [line.startswith(wrong) for line in found] == [True] if wrong else found == []
    place["version"] = 2
    raised = {**data, "scoring_version": 2}
    assert faults(known, questionnaire(raised)) == []


def test_text_in_quotes_is_not_a_comment() -> None:
    assert normalised("select 'a -- b'  -- c\n, /* d */ x") == "select 'a -- b' , x"
