"""Real and hostile export files: exactly the expected rows, and a finding for each thing remarkable."""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
import pytest

from tests.reading.conftest import SAMPLES, read_paths

MESS = SAMPLES / "mess"


def expected(name: str) -> list[tuple[str, ...]]:
    frame = pl.read_csv(MESS / "expected" / name, infer_schema=False)
    return frame.with_columns(pl.all().fill_null("")).rows()


def canonical(rows: pl.DataFrame) -> list[tuple[str, ...]]:
    return rows.with_columns(pl.all().cast(pl.String).fill_null("")).rows()


@pytest.mark.parametrize(
    ("file", "mapping"),
    [
        ("de01_phq_ors_cp1252.csv", "de01.toml"),
        ("no01_wai_two_respondents.csv", "no01.toml"),
        ("us01_qualtrics_like.csv", "us01.toml"),
        ("sp01_phq9.sav", "sp01.toml"),
        ("fh01_QuestionnaireResponse.ndjson", "fh01.toml"),
    ],
)
def test_rows_are_the_expected_ones(file: str, mapping: str) -> None:
    reading = read_paths([MESS / file], MESS / "mappings" / mapping)
    assert canonical(reading.rows) == expected(f"{file}.csv")


# What the findings files tell of, as (rule, line, column); None means any line or column.
TOLD = {
    "de01_phq_ors_cp1252.csv": [
        ("preamble", 1, None),
        ("header-repeated", 16, None),
        ("record-dropped", 29, None),
        ("record-dropped", 30, None),
        ("answer-missing", 9, "PHQ9_05"),
        ("answer-missing", 13, "PHQ9_03"),
        ("answer-missing", 11, "PHQ9_09"),
        ("total-of-incomplete-form", 9, "PHQ Summe"),
        ("total-of-incomplete-form", 11, "PHQ Summe"),
        ("total-of-incomplete-form", 13, "PHQ Summe"),
        ("id-leading-zeros", 5, "Pat.-Nr."),
        ("personal-data", 4, "Behandler"),
        ("newline-in-cell", 7, None),
    ],
    "no01_wai_two_respondents.csv": [
        ("several-forms", 1, "Skjema"),
        ("columns-beyond-form", 1, "Spørsmål 11"),
        ("columns-beyond-form", 1, "Spørsmål 12"),
        ("answer-missing", 4, "Spørsmål 2"),
        ("form-without-answers", 7, None),
        ("two-digit-year", 1, "Levert"),
    ],
    "us01_qualtrics_like.csv": [
        ("header-rows", 1, None),
        ("answers-recoded", 1, "Q7_1"),
        ("answer-missing", 15, "Q7_6"),
        ("record-dropped", 17, None),
        ("answer-missing", 19, "Q7_5"),
        ("answer-missing", 19, "Q7_9"),
        ("personal-data", 1, "IPAddress"),
    ],
    "sp01_phq9.sav": [
        ("answer-missing", 3, "phq3"),
        ("answer-missing", 6, "phq7"),
        ("answer-missing", 7, "phq1"),
        ("id-leading-zeros", 1, "pat"),
    ],
    "fh01_QuestionnaireResponse.ndjson": [
        ("links-mixed", 1, None),
        ("author-differs", 1, "author"),
        ("response-withdrawn", 5, "status"),
        ("record-dropped", 5, None),
        ("response-amended", 6, "status"),
        ("answer-missing", 2, "PHQ-9 item 7"),
        ("total-disagrees", 4, "/44261-6"),
        ("session-from-reference", 1, "encounter.reference"),
        ("therapist-not-asserted", 1, None),
    ],
}


@pytest.mark.parametrize("file", TOLD)
def test_a_finding_for_each_thing_told(file: str) -> None:
    mapping = MESS / "mappings" / f"{file[:4]}.toml"
    found = set(
        read_paths([MESS / file], mapping).findings.select("rule", "line", "column_name").rows()
    )
    assert not [told for told in TOLD[file] if told not in found]


def test_nothing_of_these_files_is_refused() -> None:
    for file in TOLD:
        mapping = MESS / "mappings" / f"{file[:4]}.toml"
        findings = read_paths([MESS / file], mapping).findings
        assert findings.filter(pl.col("severity") == "reject").is_empty(), file


