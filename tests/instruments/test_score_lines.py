"""rapport score: lines in, the same lines with scores out, and a sentence for each faulty one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows import score_lines as scoring
from tests.instruments.published import contents, scored

PHQ9 = {"inst": "phq9", "input": "raw", "items": [1] * 9}


def command(*words: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "score", *map(str, words)],
        input=given, capture_output=True, check=False,
    )  # fmt: skip


def test_lines_come_back_in_order_with_what_else_they_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "AT_ONCE", 3)
    forms = [{**PHQ9, "id": f"ä{n}", "items": [n % 4] + [0] * 8, "scores": 7} for n in range(10)]
    found = scored(forms)
    assert [line["id"] for line in found] == [f"ä{n}" for n in range(10)]
    assert [line["scores"]["total"] for line in found] == [n % 4 for n in range(10)]
    assert found[0]["items"] == [0] * 9


def test_a_missing_score_has_its_reason_and_a_missing_risk_answer_is_not_known() -> None:
    found = scored([{**PHQ9, "items": [1] * 8 + [None]}])[0]
    assert found["scores"] == {"total": None}
    assert found["why_not"] == {"total": "1 of 9 items of total is missing"}
    assert found["bands"] == {}
    assert found["flags"] == [{"item": 9, "topic": "self-harm thoughts", "flagged": None}]


def test_not_applicable_is_neither_missing_nor_an_answer() -> None:
    wsas: dict[str, Any] = {"inst": "WSAS", "input": "raw"}
    found = scored([{**wsas, "items": ["NA", 1, 2, 3, 4]}, {**wsas, "items": [None, 1, 2, 3, 4]}])
    assert [line["scores"]["total"] for line in found] == [10, None]


def test_numbers_are_decimal() -> None:
    found = scored([{"inst": "ors", "input": "raw", "items": [6.1, 6.3, 6.2, 6.4]}])[0]
    assert found["scores"] == {"total": 25}


FAULTS: dict[str, tuple[str, str]] = {
    "no json": ("{", "not readable as JSON"),
    "a list": ("[1]", "a line must be a table"),
    "not a number": ('{"inst": "phq9", "items": [NaN]}', "not readable as JSON"),
    "endless number": ('{"inst": "phq9", "x": 1e999}', "not readable as JSON"),
    "endlessly small": ('{"inst": "phq9", "x": 1e-777777777777777777777}', "not readable as JSON"),
    "key twice": (json.dumps(PHQ9).replace("{", '{"inst": "gad7", '), "a key is there twice"),
    "nearly a step": (
        json.dumps(PHQ9).replace("[1", f"[0.{'9' * 40}"),
        "items: 1 can be no answer",
    ),
    "nested": ("[" * 100_000, "not readable as JSON"),
    "no instrument": ('{"input": "raw"}', "inst: must be one of"),
    "unknown instrument": ('{"inst": "said by 777"}', "inst: must be one of"),
    "switched off": ('{"inst": "oq30_2"}', "inst: OQ-30.2 is not in use"),
    "no input": ('{"inst": "phq9"}', "input: must be raw"),
    "too short": ('{"inst": "phq9", "input": "raw", "items": [777]}', "a list of 9 answers"),
    "out of range": (
        '{"inst": "phq9", "input": "raw", "items": [0,777,0,0,0,0,-1,0,0]}',
        "items: 2, 7 can be no answer; PHQ-9 has 0 to 3 in steps of 1",
    ),
    "between steps": (
        '{"inst": "phq9", "input": "raw", "items": [0.5,0,0,0,0,0,0,0,0]}',
        "items: 1 can be no answer",
    ),
    "true": (
        '{"inst": "phq9", "input": "raw", "items": [true,0,0,0,0,0,0,0,"777"]}',
        "items: 1, 9 can be no answer",
    ),
}


@pytest.mark.parametrize(("line", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_line_costs_that_line_alone(line: str, fault: str) -> None:
    back: list[str] = []
    good = json.dumps(PHQ9).encode()
    tally = scoring.score_lines(
        [good, line.encode(), b"", good], scoring_instruments(), back.append
    )
    found = [json.loads(text) for text in back]
    assert fault in found[1]["error"] and found[1]["line"] == 2
    assert "777" not in back[1] and "0.5" not in back[1]
    assert [found[0]["scores"], found[2]["scores"]] == [{"total": 9}, {"total": 9}]
    assert (tally.lines, tally.faulty) == (3, [2])


def scoring_instruments() -> Any:
    from tests.sql.warehouse_fixture import shipped

    return shipped()


def test_the_command_scores_a_file_or_its_input_with_the_services_own_forms(tmp_path: Path) -> None:
    own = dict(contents()["gad7"], id="own_scale", name="Our scale", names=["Our scale"])
    (tmp_path / "instruments").mkdir()
    (tmp_path / "instruments" / "own.yaml").write_text(json.dumps(own), encoding="utf-8")
    line = json.dumps({"inst": "our scale", "input": "raw", "items": [1] * 7}).encode() + b"\n"
    (tmp_path / "forms.jsonl").write_bytes(b"\xef\xbb\xbf" + line)
    from_file = command(tmp_path / "forms.jsonl", "-w", tmp_path)
    assert from_file.returncode == 0, from_file.stderr
    assert json.loads(from_file.stdout)["scores"] == {"total": 7}
    from_input = command("-", "-w", tmp_path, given=line + b"\xff\n")
    assert from_input.returncode == 32
    assert json.loads(from_input.stdout.splitlines()[1]) == {"line": 2, "error": "not UTF-8"}
    assert b"1 of 2 lines have faults: 2" in from_input.stderr


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        result = command(path)
        assert result.returncode == 1
        assert b"cannot be read" in result.stderr and b"Traceback" not in result.stderr
