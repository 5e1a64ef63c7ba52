"""Long data by code and sessions in column names: the same canonical rows as an ordinary table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.export_format import Mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import HEADER, Read, phq_mapping, read_paths, row

Reader = Callable[..., Read]
ITEMS = {f"q{n}": ["PHQ-9", n, 0, 3] for n in range(1, 10)}
LONG_HEADER = "patient,therapist,session,date,code,answer"


def long_mapping(**changes: Any) -> Mapping:
    code = {"column": "code", "value": "answer", "respondent": "patient", "map": ITEMS}
    code |= changes.pop("code", {})
    return phq_mapping(**{"form": [], "code": [code], **changes})


def long_lines(patient: str, answers: str, session: int = 1, day: str = "2026-03-01") -> list[str]:
    return [
        f"{patient},t1,{session},{day},q{n},{answer}"
        for n, answer in enumerate(answers.split(","), start=1)
    ]


def text(*lines: str, header: str = LONG_HEADER) -> str:
    return "\n".join([header, *lines, ""])


GOOD = "1,2,0,1,2,0,1,2,0"


def values(result: Read) -> list[str | None]:
    return result.reading.rows["value"].to_list()


class TestCode:
    def test_lines_become_one_form(self, read: Reader) -> None:
        result = read(text(*long_lines("p1", GOOD)), mapping=long_mapping())
        assert values(result) == GOOD.split(",")
        assert set(result.reading.rows["item"]) == {str(n) for n in range(1, 10)}
        assert result.rules() == set()

    def test_the_order_of_lines_does_not_matter(self, read: Reader) -> None:
        lines = [*long_lines("p1", GOOD), *long_lines("p2", "3,3,3,3,3,3,3,3,3")]
        result = read(text(*lines[::-1]), mapping=long_mapping())
        rows = result.reading.rows.filter(pl.col("patient_id") == "p1")
        assert rows["value"].to_list() == GOOD.split(",")
        assert result.forms == 2

    def test_an_item_without_a_line_is_missing(self, read: Reader) -> None:
        lines = long_lines("p1", GOOD)
        del lines[4]
        result = read(text(*lines), mapping=long_mapping())
        assert values(result)[4] is None
        assert result.reading.rows["missing_reason"].to_list()[4] == "blank"
        undeclared = read(text(*lines), mapping=long_mapping(missing={}))
        assert undeclared.reading.rows["missing_reason"].to_list()[4] == "structurally_absent"

    def test_an_undeclared_code_is_told_with_its_count_and_not_by_name(self, read: Reader) -> None:
        extra = ["p1,t1,1,2026-03-01,secret,4", "p1,t1,1,2026-03-01,secret,5"]
        result = read(text(*extra, *long_lines("p1", GOOD)), mapping=long_mapping())
        assert result.at("code-undeclared") == [(2, "code")]
        message = result.reading.findings["message"].to_list()[0]
        assert message.startswith("2 lines")
        assert "secret" not in str(result.reading.findings.to_dicts())
        assert values(result) == GOOD.split(",")

    def test_an_ignored_code_is_no_finding(self, read: Reader) -> None:
        extra = "p1,t1,1,2026-03-01,sleep_3,4"
        mapping = long_mapping(code={"ignore": ["sleep_*"]})
        assert read(text(extra, *long_lines("p1", GOOD)), mapping=mapping).rules() == set()

    def test_a_file_without_any_declared_code_is_refused(self, read: Reader) -> None:
        result = read(text("p1,t1,1,2026-03-01,zzz,4"), mapping=long_mapping())
        assert "codes-not-recognised" in result.rules("reject")

    def test_a_code_twice_with_one_value_is_one_answer(self, read: Reader) -> None:
        lines = long_lines("p1", GOOD)
        result = read(text(*lines, lines[2]), mapping=long_mapping())
        assert values(result) == GOOD.split(",")
        assert result.rules() == set()

    def test_a_code_twice_with_two_values_refuses_the_form(self, read: Reader) -> None:
        lines = [*long_lines("p1", GOOD), *long_lines("p2", GOOD), "p1,t1,1,2026-03-01,q3,3"]
        result = read(text(*lines), mapping=long_mapping())
        assert result.at("code-twice") == [(20, "code")]
        assert set(result.reading.rows["patient_id"]) == {"p2"}
        assert result.rules("reject") == {"code-twice"}

    def test_a_value_out_of_range_is_told_at_its_own_line(self, read: Reader) -> None:
        lines = [*long_lines("p2", GOOD), *long_lines("p1", "1,2,0,1,2,7,1,2,0")]
        narrow = long_mapping(code={"map": {**ITEMS, "q6": ["PHQ-9", 6, 0, 2]}})
        result = read(text(*lines), mapping=narrow)
        assert ("code-out-of-range", 16, "answer") in set(
            result.reading.findings.select("rule", "line", "column_name").rows()
        )
        assert set(result.reading.rows["patient_id"]) == {"p2"}
        assert read(text(*long_lines("p1", "1,2,0,1,2,3,1,2,0")), mapping=narrow).rows == []

    def test_an_answer_that_is_none_is_told_at_its_own_line(self, read: Reader) -> None:
        result = read(text(*long_lines("p1", "1,2,0,x,2,0,1,2,0")), mapping=long_mapping())
        assert result.at("answer-undeclared") == [(5, "code=q4")]
        assert result.rows == []

    def test_lines_that_disagree_refuse_the_form(self, read: Reader) -> None:
        lines = long_lines("p1", GOOD)
        lines[8] = lines[8].replace("t1", "t2")
        result = read(text(*lines), mapping=long_mapping())
        assert result.at("lines-disagree") == [(2, "therapist")]
        assert result.rows == []

    def test_forms_are_told_apart_by_the_key(self, read: Reader) -> None:
        lines = [*long_lines("p1", GOOD), *long_lines("p1", "0,0,0,0,0,0,0,0,0", session=2)]
        assert read(text(*lines), mapping=long_mapping()).forms == 2
        by_patient = long_mapping(key=["patient", "code"])
        assert "lines-disagree" in read(text(*lines), mapping=by_patient).rules("reject")

    def test_scores_and_two_instruments_by_code(self, read: Reader) -> None:
        codes = {
            "720433000": ["PHQ-9", "total", 0, 27],
            "506701000000100": ["PHQ-9", "total", 0, 27],
            "445455005": ["GAD-7", "total", 0, 21],
        }
        lines = [
            "p1,t1,1,2026-03-01,720433000,12",
            "p1,t1,1,2026-03-01,445455005,22",
            "p2,t1,1,2026-03-01,506701000000100,7",
            "p2,t1,1,2026-03-01,445455005,9",
        ]
        result = read(text(*lines), mapping=long_mapping(code={"map": codes}))
        found = result.reading.rows.select("patient_id", "instrument", "item", "value").rows()
        assert found == [
            ("p1", "PHQ-9", "total", "12"),
            ("p2", "PHQ-9", "total", "7"),
            ("p2", "GAD-7", "total", "9"),
        ]
        assert result.at("code-out-of-range") == [(3, "answer")]

    def test_fields_that_stand_in_lines_of_their_own(self, read: Reader) -> None:
        lines = [f"p1,{n},{answer}" for n, answer in enumerate(GOOD.split(","), start=1)]
        codes = {str(n): ["PHQ-9", n] for n in range(1, 10)}
        mapping = long_mapping(
            code={"map": codes, "carry": ["filled_on", "clinician"], "column": "field_name"},
            key=["patient"],
            fields={
                "patient": {"column": "patient"},
                "therapist": {"column": "clinician"},
                "answered_at": {"column": "filled_on", "formats": ["iso"]},
            },
        )
        head = "patient,field_name,answer"
        whole = text(*lines, "p1,filled_on,2026-03-04", "p1,clinician,t9", header=head)
        result = read(whole, mapping=mapping)
        assert values(result) == GOOD.split(",")
        assert set(result.reading.rows["answered_at"]) == {"2026-03-04"}
        assert set(result.reading.rows["therapist_id"]) == {"t9"}
        undated = read(text(*lines, header=head), mapping=mapping)
        assert undated.rules("reject") == {"date-missing"}

    def test_a_snapshot_does_not_retract_a_form_that_became_unreadable(self, read: Reader) -> None:
        mapping = long_mapping(delivery="snapshot")
        first = text(*long_lines("p1", GOOD), *long_lines("p2", GOOD))
        second = text(*long_lines("p1", GOOD), "p1,t1,1,2026-03-01,q1,3", *long_lines("p2", GOOD))
        result = read(first, second, mapping=mapping)
        assert result.forms == 2
        assert "record-vanished" not in result.rules()

    def test_a_broken_line_is_told_and_the_rest_is_read(self, read: Reader) -> None:
        lines = [*long_lines("p1", GOOD), "p2,t1,1", *long_lines("p3", GOOD)]
        result = read(text(*lines), mapping=long_mapping())
        assert result.at("record-malformed") == [(11, None)]
        assert result.forms == 2


WIDE = {
    "columns": "{form}_{time}",
    "forms": {"bdi": ["BDI", "total"]},
    "times": {r"s(\d+)": r"\1", "fu1": "follow-up 1"},
    "carry": ["date"],
}


def wide_mapping(**changes: Any) -> Mapping:
    fields = {
        "patient": {"column": "patient"},
        "therapist": {"column": "therapist"},
        "answered_at": {"column": "date", "formats": ["%Y-%m-%d"]},
    }
    return phq_mapping(**{"form": [], "fields": fields, "wide": WIDE, **changes})


class TestWide:
    header = "patient,therapist,bdi_s0,date_s0,bdi_s1,date_s1,bdi_fu1,date_fu1"

    def test_a_record_for_each_session(self, read: Reader) -> None:
        lines = ["p1,t1,30,2026-01-01,25,2026-01-08,12,2026-06-01", "p2,t1,20,2026-02-01,,,,"]
        result = read(text(*lines, header=self.header), mapping=wide_mapping())
        rows = result.reading.rows.select(
            "patient_id", "session_no", "item", "value", "answered_at"
        )
        assert rows.rows() == [
            ("p1", "0", "total", "30", "2026-01-01"),
            ("p1", "1", "total", "25", "2026-01-08"),
            ("p1", "follow-up 1", "total", "12", "2026-06-01"),
            ("p2", "0", "total", "20", "2026-02-01"),
        ]
        assert result.rules() == {"instrument-unknown"}

    def test_a_session_that_no_pattern_fits_is_told(self, read: Reader) -> None:
        line = "p1,t1,30,2026-01-01,25,2026-01-08,12,2026-06-01,9"
        result = read(text(line, header=self.header + ",bdi_end"), mapping=wide_mapping())
        assert result.at("column-unexpected") == [(1, "bdi_end")]

    def test_two_columns_of_one_session_refuse_the_file(self, read: Reader) -> None:
        wide = {**WIDE, "times": {r"s0?(\d+)": r"\1", "fu1": "3"}}
        line = "p1,t1,30,2026-01-01,25,2026-01-08,12,2026-06-01,9"
        result = read(text(line, header=self.header + ",bdi_s01"), mapping=wide_mapping(wide=wide))
        assert result.at("session-doubled") == [(None, "bdi_s01")]

    def test_a_form_without_any_column_refuses_the_file(self, read: Reader) -> None:
        result = read(text("p1,t1,2026-01-01", header="patient,therapist,date_s0"),
                      mapping=wide_mapping())  # fmt: skip
        assert ("bdi_{time}") in str(result.at("column-missing"))

    def test_a_file_without_answers_is_refused(self, read: Reader) -> None:
        result = read(text("p1,t1,,,,,,", header=self.header), mapping=wide_mapping())
        assert "file-without-forms" in result.rules("reject")

    def test_a_wrong_answer_is_told_at_its_line_and_column(self, read: Reader) -> None:
        lines = ["p1,t1,x,2026-01-01,25,2026-01-08,,", "p2,t1,20,2026-02-01,,,,"]
        result = read(text(*lines, header=self.header), mapping=wide_mapping())
        assert result.at("score-undeclared") == [(2, "bdi_s0")]
        assert len(result.rows) == 2

    def test_findings_name_the_column_of_the_session(self, read: Reader) -> None:
        items = {f"q{n}": ["PHQ-9", n] for n in range(1, 10)}
        wide = {"columns": "{form}_{time}", "forms": items, "times": {r"s(\d)": r"\1"}}
        mapping = wide_mapping(wide={**wide, "carry": ["date"]}, missing={"": "blank"})
        header = ["patient", "therapist"]
        header += [f"{name}_s{n}" for n in (1, 2) for name in ("date", *items)]
        good, bad = ["2026-01-01", *"111111111"], ["2026-13-01", *"111111119"]
        gaps = ["2026-02-30", "", *"1111x111"]
        lines = [",".join(("p1", "t1", *good, *bad)), ",".join(("p2", "t1", *gaps, *good))]
        result = read(text(*lines, header=",".join(header)), mapping=mapping)
        assert result.at("date-unreadable") == [(2, "date_s2"), (3, "date_s1")]
        assert result.at("answer-out-of-range") == [(2, "q9_s2")]
        assert result.at("answer-undeclared") == [(3, "q6_s1")]
        assert result.at("answer-missing") == [(3, "q1_s1")]

    def test_a_session_called_like_a_missing_code_stays(self, read: Reader) -> None:
        wide = {**WIDE, "times": {r"s(\d+)": r"\1", "fu1": "1e5"}}
        line = "p1,t1,30,2026-01-01,25,2026-01-08,12,2026-06-01"
        mapping = wide_mapping(wide=wide, missing={"": "blank", "1": "refused"})
        rows = read(text(line, header=self.header), mapping=mapping).reading.rows
        assert rows["session_no"].to_list() == ["0", "1", "1e5"]

    def test_records_of_one_line_and_session_have_keys_of_their_own(self, read: Reader) -> None:
        lines = ["p1,t1,30,2026-01-01,25,2026-01-08,12,2026-06-01"]
        result = read(text(*lines, header=self.header), mapping=wide_mapping(key=["patient"]))
        assert len(result.rows) == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"code": {"map": {"a": ["PHQ-9", 2]}}}, "lacks item 1"),
        ({"code": {"map": {"a": ["PHQ-9"]}}}, "is [instrument, item]"),
        ({"code": {"map": {"a": ["PHQ-9", 1, 3, 0]}}}, "lowest to the highest"),
        ({"code": {"map": {"a": ["PHQ-9", "answered_sum"]}}}, "checked against items"),
        ({"code": {"carry": ["q1"]}}, "is in map too"),
        ({"code": {"respondent": {"column": "who"}}}, "map must lead to"),
        ({"code": {"typo": 1}}, "unknown key"),
        ({"wide": {**WIDE, "columns": "{form}"}}, "each once"),
        ({"wide": {**WIDE, "times": {"s(": "1"}}}, "regular expression"),
        ({"wide": {**WIDE, "times": {"s": r"\1"}}}, "refers to group"),
        ({"wide": WIDE}, "exclude one another"),
    ],
)
def test_faults_of_the_mapping_are_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MappingFaults) as wrong:
        long_mapping(**changes)
    assert told in str(wrong.value)


answer_lists = st.lists(
    st.lists(st.sampled_from(["0", "1", "2", "3", "", "-9"]), min_size=9, max_size=9),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(answer_lists)
def test_long_and_ordinary_tables_read_alike(tmp_path_factory: Any, forms: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("alike")
    ordinary = [row(f"p{n}", session=n, answers=",".join(cells)) for n, cells in enumerate(forms)]
    (folder / "ordinary.csv").write_text(text(*ordinary, header=HEADER))
    lines = [
        line for n, cells in enumerate(forms) for line in long_lines(f"p{n}", ",".join(cells), n)
    ]
    (folder / "long.csv").write_text(text(*lines))
    first = read_paths([folder / "ordinary.csv"], phq_mapping()).rows
    second = read_paths([folder / "long.csv"], long_mapping()).rows
    assert first.rows() == second.rows()
