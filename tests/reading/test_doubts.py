"""Nothing ambiguous is read by guess: dates, clocks, ids, and names that only look right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tests.reading.conftest import HEADER, Read, phq_mapping, row

Reader = Callable[..., Read]
DAY_FIRST = {"column": "date", "formats": ["%d/%m/%Y"]}
CLOCK = {"column": "date", "formats": ["%Y-%m-%d %H:%M"]}


def text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


def days(*written: str) -> str:
    return text(*(row(f"p{n}", day=day) for n, day in enumerate(written, start=1)))


def test_a_column_with_day_and_month_both_ways_keeps_only_what_is_certain(read: Reader) -> None:
    mapping = phq_mapping(fields__answered_at=DAY_FIRST)
    result = read(days("13/04/2026", "04/13/2026", "05/06/2026", "07/07/2026"), mapping=mapping)
    assert [r[10] for r in result.rows[::9]] == ["2026-04-13", "2026-07-07"]
    assert result.at("date-unreadable") == [(3, "date")]
    assert result.at("date-contradicted") == [(4, "date")]
    assert "05/06" not in str(result.reading.findings.to_dicts())


def test_a_column_written_one_way_is_not_doubted(read: Reader) -> None:
    mapping = phq_mapping(fields__answered_at=DAY_FIRST)
    result = read(days("13/04/2026", "05/06/2026", "31/31/2026"), mapping=mapping)
    assert [r[10] for r in result.rows[::9]] == ["2026-04-13", "2026-06-05"]
    assert result.at("date-contradicted") == []


def test_dates_of_another_format_of_the_column_are_not_doubted(read: Reader) -> None:
    both = {"column": "date", "formats": ["%d/%m/%Y", "iso"]}
    mapping = phq_mapping(fields__answered_at=both)
    result = read(days("2026-06-05", "04/13/2026", "05/06/2026"), mapping=mapping)
    assert [r[10] for r in result.rows[::9]] == ["2026-06-05"]
    assert result.at("date-contradicted") == [(4, "date")]


@pytest.mark.parametrize(
    ("rule", "at", "found"),
    [
        ({"zone": "clinic"}, "2026-03-29 02:30", "time-skipped"),
        ({}, "2026-03-29 02:30", "time-skipped"),
        ({"zone": "clinic", "precision": "minute"}, "2026-10-25 02:30", "time-repeated"),
        ({}, "2026-10-25 02:59", "time-repeated"),
        ({"zone": "Australia/Lord_Howe"}, "2026-04-05 01:45", "time-repeated"),
        ({"zone": "UTC"}, "2026-10-25 02:30", None),
        ({"precision": "date"}, "2026-10-25 02:30", None),
        ({}, "2026-10-25 03:00", None),
        ({}, "2026-10-25 01:59", None),
        ({"zone": "Australia/Lord_Howe"}, "2026-04-05 01:15", None),
    ],
)
def test_hours_that_a_clock_repeats_or_skips_are_kept_and_named(
    read: Reader, rule: dict[str, Any], at: str, found: str | None
) -> None:
    mapping = phq_mapping(fields__answered_at={**CLOCK, **rule})
    result = read(days("2026-06-01 10:00", at), mapping=mapping)
    assert result.forms == 2
    expected = [(3, "date")] if found else []
    assert result.at("time-skipped") + result.at("time-repeated") == expected
    assert found is None or result.at(found) == expected


@pytest.mark.parametrize("at", ["2026-10-25T02:30:00+01:00", "2026-10-25T00:30Z", "2026-10-25"])
def test_a_time_with_an_offset_is_certain(read: Reader, at: str) -> None:
    mapping = phq_mapping(fields__answered_at={"column": "date", "formats": ["iso"]})
    result = read(days(at), mapping=mapping)
    assert result.forms == 1
    assert result.at("time-repeated") == []


MANGLED = ["2-Mar", "02. Mrz", "Mar-02", "02.03.2026", "2026-03-02 00:00:00", "3.1E+5", "1E5"]
MANGLED += ["417.0", 'p"1', "\ufeff417", "\u00ef\u00bb\u00bf417"]


@pytest.mark.parametrize("written", MANGLED)
def test_an_id_that_a_spreadsheet_rewrote_is_refused(read: Reader, written: str) -> None:
    result = read(text(row("p2", 2), row(written)))
    assert result.at("id-mangled") == [(3, "patient")]
    assert result.forms == 1
    assert written not in str(result.reading.findings.to_dicts())
    stated = phq_mapping(fields__patient={"column": "patient", "matches": ".+"})
    assert read(text(row(written)), mapping=stated).forms == 1


@pytest.mark.parametrize("written", ["3-2", "Mary-2", "M-03-12", "12.3", "Dec", "2026-77-1-9"])
def test_an_id_that_only_resembles_a_date_is_kept(read: Reader, written: str) -> None:
    assert read(text(row(written))).rows[0][1] == written


def test_a_session_may_be_called_after_its_date(read: Reader) -> None:
    mapping = phq_mapping(fields__session={"column": "session"})
    line = row().replace(",1,2026", ",2026-03-01,2026", 1)
    assert read(text(line), mapping=mapping).rows[0][4] == "2026-03-01"


@pytest.mark.parametrize(
    ("wanted", "there", "sign"),
    [
        ("patient", "p\u0430tient", "U+0430 CYRILLIC SMALL LETTER A"),
        ("q3", "q\u200b3", "U+200B ZERO WIDTH SPACE"),
        ("q3", "\u051b3", "U+051B CYRILLIC SMALL LETTER QA"),
    ],
)
def test_a_name_that_only_looks_right_is_told_by_its_code_point(
    read: Reader, wanted: str, there: str, sign: str
) -> None:
    header = ",".join(there if name == wanted else name for name in HEADER.split(","))
    result = read(text(row(), header=header))
    found = result.reading.findings.filter(pl.col("rule") == "column-missing")
    assert found["column_name"].to_list() == [wanted]
    assert sign in found["message"][0]


def test_a_key_column_that_only_looks_right_is_told(read: Reader) -> None:
    mapping = phq_mapping(key=["patient", "event"])
    result = read(text(row() + ",x", header=HEADER + ",\u0435vent"), mapping=mapping)
    found = result.reading.findings.filter(pl.col("rule") == "key-column-absent")
    assert "U+0435" in found["message"][0]


def test_letters_of_the_clinics_own_language_are_nothing_strange(read: Reader) -> None:
    result = read(text(row(), header=HEADER.replace("q3", "q 3ä")))
    found = result.reading.findings.filter(pl.col("rule") == "column-missing")
    assert "q3" in found["column_name"].to_list()


def test_an_id_with_two_sexes_is_named(read: Reader) -> None:
    sexes = {"w": "female", "m": "male"}
    about = {"start": {"column": "date"}, "sex": {"column": "sex", "map": sexes}}
    mapping = phq_mapping(episode=about, fields__episode={"column": "session"})
    lines = [
        row("p1", 1) + ",w", row("p1", 2) + ",m", row("p2", 1) + ",w", row("p2", 2) + ",",
        row("p3", 1) + ",m", row("p3", 2) + ",m",
    ]  # fmt: skip
    result = read(text(*lines, header=HEADER + ",sex"), mapping=mapping)
    assert result.at("patient-differs") == [(3, "sex")]
    assert result.forms == 6


def test_an_id_with_another_sex_in_an_earlier_file_is_named(read: Reader) -> None:
    about = {
        "start": {"column": "date"},
        "sex": {"column": "sex", "map": {"w": "female", "m": "male"}},
    }
    mapping = phq_mapping(
        episode=about, fields__episode={"column": "session"}, key=["patient", "session"]
    )

    def told(*files: list[str]) -> list[tuple[int | None, str | None]]:
        texts = [text(*lines, header=HEADER + ",sex") for lines in files]
        return read(*texts, mapping=mapping).at("patient-differs-stored")

    woman, man = row("p1", 1) + ",w", row("p1", 2) + ",m"
    assert told([woman], [row("p2", 1) + ",m", man]) == [(3, "sex")]
    assert told([woman], [row("p1", 2) + ",w", row("p2", 1) + ",m"]) == []
    assert told([woman], [row("p1", 2) + ","]) == []
    # The same course stated anew is a correction.
    assert told([woman], [row("p1", 1) + ",m"]) == []
