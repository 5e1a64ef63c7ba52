"""`rapport inspect`: what it says of a file, what it never says, and drafts that read the file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.errors import RapportError
from flows.inspecting.report import inspect_file
from schemas.export_format import read_mapping
from tests.reading.conftest import REGISTRY, SAMPLES, read_paths
from tests.reading.test_samples import canonical, expected


def said(path: Path, dictionary: Path | None = None, target: Path | None = None) -> str:
    return "\n".join(inspect_file(path, REGISTRY, dictionary, target))


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


DRAFTED = [
    "mess/us01_qualtrics_like.csv",
    "mess/rx01_2026-11-09.csv",
    "mess/no01_wai_two_respondents.csv",
    "mess/fh01_QuestionnaireResponse.ndjson",
    "mess/de01_phq_ors_cp1252.csv",
    "redcap/nacho_anxiety_raw.csv",
    "fhir/us_core_phq9.json",
    "fhir/mii_pro_phq9.json",
]


@pytest.mark.parametrize("file", DRAFTED)
def test_a_draft_reads_its_file(file: str, tmp_path: Path) -> None:
    target = tmp_path / "clinic.toml"
    assert "0 lines to fill in" in said(SAMPLES / file, target=target)
    mapping = read_mapping(target)
    assert mapping.clinic.id == "clinic"
    reading = read_paths([SAMPLES / file], mapping)
    assert reading.rows.height > 0
    refused = set(reading.findings.filter(pl.col("severity") == "reject")["rule"])
    # The footer of one sample has fewer cells than its header: a person must name it.
    assert refused <= {"record-malformed"}
    assert "GUESS" in target.read_text()


@pytest.mark.parametrize(
    ("file", "sample"),
    [
        ("mess/us01_qualtrics_like.csv", "us01_qualtrics_like.csv.csv"),
        ("mess/fh01_QuestionnaireResponse.ndjson", "fh01_QuestionnaireResponse.ndjson.csv"),
    ],
)
def test_a_draft_finds_the_answers_of_a_mapping_written_by_hand(
    file: str, sample: str, tmp_path: Path
) -> None:
    target = tmp_path / "clinic.toml"
    said(SAMPLES / file, target=target)
    found = canonical(read_paths([SAMPLES / file], read_mapping(target)).rows)
    answers = [(row[5], row[6], row[7], row[8], row[9]) for row in found]
    assert answers == [(row[5], row[6], row[7], row[8], row[9]) for row in expected(sample)]


def test_it_names_what_it_saw() -> None:
    text = said(SAMPLES / "mess" / "de01_phq_ors_cp1252.csv")
    for told in (
        "encoding: cp1252 (a guess); delimiter: ;",
        "names stand in record 4",
        "patient: Pat.-Nr.",
        "date: Datum (%d.%m.%Y)",
        "items: PHQ9_{:02} x 9: PHQ-9 (by name)",
        "total: PHQ Summe",
        "k.A. x 1",
        "personal data by name: Bemerkung",
    ):
        assert told in text, told


def test_no_id_name_or_free_text_is_told(tmp_path: Path) -> None:
    header = "patient,therapist,first_name,note_1,note_2,note_3,note_4," + ",".join(
        f"phq9_{n}" for n in range(1, 10)
    )
    rows = [
        f"SECRET-{n},Dr. Hush,Maria,weeps at {n},sleeps {n},eats {n},x{n}," + "0,1,2,3,0,1,2,3,0"
        for n in range(30)
    ]
    path = written(tmp_path, "\n".join([header, *rows, ""]))
    target = tmp_path / "clinic.toml"
    text = said(path, target=target) + target.read_text()
    for secret in ("SECRET", "Hush", "Maria", "weeps", "sleeps", "eats", "x1"):
        assert secret not in text, secret
    assert "0 x 90" in text


def test_words_that_come_again_are_no_answers_of_an_instrument(tmp_path: Path) -> None:
    header = "patient," + ",".join(f"code_{n}" for n in range(1, 5))
    header += "," + ",".join(f"topic_{n}" for n in range(1, 10))
    rows = [
        f"p{n},F32.1,F41.0,F32.1,F60.3," + ",".join(f"theme {(n + k) % 15}" for k in range(9))
        for n in range(60)
    ]
    target = tmp_path / "clinic.toml"
    text = said(written(tmp_path, "\n".join([header, *rows, ""])), target=target)
    assert "F32" not in text + target.read_text()
    assert "theme" not in text + target.read_text()


@pytest.mark.parametrize("product", ["cdisc", "redcap"])
def test_a_draft_of_long_data_reads_it(product: str, tmp_path: Path) -> None:
    answers = "0123012"
    if product == "cdisc":
        head = "STUDYID,USUBJID,QSTESTCD,QSORRES,QSSTRESN,VISIT,QSDTC"
        rows = [
            f"S,P{p},GAD01{n:02},x,{answer},V1,2026-03-0{p}"
            for p in (1, 2)
            for n, answer in enumerate(answers, start=1)
        ]
    else:
        head = "record,redcap_event_name,field_name,value,date"
        rows = [
            f"P{p},e1,gad{n},{answer},2026-03-0{p}"
            for p in (1, 2)
            for n, answer in enumerate(answers, start=1)
        ]
    path = written(tmp_path, "\n".join([head, *rows, ""]))
    target = tmp_path / "clinic.toml"
    assert "0 lines to fill in" in said(path, target=target)
    found = read_paths([path], read_mapping(target)).rows
    assert found["value"].to_list() == list(answers) * 2
    assert set(found["instrument"]) == {"GAD-7"}


def test_both_readings_of_a_date_are_told(tmp_path: Path) -> None:
    items = ",".join(f"gad7_{n}" for n in range(1, 8))
    path = written(tmp_path, f"patient,date,{items}\np1,04/03/2026,0,0,0,0,0,0,0\n")
    target = tmp_path / "clinic.toml"
    assert "date: date (%d/%m/%Y or %m/%d/%Y)" in said(path, target=target)
    assert "%m/%d/%Y fits as well" in target.read_text()


def test_answers_counted_from_one_and_labels(tmp_path: Path) -> None:
    items = ",".join(f"gad7_{n}" for n in range(1, 8))
    path = written(tmp_path, f"patient,date,{items}\np1,2026-03-01,1,2,3,4,1,2,3\n")
    target = tmp_path / "one.toml"
    said(path, target=target)
    form = tomllib.loads(target.read_text())["source"][0]["form"][0]
    assert form["values"]["map"] == {"1": 0, "2": 1, "3": 2, "4": 3}
    labels = ",".join(["never", "often", "never", "often", "never", "often", "never"])
    path = written(tmp_path, f"patient,date,{items}\np1,2026-03-01,{labels}\n", "labels.csv")
    target = tmp_path / "two.toml"
    assert "1 lines to fill in" in said(path, target=target)
    assert '"never" = "FILL IN"' in target.read_text()


def test_redcaps_dictionary_gives_choices_and_forms(tmp_path: Path) -> None:
    head = '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label"'
    head += ',"Choices, Calculations, OR Slider Labels"'
    fields = [
        f'gad{n},anxiety,,radio,,"0, Not at all | 1,Several days, more or less| 2, Most | 3, All'
        ' | 777, Refused"'
        for n in range(1, 8)
    ]
    dictionary = written(tmp_path, "\n".join([head, *fields, ""]), "dictionary.csv")
    items = ",".join(f"gad{n}" for n in range(1, 8))
    row = "1,e1,2026-03-01,0,1,2,3,0,1,777,2,0"
    text = f"record_id,redcap_event_name,date,{items},mood_complete,anxiety_complete\n{row}\n"
    path = written(tmp_path, text)
    target = tmp_path / "clinic.toml"
    told = said(path, dictionary, target)
    assert "1 = Several days, more or less" in told
    drafted = tomllib.loads(target.read_text())["source"][0]
    assert drafted["form"][0]["when"]["column"] == "anxiety_complete"
    assert drafted["missing"]["777"] == "not_answered"
    with pytest.raises(RapportError, match="is no REDCap data dictionary"):
        said(path, path)


def test_each_form_has_its_own_date_and_repeats_are_sessions(tmp_path: Path) -> None:
    columns = ["record_id", "redcap_event_name", "redcap_repeat_instrument"]
    columns += ["redcap_repeat_instance", "birth_day"]
    forms = {"gad7": ["gad7_timestamp", "gad7_date"], "phq": ["phq_day"]}
    for name, count in (("gad7", 7), ("phq", 9)):
        columns += [*forms[name], *(f"{name}_{n}" for n in range(1, count + 1))]
        columns.append(f"{name}_complete")
    lines = []
    for visit in (1, 2):
        for form in forms:
            row = {"record_id": "7", "redcap_event_name": "treatment", "birth_day": "1980-01-01"}
            row |= {"redcap_repeat_instrument": form, "redcap_repeat_instance": str(visit)}
            own = [name for name in columns if name.startswith(f"{form}_")]
            row |= {name: f"2026-03-0{visit}" if name in forms[form] else "1" for name in own}
            lines.append(",".join(row.get(name, "") for name in columns))
    path = written(tmp_path, "\n".join([",".join(columns), *lines, ""]))
    target = tmp_path / "clinic.toml"
    said(path, None, target)
    rows = read_paths([path], target).rows
    assert set(rows["answered_at"]) == {"2026-03-01", "2026-03-02"}
    assert set(rows["session_no"]) == {"1", "2"}
    drafted = tomllib.loads(target.read_text())["source"][0]["form"]
    assert [form["answered_at"]["column"] for form in drafted] == ["gad7_date", "phq_day"]


def test_nothing_is_overwritten_and_odd_files_end_in_a_sentence(tmp_path: Path) -> None:
    path = written(tmp_path, "patient,date\np1,2026-03-01\n")
    target = written(tmp_path, "mine", "mine.toml")
    with pytest.raises(RapportError, match="is there already"):
        said(path, target=target)
    assert target.read_text() == "mine"
    for content in (b"", b"\n\n", b"{", b"[" * 90000, b'{"a": NaN}', b"\x00\x01\x02"):
        odd = tmp_path / "odd"
        odd.write_bytes(content)
        try:
            said(odd)
        except RapportError as error:
            assert error.faults
    with pytest.raises(RapportError, match="cannot be read"):
        said(tmp_path / "absent.csv")


def test_the_command_line_writes_a_draft(tmp_path: Path) -> None:
    target = tmp_path / "us01.toml"
    sample = SAMPLES / "mess" / "us01_qualtrics_like.csv"
    result = CliRunner().invoke(app, ["inspect", str(sample), "--draft", str(target)])
    assert result.exit_code == 0, result.output
    assert "looks like: qualtrics" in result.output
    assert 'preset = "qualtrics"' in target.read_text()


PRACTICE = """Praxisplan - Auswertung
\nChiffre;Behandler/in;Sitzungs-Nr.;Datum Erhebung;{items};PHQ9 Gesamtwert;Anmerkung
{rows}
Anzahl Datens\u00e4tze: 8
"""


def practice(folder: Path, last: str = "Anzahl Datens\u00e4tze: 8") -> Path:
    """A list as a practice prints it: title, answers in words, a footer, saved a second time."""
    words = ["nie", "manchmal", "oft", "k. A."]
    rows = [
        f"{n:04};B. \u00dcbung;1;{n + 1}.03.2026;"
        + ";".join(words[(n + k) % 3] for k in range(8))
        + ";k. A.;9;"
        for n in range(8)
    ]
    items = ";".join(f"PHQ9 Item {n}" for n in range(1, 10))
    text = PRACTICE.format(items=items, rows="\n".join(rows)).replace(
        "Anzahl Datens\u00e4tze: 8", last
    )
    path = folder / "Liste 2026-03 (1).csv"
    path.write_bytes(text.encode("cp1252"))
    return path


def test_a_practices_list_with_title_and_footer_is_read_by_its_draft(tmp_path: Path) -> None:
    path, target = practice(tmp_path), tmp_path / "north.toml"
    said(path, target=target)
    text = target.read_text()
    assert 'match = "Liste *.csv"' in text
    assert 'patient = { column = "Chiffre" }' in text
    assert 'totals = { answered_sum = "PHQ9 Gesamtwert" }' in text
    assert '"k. A." = "not_answered"' in text
    assert "personal = true" in text
    for n, word in enumerate(("nie", "manchmal", "oft")):
        text = text.replace(f'"{word}" = "FILL IN"', f'"{word}" = {n}')
    target.write_text(text)
    reading = read_paths([path], read_mapping(target))
    assert reading.rows.height == 8 * 9
    assert "record-malformed" not in set(reading.findings["rule"])
    assert "record-dropped" in set(reading.findings["rule"])


def test_hours_are_sessions_and_a_day_tells_no_forms(tmp_path: Path) -> None:
    header = "Chiffre;Stunde;Ausgefüllt am;Farbe;" + ";".join(f"GAD7-{n}" for n in range(1, 8))
    rows = [f"A{n % 3};{n // 3};{n + 1:02}.10.2026;rot;0;1;2;3;0;1;2" for n in range(9)]
    target = tmp_path / "clinic.toml"
    told = said(written(tmp_path, "\n".join([header, *rows, ""])), target=target)
    assert "session: Stunde" in told
    assert "may tell forms" not in told
    draft = target.read_text(encoding="utf-8")
    assert 'ignore = ["Farbe"]  # GUESS' in draft
    assert "# when" not in draft


def test_a_last_line_that_was_cut_off_is_no_footer(tmp_path: Path) -> None:
    """It may be a patient's: it is neither told nor dropped."""
    for number, last in enumerate(("0008", "Muster", "Sumarte")):
        target = tmp_path / f"draft{number}.toml"
        said(practice(tmp_path, last), target=target)
        assert "drop" not in target.read_text()
        assert last not in target.read_text().replace("Chiffre", "")
