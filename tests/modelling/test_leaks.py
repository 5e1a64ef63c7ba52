"""What a chance is estimated from knows no later day, and a service that is too small gets none."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from flows.model import build_models
from flows.modelling.hazard import NUMBERS, fit_hazards
from flows.sql_files import read_sql_files
from flows.synthetic.world import simulate
from tests.modelling.service import NIGHT, part_of, service
from tests.sql.warehouse_fixture import build_stages, insert, rows

FILES = {file.name: file for file in read_sql_files()}
FEATURES = ("model.known_row", "model.rating_so_far", "model.person_session")
COURSE = "birch/0013-1"
# What is only known once a course is over, or looks over all of it.
HINDSIGHT = {
    "score.end_state", "score.session_end", "score.outcome", "score.finished_course", "score.course",
    "score.early_alliance", "score.expected_form", "score.rupture", "score.dropout_definition",
    "score.reliable_change", "valid.episode",
}  # fmt: skip


def few_courses(clinic_id: str, courses: int) -> duckdb.DuckDBPyConnection:
    return service(part_of(simulate(5, NIGHT, small=True), clinic_id, courses))


def features(con: duckdb.DuckDBPyConnection, replaced: dict[str, str]) -> list[dict[str, Any]]:
    """What is known at the first sessions of one course, the model's constants standing still."""
    build_stages(con, ["score"])
    for name in FEATURES:
        con.execute(f"create or replace table {name} as {replaced.get(name, FILES[name].text)}")
    return rows(con, f"select {', '.join(NUMBERS)}, session_band, session_id from model.person_session"
                     f" where episode_id = '{COURSE}' and session_no <= 3 order by session_no")  # fmt: skip


def what_the_future_changes(replaced: dict[str, str]) -> bool:
    """Whether a later session with forms, a letter at the end and a future booking change the past."""
    con = few_courses("birch", 40)
    con.execute(
        "insert into ref.protocol select 'birch', unnest(['phq9', 'wai_sr_c']), 'patient', 1, false"
    )
    build_stages(con, ["score"])
    build_models(con, NIGHT, [])
    for table in ("valid.session", "valid.form"):
        con.execute(f"delete from {table} where episode_id = '{COURSE}' and session_label::int > 5")
    con.execute(
        f"update valid.episode set ended_on = null, end_reason = null where episode_id = '{COURSE}'"
    )
    past = features(con, replaced)
    (latest,) = rows(
        con,
        f"select * from valid.session where episode_id = '{COURSE}' order by planned_at desc limit 1",
    )
    keys = {name: latest[name] for name in ("clinic_id", "patient_id", "episode_id")}
    later = latest["session_on"] + timedelta(days=20)
    for days, status in ((0, "attended"), (7, "no_show"), (400, "booked")):
        day = later + timedelta(days=days)
        insert(con, "valid.session", [{**keys, "session_id": f"later {days}", "session_on": day, "status": status,
                                       "planned_at": day, "known_from": day}])  # fmt: skip
    for instrument, items, answer in (("wai_sr_c", 12, 1), ("phq9", 9, 3)):
        insert(con, "valid.form", [{**keys, "form_id": f"later {instrument}", "respondent": "patient",
                                    "instrument_id": instrument, "answered_on": later, "answered_at": later,
                                    "known_from": later, "input_form": "raw", "answers": [answer] * items,
                                    "missing": [None] * items}])  # fmt: skip
    con.execute(
        f"update valid.episode set ended_on = '{later}', end_reason = 'dropout' where episode_id = '{COURSE}'"
    )
    after = features(con, replaced)
    con.close()
    assert len(past) == 3
    return past != after


def test_no_later_day_changes_what_was_known_at_a_session() -> None:
    assert not what_the_future_changes({})


@pytest.mark.parametrize(
    ("table", "honest", "leak"),
    [
        ("model.rating_so_far", "and session.session_no >= rating.session_no", ""),
        ("model.person_session", "rows between unbounded preceding and current row",
         "rows between unbounded preceding and unbounded following"),
        ("model.person_session", "left join score.intake_factor as factor on session.episode_id = factor.episode_id",
         "left join (select episode_id, if(ended_on is null, null, '18_25') as age_band from score.course)"
         " as factor on session.episode_id = factor.episode_id"),
        ("model.person_session", "then session.n_missed / session.n_so_far end",
         "then (select count(*) from score.course_appointment as ahead"
         " where ahead.episode_id = session.episode_id and ahead.status = 'booked') end"),
    ],
    ids=["mean of the whole course", "appointments after the session", "letter at the end", "booking ahead"],
)  # fmt: skip
def test_a_leak_is_seen(table: str, honest: str, leak: str) -> None:
    text = FILES[table].text
    replaced = text.replace(honest, leak)
    if table == "model.rating_so_far":
        replaced = replaced.replace("and session.known_by >= rating.known_on", "")
    assert replaced != text
    assert what_the_future_changes({table: replaced})


def test_what_a_session_knew_is_made_of_nothing_that_hindsight_tells() -> None:
    read = {name for table in FEATURES for name in FILES[table].inputs}
    assert read & HINDSIGHT == set()
    # Who treats is no part of a patient's chance.
    assert "therapist" not in " ".join(FILES[table].text for table in FEATURES).replace("-- ", "")


def test_forty_courses_get_no_chances_and_are_told_why() -> None:
    con = few_courses("alder", 40)
    build_stages(con, ["score"])
    build_models(con, NIGHT, [fit_hazards])
    assert rows(con, "select count(*) as n from model.risk") == [{"n": 0}]
    fits = rows(con, "select * from model.fit where outcome = 'dropout' and model_id like 'last%'")
    assert [fit["is_used"] for fit in fits] == [False]
    assert fits[0]["why_not"].startswith("too few: ")
    assert "are needed for 16 coefficients" in fits[0]["why_not"]
    con.close()
