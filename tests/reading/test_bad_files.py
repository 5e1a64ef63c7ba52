"""Bad files and bad rows: the rule that is broken, where, and what is still read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reading.conftest import HEADER, Read, phq_mapping, row

Reader = Callable[..., Read]


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (b"", "file-empty", None),
        (b"\n\n \n", "file-empty", None),
        (HEADER.encode() + b"\n", "file-without-records", 1),
        (f"{HEADER}\n{row('Jürgen')}\n".encode("cp1252"), "encoding", None),
        (f"{HEADER}\n{row('J�')}\n".encode(), "encoding-damaged", None),
        (f"{HEADER}\n{row()}\n\x00".encode(), "nul-byte", None),
        (f'{HEADER}\n{row()}\n"p2,t1,1,2026-03-01\n'.encode(), "quote-unclosed", 3),
        (f"{HEADER}\n{row()}\n".replace(",", ";").encode(), "one-column", 1),
        (f"{HEADER}\n{row()}\n".replace("q4", "q40").encode(), "column-missing", 1),
        (f"{HEADER},q9\n{row()},1\n".encode(), "column-doubled", 1),
        (f"{HEADER}\n{row()}\n".encode("utf-16-le"), "nul-byte", None),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    read: Reader, content: bytes, rule: str, line: int | None
) -> None:
    result = read(content)
    assert result.rows == []
    assert rule in result.rules("reject")
    assert [at for at, _ in result.at(rule)] == [line]


def test_every_missing_column_is_named(read: Reader) -> None:
    header = HEADER.replace("q3", "item 3").replace("therapist", "clinician").replace("date", "dat")
    result = read(f"{header}\n{row()}\n")
    assert [column for _, column in result.at("column-missing")] == ["date", "q3", "therapist"]


@pytest.mark.parametrize(
    ("bad", "rule", "column"),
    [
        (row(answers="1,2,7,1,2,0,1,2,0"), "answer-out-of-range", "q3"),
        (row(answers="1,2,0,1,x,0,1,2,0"), "answer-undeclared", "q5"),
        (row(answers="1,2,00,1,2,0,1,2,0"), "answer-undeclared", "q3"),
        (row(answers="1,2, 1,1,2,0,1,2,0"), "answer-undeclared", "q3"),
        (row(answers="1,2,1e0,1,2,0,1,2,0"), "answer-undeclared", "q3"),
        (row(answers="1,2,1.5,1,2,0,1,2,0"), "answer-undeclared", "q3"),
        (row(answers="1,2,=1,1,2,0,1,2,0"), "answer-undeclared", "q3"),
        (row(answers="1,2,-1,1,2,0,1,2,0"), "answer-out-of-range", "q3"),
        (row(day="2026-02-30"), "date-unreadable", "date"),
        (row(day="01.03.2026"), "date-unreadable", "date"),
        (row(day=""), "date-missing", "date"),
        (row(day="1066-10-14"), "date-too-old", "date"),
        (row(patient=""), "id-missing", "patient"),
        (row(patient="1.23457E+11"), "id-mangled", "patient"),
        (row().replace(",1,2026", ",first,2026"), "field-not-a-number", "session"),
    ],
)
def test_a_bad_row_costs_that_row_and_is_pointed_at(
    read: Reader, bad: str, rule: str, column: str
) -> None:
    result = read(f"{HEADER}\n{row('a')}\n{bad}\n{row('b')}\n")
    assert result.at(rule) == [(3, column)]
    assert {values[1] for values in result.rows} == {"a", "b"}
    assert result.rules("reject") == {rule}


@pytest.mark.parametrize("cells", ["p2,t1,1", "p2,t1,1,2026-03-01,1,1,1,1,1,1,1,1,1,1,1"])
def test_a_line_that_does_not_split_is_refused_by_its_number(read: Reader, cells: str) -> None:
    result = read(
        f'{HEADER}\n{row("a")}\n"c\nd",t1,1,2026-03-01,1,1,1,1,1,1,1,1,1\n{cells}\n{row("b")}\n'
    )
    assert result.at("record-malformed") == [(5, None)]
    assert {values[1] for values in result.rows} == {"a", "c\nd", "b"}


def test_everything_wrong_is_told_at_once(read: Reader) -> None:
    bad = [
        row("a", answers="9,9,0,0,0,0,0,0,0"),
        row("", day="x"),
        row("c", answers="0,0,0,0,0,0,0,0,y"),
    ]
    result = read("\n".join([HEADER, *bad]) + "\n")
    assert result.at("answer-out-of-range") == [(2, "q1"), (2, "q2")]
    assert result.at("id-missing") == [(3, "patient")]
    assert result.at("date-unreadable") == [(3, "date")]
    assert result.at("answer-undeclared") == [(4, "q9")]


def test_quotes_inside_bare_cells_do_not_shift_lines(read: Reader) -> None:
    header = HEADER + ",remark"
    lines = [
        row("a") + ',5" nail',
        row("b") + ",plain",
        row("c", answers="x,0,0,0,0,0,0,0,0") + ",",
    ]
    result = read(
        "\n".join([header, *lines]) + "\n", mapping=phq_mapping(fields__ignore=["remark"])
    )
    assert result.at("answer-undeclared") == [(4, "q1")]
    assert result.forms == 2


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_line_breaks_of_any_system(read: Reader, newline: str) -> None:
    text = newline.join([HEADER, row("a"), "", row("b"), row("c", day="never")]) + newline
    result = read(text)
    assert result.at("date-unreadable") == [(5, "date")]
    assert result.forms == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-15"])
def test_declared_encodings_and_byte_order_marks(read: Reader, encoding: str) -> None:
    mapping = phq_mapping(read__encoding=encoding)
    assert (
        read(f"{HEADER}\n{row('Jürgen')}\n".encode(encoding), mapping=mapping).rows[0][1]
        == "Jürgen"
    )


def test_a_byte_order_mark_outranks_the_declared_encoding(read: Reader) -> None:
    mapping = phq_mapping(read__encoding="cp1252")
    assert (
        read(f"{HEADER}\n{row('Jürgen')}\n".encode("utf-8-sig"), mapping=mapping).rows[0][1]
        == "Jürgen"
    )


def test_undecodable_byte_is_told_by_its_offset(read: Reader) -> None:
    good = f"{HEADER}\n".encode()
    result = read(good + b"\xff")
    message = result.reading.findings["message"].to_list()
    assert [m for m in message if f"Byte {len(good)} " in m]


def test_a_cut_off_append_file_loses_only_its_last_row(read: Reader) -> None:
    result = read(f"{HEADER}\n{row('a')}\n{row('b')}\np3,t1,1,20")
    assert result.at("record-truncated") == [(4, None)]
    assert result.forms == 2


def test_a_cut_off_snapshot_is_held_and_changes_nothing(read: Reader) -> None:
    mapping = phq_mapping(delivery="snapshot")
    whole = f"{HEADER}\n{row('a')}\n{row('b')}\n"
    result = read(whole, whole.replace("1,2,0", "0,0,0")[:-10], mapping=mapping)
    assert "file-truncated" in result.rules("reject")
    assert result.rows == read(whole, mapping=mapping).rows


def test_a_shrunken_snapshot_is_held(read: Reader) -> None:
    mapping = phq_mapping(delivery="snapshot")
    many = [row(f"p{n}") for n in range(10)]
    result = read(
        "\n".join([HEADER, *many, ""]), "\n".join([HEADER, *many[:5], ""]), mapping=mapping
    )
    assert "file-shrunk" in result.rules("reject")
    assert result.forms == 10


def test_a_refused_row_never_counts_as_vanished(read: Reader) -> None:
    mapping = phq_mapping(delivery="snapshot", key=["patient", "session"])
    many = [row(f"p{n}") for n in range(10)]
    bad = [*many[:9], row("p9", day="never")]
    result = read("\n".join([HEADER, *many, ""]), "\n".join([HEADER, *bad, ""]), mapping=mapping)
    assert "record-vanished" not in result.rules()
    assert result.forms == 10


def test_nothing_vanishes_while_a_record_is_unreadable(read: Reader) -> None:
    mapping = phq_mapping(delivery="snapshot", key=["patient", "session"])
    many = [row(f"p{n}") for n in range(20)]
    result = read(
        "\n".join([HEADER, *many, ""]),
        "\n".join([HEADER, *many[:18], "stray", ""]),
        mapping=mapping,
    )
    assert result.forms == 20
    assert "record-vanished" not in result.rules()


def test_a_missing_code_inside_the_answer_range_is_missing(read: Reader) -> None:
    mapping = phq_mapping(missing={"": "blank", "0": "seen_unanswered"})
    values = [(r[8], r[9]) for r in read(f"{HEADER}\n{row()}\n", mapping=mapping).rows]
    assert values[2] == (None, "seen_unanswered")
    assert values[0] == ("1", None)


def test_an_undeclared_code_of_a_value_map_is_refused(read: Reader) -> None:
    form = {
        "instrument": "PHQ-9",
        "respondent": "patient",
        "items": {"columns": "q{}", "count": 9},
        "values": {"map": {"Not at  all": 0, "several days": 1}, "fold": True},
    }
    good = row("a", answers=",".join(["not AT all", " several  days "] + ["Not at all"] * 7))
    bad = row("b", answers=",".join(["0"] + ["Not at all"] * 8))
    result = read(f"{HEADER}\n{good}\n{bad}\n", mapping=phq_mapping(form=[form]))
    assert [r[8] for r in result.rows] == ["0", "1"] + ["0"] * 7
    assert result.at("answer-undeclared") == [(3, "q1")]


def test_an_unknown_therapist_holds_the_form_and_says_so(read: Reader) -> None:
    rule = {"column": "therapist", "lookup": {"Dr. A": "T1"}, "personal": True}
    mapping = phq_mapping(fields__therapist=rule)
    result = read(
        f"{HEADER}\n{row('a').replace('t1', 'Dr. A')}\n{row('b').replace('t1', 'Dr. B')}\n",
        mapping=mapping,
    )
    assert result.at("therapist-unknown") == [(3, "therapist")]
    assert {(r[1], r[2]) for r in result.rows} == {("a", "T1")}


def test_dates_that_two_formats_read_differently_are_refused(read: Reader) -> None:
    rule = {"column": "date", "formats": ["%d/%m/%Y", "%m/%d/%Y"]}
    text = "\n".join(
        [
            HEADER,
            row("a", day="13/04/2026"),
            row("b", day="03/04/2026"),
            row("c", day="05/05/2026"),
            "",
        ]
    )
    result = read(text, mapping=phq_mapping(fields__answered_at=rule))
    assert result.at("date-ambiguous") == [(3, "date")]
    assert [r[10] for r in result.rows[::9]] == ["2026-04-13", "2026-05-05"]


def test_the_later_of_two_rows_with_one_key_counts_and_it_is_said(read: Reader) -> None:
    text = "\n".join([HEADER, row("a"), row("a", answers="0,0,0,0,0,0,0,0,0"), ""])
    result = read(text, mapping=phq_mapping(key=["patient", "session"]))
    assert [r[8] for r in result.rows] == ["0"] * 9


def test_two_rows_of_one_key_and_version_are_a_conflict_and_neither_counts(read: Reader) -> None:
    mapping = phq_mapping(key=["patient"], version="stamp")
    lines = [
        row("a") + ",2026-01-01",
        row("a", answers="0,0,0,0,0,0,0,0,0") + ",2026-01-01",
        row("b") + ",2026-01-01",
    ]
    result = read("\n".join([HEADER + ",stamp", *lines, ""]), mapping=mapping)
    assert [line for line, _ in result.at("key-conflict")] == [2, 3]
    assert {r[1] for r in result.rows} == {"b"}


def test_an_older_version_that_arrives_later_changes_nothing(read: Reader) -> None:
    mapping = phq_mapping(key=["patient"], version="stamp")
    new = f"{HEADER},stamp\n{row('a', answers='3,3,3,3,3,3,3,3,3')},10\n"
    old = f"{HEADER},stamp\n{row('a')},9\n"
    assert [r[8] for r in read(new, old, mapping=mapping).rows] == ["3"] * 9
    assert read(old, new, mapping=mapping).rows == read(new, old, mapping=mapping).rows


def test_findings_hold_no_cell_of_a_patient(read: Reader) -> None:
    lines = [
        row("CANARY1", day="CANARY2"),
        row("CANARY3", answers="CANARY4,1,1,1,1,1,1,1,1"),
        "CANARY5",
    ]
    result = read("\n".join([HEADER, *lines, ""]))
    assert result.rules("reject") >= {"date-unreadable", "answer-undeclared", "record-malformed"}
    assert "CANARY" not in str(result.reading.findings.to_dicts())
