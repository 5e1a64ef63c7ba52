"""Scores of touched patients alone give what scores of all give, row for row, whatever a night brings."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest

from flows.reference import Service, fill_reference
from flows.scores import build_scores
from flows.sql_files import SqlFile, build, read_sql_files
from flows.sql_header import HeaderFault, read_header
from flows.touched import HORIZON, RECORDS
from flows.warehouse import create_tables, transaction
from tests.nightly.random_nights import BEGIN, OPEN_END, RandomNights
from tests.sql.test_files import HEADER
from tests.sql.warehouse_fixture import shipped

SCORES = [file for file in read_sql_files() if file.stage == "score"]
OF_PATIENTS = [
    pytest.param(file, id=file.table) for file in SCORES if file.header.patient_key is not None
]
SERVICE = Service("Service", {"a": "Alder", "b": "Birch", "c": "Cedar"})
# So few courses are enough that a small service has every pooled constant.
ENOUGH = "name like '%_courses' or name like '%_courses_needed' or name like '%_cell_needed'"
DAY = timedelta(days=1)


def warehouse() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set threads = 2")
    create_tables(con)
    return con


def score(
    con: duckdb.DuckDBPyConnection, night: date, service: Service = SERVICE, most: float = 1
) -> str:
    """One night's scores; for whom they were computed."""
    con.execute(f"set variable as_of = date '{night}'")
    with transaction(con):
        fill_reference(con, shipped(), service, night)
        con.execute(f"update ref.setting set value = 3 where {ENOUGH}")
        return build_scores(con, night, most)