RESTATED = [
    "rx01_2026-11-09.csv",
    "rx01_2026-11-16.csv",
    "rx01_2026-11-16 (1).csv",
    "rx01_2026-11-17_truncated.csv",
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_restated_exports_end_the_same_in_any_order(order: tuple[int, ...]) -> None:
    files = [MESS / RESTATED[place] for place in order]
    reading = read_paths(files, MESS / "mappings" / "rx01.toml")
    assert canonical(reading.rows) == expected("rx01_after_all.csv")


def test_restated_exports_report_what_vanished_and_what_was_cut_off() -> None:
    files = [MESS / name for name in RESTATED]
    findings = read_paths(files, MESS / "mappings" / "rx01.toml").findings
    vanished = findings.filter(pl.col("rule") == "record-vanished")
    assert vanished["file"].to_list() == ["rx01_2026-11-16.csv"]
    assert vanished["message"][0].startswith("1 records")
    held = findings.filter(pl.col("rule") == "file-truncated")
    assert held.select("file", "line").rows() == [("rx01_2026-11-17_truncated.csv", 9)]


class TestRealRedcapExport:
    """A teaching project's REDCap export: GAD-7 and HAM-A over five events."""

    reading = read_paths(
        [SAMPLES / "redcap" / "nacho_anxiety_raw.csv"], SAMPLES / "redcap" / "nacho_anxiety.toml"
    )

    def test_only_completed_gad7_forms_are_read(self) -> None:
        gad = self.reading.rows.filter(pl.col("instrument") == "GAD-7")
        sums = (
            gad.group_by("session_no", maintain_order=True)
            .agg(pl.col("value").cast(pl.Int32).sum(), pl.len())
            .rows()
        )
        assert sums == [("0", 16, 7), ("1", 9, 7)]

    def test_a_date_that_went_through_utc_is_the_local_day(self) -> None:
        days = self.reading.rows["answered_at"].unique(maintain_order=True).to_list()
        assert days == [f"2020-01-{day}" for day in range(21, 26)]

    def test_two_of_five_stated_totals_disagree(self) -> None:
        found = self.reading.findings.filter(pl.col("rule") == "total-disagrees")
        assert found.select("line", "column_name").rows() == [(2, "hama_score"), (4, "hama_score")]

    def test_an_instrument_without_registry_entry_is_read_and_named(self) -> None:
        assert "HAM-A" in set(self.reading.rows["instrument"])
        assert "instrument-unknown" in set(self.reading.findings["rule"])


def test_long_questionnaire_data_of_a_trial_are_read_line_by_line() -> None:
    """Against a plain walk over the lines: ten items of the NEI VFQ-25 at two visits or three."""
    folder = SAMPLES / "cdisc"
    lines = pl.read_csv(folder / "qs_ophtha.csv", infer_schema=False)
    items = {f"VFQ1{n:02}": str(n) for n in range(1, 11)}
    expected_answers = {
        (line["USUBJID"], line["VISIT"], items[line["QSTESTCD"]], line["QSSTRESN"])
        for line in lines.iter_rows(named=True)
        if line["QSTESTCD"] in items
    }
    reading = read_paths([folder / "qs_ophtha.csv"], folder / "qs_ophtha.toml")
    found = reading.rows.select("patient_id", "session_no", "item", "value").rows()
    assert set(found) == expected_answers
    assert len(found) == len(expected_answers) == 120
    assert set(reading.findings["rule"]) == {"instrument-unknown"}


@pytest.mark.parametrize(
    ("name", "answers", "unexpected"),
    [
        ("us_core_phq9", "2,2,2,2,1,1,2,0,0", {"author-differs", "therapist-not-asserted"}),
        ("mii_pro_phq9", "3,3,3,3,3,3,3,3,3", set()),
    ],
)
def test_published_fhir_examples(name: str, answers: str, unexpected: set[str]) -> None:
    reading = read_paths([SAMPLES / "fhir" / f"{name}.json"], SAMPLES / "fhir" / f"{name}.toml")
    assert reading.rows["value"].to_list() == answers.split(",")
    assert set(reading.rows["respondent"]) == {"patient"}
    assert set(reading.findings["rule"]) == {"answers-recoded"} | unexpected


def test_every_sample_is_named_in_the_attribution() -> None:
    text = (SAMPLES / "ATTRIBUTION.md").read_text(encoding="utf-8")
    files = [path for path in SAMPLES.rglob("*.*") if path.parent != SAMPLES]
    folders = {path.parent.relative_to(SAMPLES).parts[0] for path in files}
    assert folders >= {"mess", "redcap", "pyreadstat", "cdisc", "fhir"}
    assert all(f"`{folder}/" in text for folder in folders)
    assert Path(SAMPLES / "redcap" / "nacho_anxiety_raw.csv").name in text
