"""Bad files and bad rows: the rule that is broken, where, and what is still read."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from tests.reading.conftest import HEADER, Read, phq_mapping, row

Reader = Callable[..., Read]


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (b"", "file-empty", None),
        (b"\n\n \n", "file-empty", None),
        (HEADER.encode() + b"\n", "file-without-records", 1),
        (f"{HEADER}\n{row('Jürgen')}\n".encode("cp1252"), "encoding", 2),
        (f"{HEADER}\n{row('J�')}\n".encode(), "encoding-damaged", 2),
        (f"{HEADER}\n{row()}\n\x00".encode(), "nul-byte", 3),
        (f'{HEADER}\n{row()}\n"p2,t1,1,2026-03-01\n'.encode(), "quote-unclosed", 3),
        (f"{HEADER}\n{row()}\n".replace(",", ";").encode(), "one-column", 1),
        (f"{HEADER}\n{row()}\n".replace("q4", "q40").encode(), "column-missing", 1),
        (f"{HEADER},q9\n{row()},1\n".encode(), "column-doubled", 1),
        (f"{HEADER}\n{row()}\n".encode("utf-16-le"), "nul-byte", 1),
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
        (row(patient="p" * 201), "id-too-long", "patient"),
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
    marked = read(b"\xef\xbb\xbf" + good + b"\xff")
    assert f"Byte {len(good) + 3} " in marked.reading.findings["message"][0]


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_line_of_a_sign_that_no_text_should_hold(
    read: Reader, newline: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.reading.delimited.CHUNK_BYTES", 64)
    lines = [HEADER, *(row(f"p{n}") for n in range(20)), f"{row()}\x07", row()]
    mapping = phq_mapping(read__encoding=encoding)
    result = read(newline.join(lines).encode(encoding), mapping=mapping)
    assert result.at("control-character") == [(22, None)]


@pytest.mark.parametrize("lines", [2, 7, 60])
def test_the_line_of_a_byte_that_cannot_be_decoded(
    read: Reader, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.reading.delimited.CHUNK_BYTES", 64)
    above = "".join(f"{row(f'ü{n}')}\n" for n in range(lines - 2))
    result = read(f"{HEADER}\n{above}".encode() + b"p\xff" + row().encode())
    assert result.at("encoding") == [(lines, None)]


@pytest.mark.parametrize(
    "other", ["P1 ", "p1", "P1\u00a0", "P\u200b1", "\u0420" + "1", "'P1", "P\u202e1"]
)
def test_ids_that_people_take_for_one_are_told_and_kept_apart(read: Reader, other: str) -> None:
    result = read(f"{HEADER}\n{row('P1')}\n{row('P1', 2)}\n{row(other, 3)}\n{row('P2', 4)}\n")
    assert result.at("ids-alike") == [(2, "patient"), (4, "patient")]
    assert {cells[1] for cells in result.rows} == {"P1", other, "P2"}


def test_numbers_that_differ_in_leading_zeros_are_told_and_kept_apart(read: Reader) -> None:
    result = read(f"{HEADER}\n{row('0417')}\n{row('417', 2)}\n{row('0', 3)}\n{row('4170', 4)}\n")
    assert result.at("ids-alike") == [(2, "patient"), (3, "patient")]
    assert {cells[1] for cells in result.rows} == {"0417", "417", "0", "4170"}


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\t", " \ufeff"])
@pytest.mark.parametrize("declared", [{}, {"": "blank"}])
def test_blanks_identify_nobody(read: Reader, blank: str, declared: dict[str, str]) -> None:
    text = f"{HEADER}\n{row(blank)}\n{row('P2', 2).replace('t1', blank)}\n"
    result = read(text, mapping=phq_mapping(missing=declared))
    assert result.at("id-missing") == [(2, "patient")]
    assert {cells[1:3] for cells in result.rows} == {("P2", None)}


def test_ids_that_differ_in_their_digits_are_not_alike(read: Reader) -> None:
    patients = ["P1", "P-1", "P.1", "P01", "P11", "Ü1", "U1"]
    text = "".join(f"{row(patient, n)}\n" for n, patient in enumerate(patients))
    assert read(f"{HEADER}\n{text}").at("ids-alike") == []


def test_minus_zero_is_zero_and_a_total_says_nothing_of_a_refused_form(read: Reader) -> None:
    mapping = phq_mapping()
    form = mapping.source[0].form[0].model_dump(by_alias=True, exclude_unset=True)
    mapping = phq_mapping(form=[{**form, "totals": {"answered_sum": "total"}}])
    lines = f"{row(answers='-0,1,1,1,1,1,1,1,1')},8\n{row('p2', answers='x,1,1,1,1,1,1,1,1')},9\n"
    result = read(f"{HEADER},total\n{lines}", mapping=mapping)
    assert [cells[8] for cells in result.rows] == ["0", *"11111111"]
    assert result.at("total-of-incomplete-form") + result.at("total-disagrees") == []
    assert result.at("answer-undeclared") == [(3, "q1")]


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


def test_without_any_key_column_the_file_is_refused(read: Reader) -> None:
    text = f"{HEADER}\n{row('a')}\n{row('b')}\n"
    result = read(text, mapping=phq_mapping(key=["respnse_id"]))
    assert result.rows == []
    assert result.at("column-missing") == [(1, "respnse_id")]


def test_an_absent_key_column_counts_as_empty_and_is_named(read: Reader) -> None:
    text = f"{HEADER}\n{row('a')}\n{row('b')}\n"
    result = read(text, mapping=phq_mapping(key=["patient", "event"]))
    assert result.forms == 2
    assert result.at("key-column-absent") == [(1, "event")]


def test_a_key_column_named_twice_is_refused(read: Reader) -> None:
    text = f"{HEADER},id,id\n{row()},1,2\n"
    assert read(text, mapping=phq_mapping(key=["id"])).at("column-doubled") == [(1, "id")]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"extract": r"p(\d*)"}, "field-pattern"),
        ({"extract": r"(\d+)?p"}, "field-pattern"),
        ({"map": {r"p(\d*)": r"\1"}}, "field-undeclared"),
    ],
)
def test_an_id_that_comes_out_empty_is_none(
    read: Reader, rule: dict[str, object], fault: str
) -> None:
    mapping = phq_mapping(fields__patient={"column": "patient", **rule})
    result = read(f"{HEADER}\n{row('p')}\n{row('p')}\n", mapping=mapping)
    assert result.rows == []
    assert result.at(fault) == [(2, "patient"), (3, "patient")]


@pytest.mark.parametrize("sign", ["\x01", "\x1f", "\x0b", "\x0c", "\x1b"])
def test_a_control_character_refuses_the_file_at_its_offset(read: Reader, sign: str) -> None:
    start = f"{HEADER}\n{row('ä')}\n"
    result = read(f"{start}{row('p' + sign)}\n", mapping=phq_mapping(key=["patient"]))
    assert result.rows == []
    message = result.reading.findings["message"][0]
    assert result.rules("reject") == {"control-character"}
    assert f"U+{ord(sign):04X} at character {len(start) + 1}," in message


def test_tabs_and_line_breaks_are_no_control_characters(read: Reader) -> None:
    text = f'{HEADER}\r\n"p\t1\r\nx"{row("")}\r\n'
    assert read(text).rows[0][1] == "p\t1\nx"


CANARIES = [
    "CANARY1,CANARY2,1,2026-03-01,1,2,0,1,2,0,1,2,0",
    "patiens,CANARY2,1,2026-03-01,1,2,0,1,2,0,1,2,0",
    "patient,CANARY2,CANARY2,date,q1,2,0,1,2,0,1,2,0",
]


@pytest.mark.parametrize("first", CANARIES)
def test_a_file_without_header_does_not_show_its_first_record(read: Reader, first: str) -> None:
    result = read(f"{first}\n{row()}\n")
    told = str(result.reading.findings.to_dicts())
    assert result.rows == []
    assert "header-not-recognised" in result.rules("reject")
    assert not [word for word in ("CANARY", "patiens", "2026-03-01") if word in told]
    assert {name for _, name in result.at("column-missing")} <= set(HEADER.split(","))
    assert result.rules() == {"header-not-recognised", "column-missing"}


def test_a_header_that_lacks_a_few_names_is_one_and_near_names_help(read: Reader) -> None:
    result = read(f"{HEADER.replace('therapist', 'therapists')}\n{row()}\n")
    assert result.rules("reject") == {"column-missing"}
    assert "therapists is close" in result.reading.findings["message"][0]


ISO = {"column": "date"}
WRITTEN = {"column": "date", "formats": ["%d.%m.%Y"]}


@pytest.mark.parametrize(
    ("rule", "cell"),
    [
        (ISO, "0000-03-01"),
        (ISO, "2026-03-01T10:00:00+25:00"),
        (ISO, "2026-03-01T10:00:00+14:30"),
        (ISO, "2026-03-01T10:00:00-16:00"),
        (ISO, "2026-03-01T10:00:00+05:99"),
        (ISO, "2026-03-01T24:00:00"),
        (ISO, "2026-03-01T10:60"),
        (ISO, "9999-12-31T23:30:00-12:00"),
        (ISO, "infinity"),
        (ISO, "epoch"),
        (WRITTEN, "01.03.0000"),
        (WRITTEN, "infinity"),
        (WRITTEN, "-infinity"),
        (WRITTEN, "epoch"),
        (
            {"column": "date", "formats": ["%Y-%m-%d %H:%M"], "zone": "Asia/Tokyo"},
            "0001-01-01 00:30",
        ),
        ({"column": "date", "formats": ["%d.%m.%Y %H:%M"]}, "01.03.2026 24:00"),
    ],
)
def test_a_date_outside_the_calendar_is_unreadable(
    read: Reader, rule: dict[str, object], cell: str
) -> None:
    mapping = phq_mapping(fields__answered_at=rule)
    result = read(f"{HEADER}\n{row('a', day=cell)}\n", mapping=mapping)
    assert result.at("date-unreadable") == [(2, "date")]
    assert result.rows == []


@pytest.mark.parametrize(
    "cell",
    ["2026-03-01T10:00+01:00", "2026-03-01 10:00:00.5Z", "2026-03-01T23:59-14:00", "2026-03-01 10:00+0530"],
)  # fmt: skip
def test_iso_times_with_offsets_are_read(read: Reader, cell: str) -> None:
    mapping = phq_mapping(fields__answered_at={"column": "date", "precision": "date"})
    result = read(f"{HEADER}\n{row('a', day=cell)}\n", mapping=mapping)
    assert result.rules("reject") == set()
    assert result.rows[0][10] == ("2026-03-02" if "-14" in cell else "2026-03-01")


@pytest.mark.parametrize("surplus", [1, 3, 2_000, 200_000])
@pytest.mark.parametrize("quoted", ["", '"a\nb",', '"c,d",'])
def test_far_too_wide_lines_are_cheap_and_pointed_at(
    read: Reader, surplus: int, quoted: str
) -> None:
    wide = row("w") + ",x" * surplus
    text = "\n".join([HEADER, row("a"), quoted + wide, wide, row("b"), "x", row("c", day="y"), ""])
    result = read(text)
    shift = quoted.count("\n")
    assert result.at("record-malformed") == [(n, None) for n in (3, 4 + shift, 6 + shift)]
    assert result.at("date-unreadable") == [(7 + shift, "date")]
    assert {values[1] for values in result.rows} == {"a", "b"}


@pytest.mark.parametrize("surplus", [2, 3, 2_000, 50_000])
def test_surplus_cells_that_are_all_empty_do_no_harm(read: Reader, surplus: int) -> None:
    lines = [row("a"), row("b") + "," * surplus, row("c") + "," * surplus, row("d")]
    result = read("\n".join([HEADER, *lines]))
    assert {values[1] for values in result.rows} == set("abcd")
    assert result.at("cells-beyond-blank") == [(3, None), (4, None)]


def test_one_empty_cell_too_many_may_mean_that_all_have_moved(read: Reader) -> None:
    lines = [row("a"), row("b") + ",", '"x\ny",' + row("c"), row("d") + ",", row("e")]
    result = read("\n".join([HEADER, *lines, ""]))
    assert {values[1] for values in result.rows} == {"a", "e"}
    assert result.at("delimiter-hidden") == [(3, None), (6, None)]
    assert result.at("record-malformed") == [(4, None)]


def test_quoted_delimiters_are_no_surplus(read: Reader) -> None:
    remark = ",".join(["word"] * 30)
    lines = [f'{row(f"p{n}")},"{remark}"' for n in range(50)]
    text = "\n".join([f"{HEADER},remark", *lines, row("w") + ",x" * 5_000, ""])
    mapping = phq_mapping(fields__episode={"column": "remark"})
    result = read(text, mapping=mapping)
    assert {values[3] for values in result.rows} == {remark}
    assert result.at("record-malformed") == [(52, None)]


def test_a_wide_footer_is_dropped_by_rule(read: Reader) -> None:
    mapping = phq_mapping(read__drop=[{"column": "patient", "matches": "Sum"}])
    result = read(f"{HEADER}\n{row()}\nSum{',' * 50_000}\n", mapping=mapping)
    assert result.at("record-dropped") == [(3, None)]
    assert result.rules("reject") == set()


def test_a_wide_line_of_any_delimiter(read: Reader) -> None:
    text = f"{HEADER}\n{row('a')}\n{row('w')}{',x' * 5_000}\n{row('b')}\n".replace(",", "§")
    result = read(text, mapping=phq_mapping(read__delimiter="§"))
    assert result.at("record-malformed") == [(3, None)]
    assert {values[1] for values in result.rows} == {"a", "b"}


def test_a_cell_larger_than_any_is_refused_by_its_line(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.reading.delimited.LONGEST_LINE", 1 << 20)
    big = "z" * (1 << 20) + "z"
    header = read(f'\n"{big}",b\n{HEADER}\n{row()}\n')
    assert [line for line, _ in header.at("cell-too-large")] == [2]
    oddly_quoted = read(f"{HEADER}\n{row('a 5' + chr(34))}\n{row(big)}\n")
    assert [line for line, _ in oddly_quoted.at("cell-too-large")] == [3]


def test_a_record_larger_than_any_costs_that_record(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("delimited", "file"):
        monkeypatch.setattr(f"flows.reading.{module}.LONGEST_LINE", 1 << 20)
    result = read(f"{HEADER}\n{row()}\n{row('z' * (2 << 20))}\n{row('p3', 2)}\n")
    assert result.at("record-too-large") == [(3, None)]
    assert result.forms == 2


def test_nothing_vanishes_while_a_record_is_too_large(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("delimited", "file"):
        monkeypatch.setattr(f"flows.reading.{module}.LONGEST_LINE", 1 << 20)
    mapping = phq_mapping(delivery="snapshot", key=["patient", "session"])
    many = [row(f"p{n}") for n in range(20)]
    large = row("z" * (2 << 20))
    result = read(
        "\n".join([HEADER, *many, ""]), "\n".join([HEADER, *many[:19], large, ""]), mapping=mapping
    )
    assert result.forms == 20
    assert "record-vanished" not in result.rules()


def test_a_large_cell_is_read(read: Reader) -> None:
    text = f"{HEADER},remark\n{row('a 5' + chr(34))},\n{row('z')},{'z' * 200_000}\n"
    fields = {"fields__patient": {"column": "patient", "matches": ".+"}}
    result = read(text, mapping=phq_mapping(fields__ignore=["remark"], **fields))
    assert result.forms == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_that_wants_a_byte_order_mark(read: Reader, encoding: str) -> None:
    mapping = phq_mapping(read__encoding=encoding)
    assert read(f"{HEADER}\n{row()}\n".encode(), mapping=mapping).rules() == {"encoding"}


@pytest.mark.parametrize("encoding", ["utf-32-be", "utf-32-le", "utf-16-be", "utf-16-le"])
def test_byte_order_marks_are_known(read: Reader, encoding: str) -> None:
    assert read(f"\ufeff{HEADER}\n{row('Jürgen')}\n".encode(encoding)).rows[0][1] == "Jürgen"


@pytest.mark.parametrize("header", [{}, {"find": ["patient"]}])
@pytest.mark.parametrize("blank", [250, 5_000])
def test_blank_lines_before_the_header_are_no_empty_file(
    read: Reader, header: dict[str, object], blank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.reading.delimited.CHUNK_BYTES", 1_000)
    monkeypatch.setattr("flows.reading.delimited.HEADER_CHARACTERS", 1_000)
    text = "\n" * blank + f"{HEADER}\n{row(day='x')}\n"
    result = read(text, mapping=phq_mapping(read__header=header))
    assert result.at("date-unreadable") == [(blank + 2, "date")]


def test_a_file_of_blank_cells_is_empty_not_without_header(read: Reader) -> None:
    assert read(",,\n" * 300).rules() == {"file-empty"}


def test_header_names_and_header_rows_together(read: Reader) -> None:
    mapping = phq_mapping(read__header={"find": ["patient"], "rows": 3})
    result = read(f"title\n{HEADER}\nlabels\nids\n{row()}\n{row(day='x')}\n", mapping=mapping)
    assert result.forms == 1
    assert result.at("date-unreadable") == [(6, "date")]


def test_of_several_columns_one_must_be_there(read: Reader) -> None:
    text = f"{HEADER}\n{row()}\n"
    rule = {"first_of": ["terapist", "ther"]}
    result = read(text, mapping=phq_mapping(fields__therapist=rule))
    assert result.at("column-missing") == [(1, "terapist / ther")]
    rule = {"first_of": ["terapist", "therapist"]}
    assert read(text, mapping=phq_mapping(fields__therapist=rule)).rows[0][2] == "t1"


def ors(read: Reader, cell: str, *, instrument: str = "ORS", decimal: str = ".") -> Read:
    form = {"instrument": instrument, "respondent": "patient", "items": {"list": [*"abcd"]}}
    fields = {"patient": {"column": "patient"}, "answered_at": {"column": "date"}}
    mapping = phq_mapping(form=[form], fields=fields, read__decimal=decimal)
    return read(f'patient,date,a,b,c,d\np,2026-03-01,"{cell}",1,2,3\n', mapping=mapping)


@pytest.mark.parametrize("cell", ["1.55555", "10.0004", "9.99", "0.05", "-0.0001"])
def test_an_answer_between_two_steps_of_the_scale_is_refused(read: Reader, cell: str) -> None:
    assert ors(read, cell).at("answer-undeclared") == [(2, "a")]
    comma = ors(read, cell.replace(".", ","), decimal=",")
    assert comma.at("answer-undeclared") == [(2, "a")]


@pytest.mark.parametrize("cell", ["1.5", "1.50", "10", "10.000", "0"])
def test_an_answer_on_a_step_of_the_scale_is_read(read: Reader, cell: str) -> None:
    assert ors(read, cell).rows[0][8] == cell


def test_an_unknown_instrument_has_at_most_three_decimals(read: Reader) -> None:
    assert ors(read, "1.125", instrument="Own").rows[0][8] == "1.125"
    assert ors(read, "1.1250", instrument="Own").forms == 1
    assert ors(read, "1.1255", instrument="Own").at("answer-undeclared") == [(2, "a")]


@pytest.mark.parametrize(("cell", "forms"), [("40.0004", 0), ("25.125", 1), ("1.23456", 0)])
def test_a_stated_score_is_never_rounded(read: Reader, cell: str, forms: int) -> None:
    form = {"instrument": "ORS", "respondent": "patient", "scores": {"total": "sum"}}
    mapping = phq_mapping(form=[form])
    result = read(f"{HEADER},sum\n{row()},{cell}\n", mapping=mapping)
    assert result.forms == forms
    assert ("score-undeclared" in result.rules()) == (forms == 0)


def test_a_repeated_header_is_compared_as_the_header_itself(read: Reader) -> None:
    header = HEADER.replace("patient", "Pat.  Nr.\u00a0")
    mapping = phq_mapping(
        read__drop=[{"header_again": True}], fields__patient={"column": "Pat. Nr."}
    )
    again = [header, header.upper(), HEADER.replace("patient", "Pat. Nr.")]
    result = read("\n".join([header, row("a"), *again, row("b"), ""]), mapping=mapping)
    assert [line for line, _ in result.at("header-repeated")] == [3, 4, 5]
    assert result.forms == 2


@pytest.mark.parametrize(
    ("instrument", "respondent", "told"),
    [
        ("PHQ-9", "therapist", [(1, None)]),
        ("PHQ-9", {"column": "therapist", "map": {"t1": "relative"}}, [(1, "therapist")]),
        ("PHQ-9", "patient", []),
        ("Own", "therapist", []),
    ],
)
def test_another_respondent_than_the_instrument_has_is_said(
    read: Reader, instrument: str, respondent: object, told: list[tuple[int, str | None]]
) -> None:
    items = {"columns": "q{}", "count": 9}
    form = {"instrument": instrument, "respondent": respondent, "items": items}
    result = read(f"{HEADER}\n{row()}\n", mapping=phq_mapping(form=[form]))
    assert result.at("respondent-unexpected") == told
    assert result.forms == 1


def test_a_single_held_file_reads_as_nothing(read: Reader) -> None:
    result = read(f"{HEADER}\n{row()}\n{row('b')}"[:-8], mapping=phq_mapping(delivery="snapshot"))
    assert result.rows == []
    assert "file-truncated" in result.rules("reject")


def test_a_table_turned_on_its_side_is_refused_at_once(read: Reader) -> None:
    columns = ",".join(f"c{n}" for n in range(20_000))
    result = read(f"{HEADER},{columns}\n{row()}{',' * 20_000}\n")
    assert result.rules() == {"columns-too-many"}


def test_many_columns_that_nobody_asked_for_are_counted(read: Reader) -> None:
    columns = ",".join(f"c{n}" for n in range(1_000))
    result = read(f"{HEADER},{columns}\n{row()}{',' * 1_000}\n")
    assert result.forms == 1
    assert len(result.at("column-unexpected")) == 200
    told = result.reading.findings.filter(pl.col("rule") == "columns-unexpected")["message"]
    assert told[0].startswith("800 more columns")
