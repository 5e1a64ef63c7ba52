"""Forms side by side in one record: judged by kind, keyed once, and stored each as a row of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.reading import judge
from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping
from tests.reading.conftest import HEADER, REGISTRY, Read, phq_mapping, row

Reader = Callable[..., Read]
GAD = {"instrument": "GAD-7", "respondent": "patient", "items": {"columns": "g{}", "count": 7}}
PHQ = {"instrument": "PHQ-9", "respondent": "patient", "items": {"columns": "q{}", "count": 9}}
BOTH = f"{HEADER},{','.join(f'g{n}' for n in range(1, 8))}"
KEYED: dict[str, Any] = {"key": ["patient", "session"], "form": [PHQ, GAD]}


def stored(text: str, folder: Path, key: bytes, mapping: Mapping, clinic: str = "test") -> list:
    """The rows that one file leaves under a key."""
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    con = duckdb.connect()
    Pseudonyms(key, clinic).install(con)
    rules = DeliveryRules(mapping, REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
    task = read_delivery(con, path, rules, folder, "d0")
    merge_file(con, task, open_state(with_text=False), "d0", date(2026, 12, 31), rules)
    return con.execute(
        "select row_id, instrument_id, line, list_sum(answers) from form_version order by all"
    ).fetchall()


def both(session: int, phq: int = 1, gad: int = 1) -> str:
    return f"{row(session=session, answers=','.join([str(phq)] * 9))},{','.join([str(gad)] * 7)}"


@pytest.mark.parametrize("size", [1, 2, 1_000])
def test_every_record_of_a_wrong_kind_is_told(
    read: Reader, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(judge, "BATCH_ROWS", size)
    lines = [
        row("p1", day="2026-03-01"),
        row("", day="2026-03-01"),
        row("p3", day="2026-03-02"),
        row("", day="2026-03-01"),
        row("p5", day="2026-99-99"),
        row("", day="2026-03-02"),
        row("p7", day="2026-99-99", answers="1,2,0,1,2,0,1,2,7"),
    ]
    result = read("\n".join([HEADER, *lines, ""]))
    assert result.at("id-missing") == [(3, "patient"), (5, "patient"), (7, "patient")]
    assert result.at("date-unreadable") == [(6, "date"), (8, "date")]
    assert result.at("answer-out-of-range") == [(8, "q9")]
    assert result.forms == 2


def test_forms_of_a_record_have_ids_of_their_own(tmp_path: Path) -> None:
    text = "\n".join([BOTH, both(1), both(2), ""])
    mapping = phq_mapping(**KEYED)
    found = stored(text, tmp_path, b"k" * 32, mapping)
    assert [len(row_id) for row_id, *_ in found] == [32] * 4
    ids = {row_id for row_id, *_ in found}
    assert len(ids) == 4
    assert ids == {row_id for row_id, *_ in stored(text, tmp_path, b"k" * 32, mapping)}
    for key, clinic in ((b"K" * 32, "test"), (b"k" * 32, "other")):
        others = stored(text, tmp_path, key, mapping, clinic)
        assert ids.isdisjoint(row_id for row_id, *_ in others)


@pytest.mark.parametrize("blank", ["", "\n"])
def test_rows_stand_on_the_line_of_their_record(tmp_path: Path, blank: str) -> None:
    """Lines are counted on, or looked up where something stands between the records."""
    text = f"{BOTH}\n{both(1, 1, 2)}\n{blank}{both(2, 2, 3)}\n"
    found = stored(text, tmp_path, b"k" * 32, phq_mapping(**KEYED))
    second = 3 + len(blank)
    expected = {("phq9", 2, 9), ("gad7", 2, 14), ("phq9", second, 18), ("gad7", second, 21)}
    assert {(form, line, int(total)) for _, form, line, total in found} == expected


def test_a_key_that_comes_twice_is_chained_for_each_form(tmp_path: Path) -> None:
    """The first form of the second record says the same again, the other something new."""
    text = "\n".join([BOTH, both(1, 1, 1), both(1, 1, 3), ""])
    found = stored(text, tmp_path, b"k" * 32, phq_mapping(**KEYED))
    assert {(form, line, int(total)) for _, form, line, total in found} == {
        ("phq9", 2, 9),
        ("gad7", 2, 7),
        ("gad7", 3, 21),
    }


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_line_breaks_and_letters_cut_by_a_piece_are_read_whole(
    read: Reader, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Pieces of plain text are taken over as they are, between others that have to be decoded."""
    monkeypatch.setattr("flows.reading.delimited.CHUNK_BYTES", size)
    lines = [HEADER, row("p1"), row("pä"), row("p3", 2)]
    endings = ["\r\n", "\r", "\n", "\r\n"]
    result = read("".join(line + end for line, end in zip(lines, endings, strict=True)))
    assert [(r[1], r[4]) for r in result.rows[::9]] == [("p1", "1"), ("pä", "1"), ("p3", "2")]