def differing(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Tables that are other than when all patients are computed anew, with the number of rows."""
    found = {}
    con.execute("begin")
    for file in SCORES:
        con.execute(f'create temp table "stood {file.name}" as from {file.name}')
    build(con, "score")
    for file in SCORES:
        stood = f'"stood {file.name}"'
        (n,) = con.execute(
            f"select count(*) from ((from {stood} except all from {file.name})"
            f" union all (from {file.name} except all from {stood}))"
        ).fetchall()[0]
        found |= {file.name: n} if n else {}
    con.execute("rollback")
    return found


def run_nights(seed: int, nights: int, patients: int = 120) -> list[str]:
    """For whom each night's scores were computed, every night compared with a whole computation."""
    con = warehouse()
    world = RandomNights(con, seed, patients)
    night, computed = BEGIN, []
    world.deliver(night, 900)
    for number in range(nights):
        if number:
            night += timedelta(days=world.chance.choice((1, 1, 2, 7, 30)))
            world.deliver(night, world.chance.choice((0, 3, 10)))
        if number and world.chance.random() < 0.05:
            world.rename(night)
        computed.append(score(con, night))
        if computed[-1][0].isdigit():
            assert differing(con) == {}, (seed, number, night, computed)
    con.close()
    return computed


@pytest.mark.parametrize("seed", [1, 2])
def test_touched_patients_alone_give_what_all_give(seed: int) -> None:
    computed = run_nights(seed, nights=4)
    assert sum(how[0].isdigit() for how in computed) >= 2, computed


def test_what_is_in_doubt_is_computed_for_all() -> None:
    con = warehouse()
    world = RandomNights(con, 3, patients=25)
    world.deliver(BEGIN, 90)
    night = BEGIN
    assert score(con, night) == "all patients: none has scores yet"
    world.deliver(night + DAY, 1)
    assert re.fullmatch(r"\d+ of \d+ patients", score(con, night + DAY))
    # landed for a night that has its scores already: the night was interrupted, or run again
    world.deliver(night + DAY, 1)
    found = score(con, night + 2 * DAY)
    assert found == f"all patients: changed since {night + DAY}: rows of that night"
    stand = f"all patients: the scores that stand are of {night + 2 * DAY}"
    assert score(con, night + 2 * DAY) == score(con, night) == stand
    world.rename(night + DAY)
    assert score(con, night + DAY) == f"all patients: changed since {night}: aliases"
    world.deliver(night + 2 * DAY, 30)
    assert re.search(r"\d+ of \d+ have something new", score(con, night + 2 * DAY, most=0.1))
    for kind, day in (
        ("form", "answered_at"),
        ("appointment", "planned_at"),
        ("episode", "current_date"),
    ):
        con.execute(
            f"update valid.{kind}_version set known_to = ? where known_to = ? and {day} > ?",
            [night + 3 * DAY, OPEN_END, night - 5 * DAY],
        )
    assert score(con, night + 3 * DAY) == "all patients: a clinic's exports reach less far"
    assert "quarter" in score(con, date(2025, 4, 1))


def test_a_very_large_service_is_computed_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    con = warehouse()
    RandomNights(con, 7, patients=25).deliver(BEGIN, 90)
    score(con, BEGIN)
    (forms,) = con.execute("select count(*) from valid.form_version").fetchall()[0]
    monkeypatch.setattr("flows.warehouse.MANY_FORMS", forms - 1)
    why = "all patients: the service is too large to replace some rows"
    assert score(con, BEGIN + DAY) == why
    monkeypatch.setattr("flows.warehouse.MANY_FORMS", forms)
    assert score(con, BEGIN + 2 * DAY)[0].isdigit()


def test_a_changed_number_reaches_patients_of_whom_nothing_is_new() -> None:
    con = warehouse()
    RandomNights(con, 4, patients=40).deliver(BEGIN, 150)
    score(con, BEGIN)
    patient = replace(SERVICE, thresholds={"gap_days": 20, "attach_before_days": 1})
    assert score(con, BEGIN + DAY, patient)[0].isdigit()
    assert differing(con) == {}


def test_who_shares_a_course_id_is_computed_too() -> None:
    """One course of two people's appointments begins with the first of them, until that is taken back."""
    con = warehouse()
    RandomNights(con, 5, patients=20).deliver(BEGIN, 40)
    for patient, day in (("a0", BEGIN), ("a3", BEGIN - 9 * DAY)):
        con.execute(
            "insert into valid.appointment_version by name select ? as row_id, 'a' as clinic_id,"
            " 'rows' as source_name, ? as patient_id, 'shared' as episode_id, ? as planned_at,"
            " 'attended' as status, 'd' as delivery_id, 1 as line, ? as known_from, ? as known_to",
            [f"of {patient}", patient, day, BEGIN, OPEN_END],
        )
    score(con, BEGIN)
    con.execute(
        "update valid.appointment_version set known_to = ? where row_id = 'of a3'", [BEGIN + DAY]
    )
    assert score(con, BEGIN + DAY)[0].isdigit()
    begun = "select started_on from score.course where episode_id = 'shared'"
    assert con.execute(begun).fetchall() == [(BEGIN,)]
    assert differing(con) == {}


def test_a_night_of_which_nothing_is_new_still_moves_with_its_periods() -> None:
    """On the last day of March a quarter of two years ago is shown no more, and a later one is."""
    con = warehouse()
    for number in range(24):
        year = 2023 + number % 3
        patient, begun = f"a{number}", date(year, 1, 2)
        con.execute(
            "insert into valid.episode_version by name select ? as row_id, 'a' as clinic_id,"
            " 'rows' as source_name, ? as patient_id, row_id as episode_id, ? as started_on,"
            " ? as ended_on, 'completed' as end_reason, 'd' as delivery_id, 1 as line,"
            " date '2025-01-01' as known_from, ? as known_to",
            [f"course{number}", patient, begun, begun + 60 * DAY, OPEN_END],
        )
        con.execute(
            "insert into valid.appointment_version by name select ? || '/' || week as row_id,"
            " 'a' as clinic_id, 'rows' as source_name, ? as patient_id, ? as episode_id,"
            " ?::date + 7 * week::integer as planned_at, 'attended' as status, 'd' as delivery_id,"
            " 1 as line, date '2025-01-01' as known_from, ? as known_to from range(?) listed (week)",
            [patient, patient, f"course{number}", begun, OPEN_END, 2 + number % 4],
        )
    night = date(2025, 3, 30)
    score(con, night)
    shown = "select count(*) from score.finished_course where period_id = ?"
    assert con.execute(shown, ["2023-Q1"]).fetchall()[0][0] > 0
    assert score(con, night + DAY) == "0 of 24 patients"
    assert con.execute(shown, ["2023-Q1"]).fetchall() == [(0,)]
    assert differing(con) == {}


def test_a_frozen_table_has_no_key_beyond_those_it_says_there_can_be() -> None:
    """Once all of them are kept, the table is not computed again until the quarter is over."""
    con = warehouse()
    RandomNights(con, 6, patients=60).deliver(BEGIN, 900)
    score(con, BEGIN + 60 * DAY)
    frozen = [file for file in SCORES if "keys" in file.header.words]
    made = set()
    for file in frozen:
        listed = ", ".join(file.header.frozen_by)
        found, can_be = (
            set(con.execute(f"select distinct {listed} from {rows}").fetchall())
            for rows in (f"({file.text})", file.header.words["keys"])
        )
        assert found <= can_be, file.name
        made |= {file.table} if found else set()
    assert made >= {"within_sd", "low_alliance", "outcome_reference"}, made


@pytest.mark.parametrize("file", OF_PATIENTS)
def test_what_changes_with_time_alone_says_so(file: SqlFile) -> None:
    """The quarter is looked at for all tables; whatever else asks for the night must say which rows age."""
    text = re.sub(r"--.*", "", file.text)
    text = text.replace("date_trunc('quarter', getvariable('as_of')::date)", "")
    assert file.header.ages or ("as_of" not in text and HORIZON not in file.inputs)
    assert {name for name in file.inputs if name.startswith("valid.")} <= set(RECORDS)


@pytest.mark.parametrize("file", OF_PATIENTS)
def test_a_file_is_run_over_other_rows_wherever_it_reads_a_table(file: SqlFile) -> None:
    text = re.sub(r"--.*", "", file.reading(dict.fromkeys(file.inputs, "elsewhere")))
    assert not re.search(rf"\b(from|join)\s+({'|'.join(file.inputs)})\b", text)
    assert text.count("elsewhere") >= len(file.inputs)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("patient: b", "belong to a patient by a column of theirs"),
        ("patient: a", "belong to a patient by a column of theirs"),
        ("ages:    a > night", "say by which column"),
    ],
)
def test_a_header_says_whose_rows_are(line: str, fault: str) -> None:
    with pytest.raises(HeaderFault, match=fault):
        read_header(HEADER.replace("version: 1", f"version: 1\n-- {line}"), "sql/score/a.sql")
