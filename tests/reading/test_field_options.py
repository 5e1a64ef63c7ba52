"""Every option on every field of a mapping changes what is read, or is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Action, Appointment, Episode, Fields, Form, Mapping, check_mapping
from schemas.mapping_faults import MappingFaults
from schemas.mapping_parts import FieldRule
from tests.reading.conftest import HEADER, REGISTRY, Read, phq_mapping, row

Reader = Callable[..., Read]

# Two words that the field may say; other fields are ids, texts and dates.
WORDS = {
    "kind": ("call", "letter"), "outcome": ("reached", "declined"),
    "respondent": ("patient", "relative"), "status": ("attended", "no_show"),
    "mode": ("video", "telephone"), "end_reason": ("completed", "dropout"),
    "sex": ("female", "male"), "age_band": ("18_25", "26_35"), "language": ("de", "fr"),
    "diagnosis_group": ("anxiety", "other"), "employment": ("employed", "retired"),
    **dict.fromkeys(("interpreter", "interpreter_needed", "previous_treatment", "end_planned"), ("yes", "no")),
}  # fmt: skip
INSTANTS, DAYS = ("answered_at", "planned_at"), ("start", "end", "referral", "acted_on")
IDS = ("patient", "therapist", "episode", "id")
# Cells and the option's value by kind; None where the kind refuses it.
CELLS = {
    "id": "a1",
    "text": "a1",
    "word": "ab",
    "instant": "2026-03-01 03:04:17",
    "day": "2026-03-01 03:04:17",
}
OTHERS = {
    "id": "z9",
    "text": "z9",
    "word": "b",
    "instant": "2026-03-02 03:04:17",
    "day": "2026-03-02 03:04:17",
}
FORMATS = ["%Y-%m-%d %H:%M:%S"]
MOVED = {CELLS["day"]: "2026-03-07 00:00:00"}
OPTIONS: dict[str, dict[str, Any]] = {
    "first_of": dict.fromkeys(CELLS, ...),
    "missing": {what: [cell] for what, cell in CELLS.items()},
    "extract": {"id": "(a)1", "text": "(a)1", "word": "a(b)", "instant": "2026-(.*)", "day": "2026-(.*)"},
    "map": {"id": {"a1": "b2"}, "text": {"a1": "b2"}, "word": ..., "instant": MOVED, "day": MOVED},
    "lookup": {"id": {"a1": "b2"}, "text": {"a1": "b2"}, "word": ..., "instant": MOVED, "day": MOVED},
    "pad": {"id": 4, "text": 4, "word": None, "instant": 25, "day": 25},
    "matches": dict.fromkeys(CELLS, "zzz"),
    "type": {"id": "int", "text": "int", "word": None, "instant": None, "day": None},
    "formats": {"id": None, "text": None, "word": None, "instant": ["%d.%m.%y"], "day": ["%d.%m.%y"]},
    "zone": {"id": None, "text": None, "word": None, "instant": "Asia/Tokyo", "day": "Asia/Tokyo"},
    "precision": {"id": None, "text": None, "word": None, "instant": "minute", "day": None},
    "personal": {"id": True, "text": None, "word": None, "instant": None, "day": None},
}  # fmt: skip
ANY = {
    "pad": 4,
    "type": "int",
    "formats": FORMATS,
    "zone": "Asia/Tokyo",
    "precision": "minute",
    "personal": True,
}
STORED = {
    "patient": "patient_id", "therapist": "therapist_id", "episode": "episode_id",
    "session": "session_label", "id": "row_id", "start": "started_on", "end": "ended_on",
    "referral": "referred_on",
}  # fmt: skip
PARTS = {
    "fields": Fields, "form": Form, "appointment": Appointment, "episode": Episode, "action": Action,
}  # fmt: skip


def kind(field: str) -> str:
    if field in WORDS:
        return "word"
    if field in INSTANTS + DAYS:
        return "instant" if field in INSTANTS else "day"
    return "id" if field in IDS else "text"


def walked() -> Iterator[tuple[str, str]]:
    """Every field of every part of the grammar that has them."""
    for part, model in PARTS.items():
        for name, field in model.model_fields.items():
            if "FieldRule" in str(field.annotation):
                yield part, name


def rule(part: str, name: str, option: str | None) -> dict[str, Any]:
    """A field's rule, with an option that should change what it reads."""
    what, column = kind(name), f"{part}.{name}"
    words = WORDS.get(name, ("", ""))
    told: dict[str, Any] = {"column": column}
    if what == "word":
        told["map"] = {"ab": words[0], "b": words[1]}
    if what in ("instant", "day"):
        told["formats"] = FORMATS
    value = OPTIONS[option][what] if option else None
    if option == "first_of":
        return {key: v for key, v in told.items() if key != "column"} | {
            "first_of": ["other " + column]
        }
    if option == "map" and what == "word":
        value = {"ab": words[1]}
    elif option == "lookup" and what == "word":
        value = {words[0]: words[1]}
    return told if value is None else {**told, str(option): value}


