"""Whatever happens to a file's structure: a finding or the same rows; no crash, no loss in silence."""

from __future__ import annotations

import random
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.file import KINDS, FileReading
from flows.reading.incoming import Pseudonyms
from tests.reading.conftest import HEADER, REGISTRY, phq_mapping, read_paths, row

MAPPING = phq_mapping(key=["patient", "session"])
GENTLE = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
answers = st.lists(st.sampled_from(["0", "1", "2", "3", "", "-9"]), min_size=9, max_size=9)
tables = st.lists(answers, min_size=1, max_size=12)


def as_text(rows: list[list[str]]) -> str:
    lines = [row(f"p{n}", session=n + 1, answers=",".join(cells)) for n, cells in enumerate(rows)]
    return "\n".join([HEADER, *lines, ""])


def canonical(content: bytes) -> tuple[set[tuple[str, ...]], pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        reading = read_paths([path], MAPPING)
    return set(reading.rows.rows()), reading.findings


@GENTLE
@given(tables)
def test_what_was_written_is_read_back(rows: list[list[str]]) -> None:
    found, _ = canonical(as_text(rows).encode())
    reasons = {"": "blank", "-9": "not_answered"}
    expected = {
        ("test", f"p{n}", "t1", None, str(n + 1), "PHQ-9", "patient", str(item),
         None if cell in reasons else cell, reasons.get(cell), "2026-03-01")
        for n, cells in enumerate(rows)
        for item, cell in enumerate(cells, start=1)
    }  # fmt: skip
    assert found == expected


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, bytes]:
    whole = as_text(draw(tables)).encode()
    kind = draw(st.sampled_from(["cut", "delimiter", "quote", "line", "nul", "recode", "swap"]))
    at = draw(st.integers(len(HEADER) + 1, len(whole) - 2))
    lines = whole.splitlines(keepends=True)
    which = draw(st.integers(1, len(lines) - 1))
    changed = {
        "cut": whole[:at],
        "delimiter": whole[:at] + b"," + whole[at:],
        "quote": whole[:at] + b'"' + whole[at:],
        "line": b"".join(lines[: which + 1] + lines[which:]),
        "nul": whole[:at] + b"\x00" + whole[at:],
        "recode": b"".join(lines[:which])
        + lines[which].decode().encode("utf-16")
        + b"".join(lines[which + 1 :]),
        "swap": whole.replace(b",", b";", 1 + at % 40),
    }[kind]
    return whole, changed


@GENTLE
@given(damaged())
def test_damage_ends_in_a_finding_or_the_same_rows(pair: tuple[bytes, bytes]) -> None:
    whole, changed = pair
    before, quiet = canonical(whole)
    after, findings = canonical(changed)
    ordinary = {"answer-missing", "form-without-answers"}
    told = set(findings["rule"]) - ordinary
    if after != before:
        assert told or len(findings) != len(quiet), "different rows, and nothing was said"


@GENTLE
@given(tables, st.randoms(use_true_random=False))
def test_order_of_lines_does_not_matter(rows: list[list[str]], chance: random.Random) -> None:
    header, *lines = as_text(rows).splitlines()
    chance.shuffle(lines)
    assert (
        canonical("\n".join([header, *lines, ""]).encode())[0]
        == canonical(as_text(rows).encode())[0]
    )


def read_and_count(content: bytes) -> tuple[FileReading, dict[str, dict[str, int]]]:
    con = duckdb.connect()
    Pseudonyms(b"k" * 32, "test").install(con)
    rules = DeliveryRules(MAPPING, REGISTRY, date(1990, 1, 1), date(2026, 12, 31))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        task = read_delivery(con, path, rules, Path(folder), "d0", with_text=True)
        counts = merge_file(con, task, open_state(with_text=False), "d0", date(2026, 12, 31), rules)
    return task.reading, counts


@GENTLE
@given(damaged())
def test_both_sums_come_out_for_any_file(pair: tuple[bytes, bytes]) -> None:
    reading, counts = read_and_count(pair[1])
    if reading.refused is None:
        assert reading.records == reading.used + reading.dropped + reading.rejected_records
        assert all(reading.found[kind] == sum(counts[kind].values()) for kind in KINDS)
    assert reading.found["form"] <= reading.records


def test_a_delimiter_too_many_hidden_by_an_empty_last_cell_is_no_record() -> None:
    whole = row("p1", answers="1,2,3,0,1,2,3,0,") + "\n" + row("p2", answers="1,2,3,0,1,2,3,0,1")
    moved = whole.replace("1,2,3,0,1,2,3,0,\n", ",1,2,3,0,1,2,3,0,\n")
    found, findings = canonical(f"{HEADER}\n{moved}\n".encode())
    assert {patient for _, patient, *_ in found} == {"p2"}
    assert findings.filter(pl.col("rule") == "delimiter-hidden")["line"].to_list() == [2]


def test_a_delimiter_behind_every_cell_is_told_and_harmless() -> None:
    lines = [row(f"p{n}", answers="1,2,3,0,1,2,3,0,") for n in range(3)]
    plain, _ = canonical("\n".join([HEADER, *lines, ""]).encode())
    found, findings = canonical("\n".join([HEADER, *(f"{line}," for line in lines), ""]).encode())
    assert found == plain
    assert "cells-beyond-blank" in set(findings["rule"])
