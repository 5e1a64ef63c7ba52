"""A small invented service in which every topic of the second computation has something to compute."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from itertools import pairwise
from typing import Any

import duckdb

from flows.model import build_models
from flows.modelling.fit import Fit, Term
from flows.modelling.hazard import NUMBERS
from flows.reference import Service
from flows.sql_files import read_sql_files
from tests.oracle.small_world import AS_OF, THROUGH, USED, World, make_world
from tests.sql.warehouse_fixture import build_stages, insert, warehouse

# Thresholds that a service may not lower so far; a small one meets its bands by them.
SMALL = {"expected_courses_needed": 12, "expected_cell_needed": 3, "expected_sessions": 5}
OFTEN = {"within_sd_courses": 2, "rupture_sd": 1, "reason_share": 0.2}


def small_service() -> duckdb.DuckDBPyConnection:
    """The service's warehouse, built through the measures: two clinics with appointments, one with forms alone."""
    world = _with_returns(make_world(3, 60))
    protocol = [
        {"clinic": clinic, "instrument": name, "every": every}
        for clinic, used in USED.items()
        for name, every in zip(used, (1, 2, None, 3), strict=False)
    ]
    protocol += [{"clinic": "a", "instrument": "gad7", "every": 1}]
    protocol += [{"clinic": "c", "instrument": name, "every": 1} for name in ("phq9", "srs_v3")]
    names = {"a": "A", "b": "B", "c": "C"}
    con = warehouse(AS_OF, Service("S", names, protocol=protocol, thresholds=OFTEN))
    for name, value in SMALL.items():
        con.execute("update ref.setting set value = ? where name = ?", [value, name])
    insert(con, "valid.episode", _records(world.episodes))
    unnamed = {"episode_id": None}
    sessions = [row | unnamed if n % 3 == 0 else row for n, row in enumerate(world.sessions)]
    insert(con, "valid.session", sessions)
    insert(con, "valid.form", [*world.forms, *_anxiety(world.forms), *_forms_alone()])
    through = THROUGH | {"c": date(2026, 11, 20)}
    insert(con, "valid.clinic", [{"clinic_id": c, "data_through": d} for c, d in through.items()])
    build_stages(con, ["finding", "score"])
    _give_alerts(con)
    build_stages(con, ["score"])
    build_models(con, AS_OF, [_invented])
    _put_right(con)
    build_stages(con, ["measure", "report"])
    return con


def _with_returns(world: World) -> World:
    """Every other course is a return of the patient before, where both came to the same clinic."""
    pairs = pairwise(world.episodes)
    same = {
        later["patient_id"]: before["patient_id"]
        for before, later in [*pairs][::2]
        if later["clinic_id"] == before["clinic_id"]
    }
    for row in (*world.episodes, *world.sessions, *world.forms):
        row["patient_id"] = same.get(row["patient_id"], row["patient_id"])
    return world


def _records(episodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records of courses, of some of them several: older, with another start, or the same again further down."""
    records = []
    for number, episode in enumerate(episodes):
        record = episode | {"known_from": date(2026, 3, 1), "delivery_id": "d", "line": number}
        records.append(record)
        if number % 4 == 0:
            before = {"known_from": date(2026, 2, 1), "started_on": date(2024, 12, 1)}
            records.append(record | before)
        if number % 4 == 1:
            records.append(record | {"line": 1000 + number})
    return records


def _anxiety(forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A measure of anxiety beside each of depression: what the set of NHS Talking Therapies needs."""
    return [
        form
        | {"form_id": form["form_id"] + "-gad7", "instrument_id": "gad7"}
        | {name: form[name][:7] for name in ("answers", "missing")}
        for form in forms
        if form["instrument_id"] == "phq9" and form["clinic_id"] == "a"
    ]


def _forms_alone() -> list[dict[str, Any]]:
    """Forms of a clinic that exports nothing else: few name a course, and labels come back or name one session."""
    forms = []
    for form in make_world(4, 40).forms:
        number = int(form["patient_id"][1:])
        alone = {
            "form_id": f"c-{form['form_id']}",
            "clinic_id": "c",
            "patient_id": f"c-p{number // 2}",
            "therapist_id": f"c-{form['therapist_id']}",
            "episode_id": f"c-e{number}" if number % 5 == 0 else None,
        }
        if number % 3 == 0 and form["session_label"]:
            alone["session_label"] = "weekly"
        forms.append(form | alone)
    return forms


def _invented(_: duckdb.DuckDBPyConnection, held: Collection[str]) -> list[Fit]:
    """Coefficients that nobody fitted; what is tested is how chances come of them."""
    bands = [f"session_band={band}" for band in ("2", "3", "4", "5-8", "9+")]
    fits = []
    for family, by in (("last_session", 1.0), ("held_out_2026-11", 1.3)):
        for outcome, base in (("dropout", -2.0), ("planned", -2.5), ("other", -3.5)):
            terms = [Term("intercept", base, None, None)]
            terms += [
                Term(name, by * (0.1 + 0.05 * n), 0.1, 0.02 * n)
                for n, name in enumerate([*NUMBERS, *bands])
            ]
            fits.append(Fit(f"{family}/{outcome}", outcome, AS_OF, 100, 10, terms))
    return fits


def _put_right(con: duckdb.DuckDBPyConnection) -> None:
    """Newer sessions have moved the model in use."""
    con.execute(
        "update model.recalibration set shift = 0.2, slope = 0.9, why_not = null;"
        " update model.recalibration set fitted_on ="
        " (select fitted_on from model.fit where model_id = 'last_session/dropout')"
    )
    by_name = {file.name: file.text for file in read_sql_files()}
    con.execute(f"create or replace table model.risk as {by_name['model.risk']}")


def _give_alerts(con: duckdb.DuckDBPyConnection) -> None:
    """Lists of several nights, some of them acted on, of clinic a by a log that was delivered."""
    con.execute(
        """
        insert into landed.alert by name
        select clinic_id, 't' as therapist_id, patient_id, episode_id, session_id, 1 as place,
            unnest([session_on + 5, session_on + 2 + session_no]) as as_of, 'facts' as ordered_by
        from score.course_appointment where status = 'attended' and session_no % 2 = 0;
        insert into valid.action by name
        select md5(session_id || as_of) as action_id, clinic_id, patient_id, episode_id, 'call' as kind,
            as_of + place * 7 - 4 as acted_on
        from landed.alert where md5(session_id) < '8';
        insert into landed.part_count (delivery_id, kind, found, rejected) values ('l', 'action', 9, 1);
        insert into landed.arrival
        values (getvariable('as_of')::date - 30, 1, 'a', 'log.csv', 'hash', 'l', 'new', null)"""
    )