def mapping(
    option: str | None = None, only: tuple[str, str] | None = None, value: Any = None
) -> Mapping:
    """All fields with an option, or one of them with a value."""
    parts: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for part, name in walked():
        parts[part][name] = rule(part, name, option if only is None else None)
        if only == (part, name):
            parts[part][name][str(option)] = value
    own = {"instrument": "PHQ-9", "scores": {"total": "total"}, **parts.pop("form")}
    shared = {"instrument": "GAD-7", "scores": {"total": "total"}, "respondent": "patient"}
    source = {"delivery": "append", "read": {"format": "csv"}}
    log = {**source, "name": "log", "match": "*.log", "action": parts.pop("action")}
    log["fields"] = {"ignore": ["*"]}
    parts["fields"]["ignore"] = ["*"]
    care = {**source, "name": "care", "match": "*.csv", "form": [own, shared], **parts}
    clinic = {"id": "x", "timezone": "Europe/Berlin"}
    return check_mapping({"mapping": 1, "clinic": clinic, "source": [care, log]})


@cache
def outcome(option: str | None) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By field: what is stored of it, and the rules of the findings on its column."""
    columns = [(f"{part}.{name}", kind(name)) for part, name in walked()]
    cells = {name: CELLS[what] for name, what in columns}
    cells |= {f"other {name}": OTHERS[what] for name, what in columns} | {"total": "7"}
    con = duckdb.connect()
    Pseudonyms(None, "x").install(con)
    rules = DeliveryRules(mapping(option), REGISTRY, date(1900, 1, 1), None)
    state = open_state(with_text=False)
    told: list[tuple[Any, ...]] = []
    with TemporaryDirectory() as folder:
        (scratch := Path(folder) / "scratch").mkdir()
        for number, name in enumerate(("file.csv", "file.log")):
            path = Path(folder) / name
            path.write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
            task = read_delivery(con, path, rules, scratch, f"d{number}")
            merge_file(con, task, state, f"d{number}", date(9999, 1, 1), rules)
            told += task.reading.findings.frame().select("column_name", "rule").rows()
    stored: dict[str, dict[str, Any]] = {}
    for part, query in {
        "fields": "form_version where instrument_id = 'gad7'", "form": "form_version where instrument_id = 'phq9'",
        "appointment": "appointment_version", "episode": "episode_version", "action": "action_version",
    }.items():  # fmt: skip
        found = con.execute(f"from {query}").pl().to_dicts()
        stored[part] = found[0] if found else {}
    return {
        (part, name): (
            stored[part].get(STORED.get(name, name)),
            stored[part].get("answered_precision") if name == "answered_at" else None,
            sorted(r for column, r in told if column == f"{part}.{name}"),
        )
        for part, name in walked()
    }


def test_all_fields_are_read_without_options() -> None:
    for field, (value, _, rules) in outcome(None).items():
        assert value is not None, field
        assert set(rules) <= {"respondent-unexpected"}, field


@pytest.mark.parametrize("option", [name for name in FieldRule.model_fields if name != "column"])
def test_an_option_changes_what_is_read_or_is_refused(option: str) -> None:
    for part, name in walked():
        if OPTIONS[option][kind(name)] is None:
            with pytest.raises(MappingFaults) as refused:
                mapping(option, (part, name), ANY[option])
            assert f"{part.replace('form', 'form.1')}.{name}" in str(refused.value)
            assert option in str(refused.value)
        else:
            assert outcome(option)[part, name] != outcome(None)[part, name], (part, name)


def dated(read: Reader, *days: str, **rule: Any) -> list[Any]:
    """The dates of forms as they are read by a rule."""
    mapping = phq_mapping(fields__answered_at={"column": "date", **rule})
    text = "\n".join([HEADER, *(row(f"p{n}", day=day) for n, day in enumerate(days)), ""])
    return [found[10] for found in read(text, mapping=mapping).rows if found[7] == "1"]


def test_a_date_is_cut_out_looked_up_and_mended_before_it_is_read(read: Reader) -> None:
    told = {"formats": ["%d%m%Y"], "pad": 8, "matches": "[0-3].*"}
    assert dated(read, "1032026", "01032026", **told) == ["2026-03-01"] * 2
    assert dated(read, "am 1.3.2026", formats=["%d.%m.%Y"], extract="am (.*)") == ["2026-03-01"]
    assert dated(read, "Baseline", formats=["iso"], lookup={"Baseline": "2026-03-01"}) == [
        "2026-03-01"
    ]
    assert dated(read, "3/26", formats=["iso"], map={r"(\d)/(\d\d)": r"20\2-0\1-15"}) == [
        "2026-03-15"
    ]


def test_a_day_alone_has_no_hour_and_no_zone(read: Reader) -> None:
    """A day without a time is the same day everywhere."""
    days = ["2026-03-01", "2026-03-01 23:30:00"]
    assert dated(read, *days, formats=["iso"], zone="Asia/Tokyo") == [
        "2026-03-01",
        "2026-03-01T23:30:00+09:00",
    ]
    mixed = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"]
    assert dated(read, *days, formats=mixed) == ["2026-03-01", "2026-03-01T23:30:00"]
    assert dated(read, *days, formats=mixed, precision="second") == [
        "2026-03-01",
        "2026-03-01T23:30:00",
    ]
    assert dated(read, "2026-03-01T10:30:59+01:00", formats=["iso"], precision="minute") == [
        "2026-03-01T10:30:00+01:00"
    ]


IDLE = [
    ({"shrink": {"warn": 0.9}}, "shrink is for delivery"),
    ({"form": [{"instrument": "ORS", "respondent": "patient", "scores": {"total": "q1"}, "reversed": "already"}]}, "speak of items"),
    ({"form": [{"instrument": "ORS", "respondent": "patient", "scores": {"total": "q1"}, "values": {"map": {"1": 1}}}]}, "speak of items"),
    ({"form": [], "code": [{"column": "q1", "value": "q2", "map": {"a": ["ORS", "total"]}, "reversed": "already"}]}, "speak of items"),
    ({"episode": {"start": {"column": "date"}, "session": {"column": "session"}}}, "unknown key"),
    ({"episode": {"start": {"column": "date"}, "end_reason": {"column": "q1", "map": {"1": "dropout"}, "lookup": {"dropout": "gone"}}}}, "gone is not one"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), IDLE)
def test_what_would_say_nothing_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MappingFaults, match=told):
        phq_mapping(**changes)


def test_another_version_of_a_form_is_told(read: Reader) -> None:
    form = {"instrument": "PHQ-9", "respondent": "patient", "items": {"columns": "q{}", "count": 9}}
    text = f"{HEADER}\n{row()}\n"
    assert (
        "version-unexpected"
        in read(text, mapping=phq_mapping(form=[{**form, "version": "A"}])).rules()
    )
    assert (
        "version-unexpected"
        not in read(text, mapping=phq_mapping(form=[{**form, "version": "1"}])).rules()
    )


def test_the_range_of_a_column_for_each_session_is_held(read: Reader) -> None:
    wide = {
        "columns": "{form}_{time}",
        "forms": {"phq": ["PHQ-9", "total", 0, 20]},
        "times": {"s(.)": r"\1"},
    }
    fields = {"patient": {"column": "id"}, "answered_at": {"column": "date"}}
    mapping = phq_mapping(form=(), wide=wide, fields=fields)
    result = read("id,date,phq_s1,phq_s2\np1,2026-03-01,20,21\n", mapping=mapping)
    assert [found[8] for found in result.rows] == ["20"]
    assert result.at("code-out-of-range") == [(2, "phq_s2")]
