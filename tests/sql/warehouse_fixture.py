"""Plain tables shaped like what the pipeline hands to sql/, so that SQL can be tested by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.changes import empty_changes
from flows.model import build_models
from flows.reference import Service, fill_reference
from flows.sql_files import build
from flows.verify.agreement import Verified
from flows.verify.nightly import fill_agreement
from schemas.expectations import CHECK_COLUMNS
from schemas.instrument import SHIPPED, load_instruments
from schemas.instrument_types import Instrument

ALWAYS, FOREVER = date(2000, 1, 1), date(9999, 12, 31)
TABLES: Mapping[str, str] = {
    "landed.delivery": "delivery_id varchar, clinic_id varchar, source_name varchar,"
    " file_name varchar, sha256 varchar, size_bytes bigint, rules_hash varchar, as_of date,"
    " sequence integer, state varchar, reason varchar, n_records integer, n_used integer,"
    " n_dropped integer, n_rejected integer, forms_found integer, forms_new integer,"
    " forms_superseding integer, forms_unchanged integer, forms_rejected integer,"
    " forms_held integer, data_from date, data_to date, superseded_on date",
    "landed.part_count": "delivery_id varchar, kind varchar, found integer, new integer,"
    " superseding integer, unchanged integer, rejected integer, held integer",
    "landed.arrival": "as_of date, revision integer, clinic_id varchar, file_name varchar,"
    " sha256 varchar, delivery_id varchar, outcome varchar, reason varchar",
    "landed.skipped_night": "night date, as_of date",
    "landed.clinic_night": "as_of date, revision integer, clinic_id varchar, state varchar,"
    " reason varchar",
    "landed.alert": "as_of date, revision integer, clinic_id varchar, therapist_id varchar,"
    " patient_id varchar, episode_id varchar, session_id varchar, place integer,"
    " ordered_by varchar, facts varchar[], chance double, model_id varchar, fitted_on date,"
    " factors varchar[], contributions decimal(38,18)[], input_names varchar[], inputs double[]",
    "finding.finding": "delivery_id varchar, clinic_id varchar, file_name varchar, as_of date,"
    " line integer, column_name varchar, rule varchar, severity varchar, n_broken integer, n_checked integer,"
    " message varchar, what_to_do varchar",
    "finding.refused_risk": "delivery_id varchar, clinic_id varchar, file_name varchar, as_of date,"
    " line integer, column_name varchar, rule varchar, severity varchar, n_broken integer, n_checked integer,"
    " message varchar, what_to_do varchar",
    "finding.check": ", ".join(f"{name} {kind}" for name, kind, _ in CHECK_COLUMNS),
    "valid.form": "form_id varchar, clinic_id varchar, patient_id varchar, therapist_id varchar,"
    " episode_id varchar, session_label varchar, instrument_id varchar, respondent varchar,"
    " answered_at timestamp, answered_on date, answered_precision varchar,"
    " answers decimal(9,3)[], missing varchar[], input_form varchar, delivery_id varchar,"
    " line integer, known_from date, known_to date",
    "valid.stated_score": "form_id varchar, clinic_id varchar, instrument_id varchar,"
    " scale varchar, value decimal(9,3), role varchar, delivery_id varchar, line integer,"
    " known_from date, known_to date",
    "valid.session": "session_id varchar, clinic_id varchar, patient_id varchar,"
    " therapist_id varchar, episode_id varchar, session_label varchar, planned_at timestamp,"
    " session_on date, status varchar, mode varchar, interpreter varchar, delivery_id varchar, line integer, known_from date,"
    " known_to date",
    "valid.episode": "episode_id varchar, clinic_id varchar, patient_id varchar,"
    " therapist_id varchar, started_on date, ended_on date, end_reason varchar,"
    " referred_on date, sex varchar, age_band varchar, language varchar, interpreter_needed varchar,"
    " diagnosis_group varchar, previous_treatment varchar, employment varchar, end_planned varchar,"
    " delivery_id varchar, line integer, known_from date, known_to date",
    "valid.action": "action_id varchar, clinic_id varchar, patient_id varchar,"
    " therapist_id varchar, episode_id varchar, acted_on date, kind varchar, outcome varchar,"
    " delivery_id varchar, line integer, known_from date, known_to date",
    "valid.objection": "clinic_id varchar, patient_id varchar",
    "valid.clinic": "clinic_id varchar, data_through date",
}
# What a test that does without it takes out of ref.night.
AGREEMENT = ("Test agreement", date(2020, 1, 1))
STAGES = ("finding", "score", "model", "measure", "report")


@lru_cache(maxsize=1)
def shipped() -> dict[str, Instrument]:
    """The shipped instruments, read once for all tests."""
    return load_instruments([SHIPPED])


def warehouse(as_of: date, service: Service | None = None) -> duckdb.DuckDBPyConnection:
    """An empty warehouse on the given night with all upstream tables and ref filled."""
    con = duckdb.connect()
    con.execute("set threads = 1")
    con.execute(f"set variable as_of = date '{as_of}'")
    for schema in ("landed", "finding", "valid"):
        con.execute(f"create schema {schema}")
    for table, columns in TABLES.items():
        con.execute(f"create table {table} ({columns})")
    service = service or Service("Test service", {"a": "Alder"})
    if service.therapist_agreement is None:
        service = replace(service, therapist_agreement=AGREEMENT)
    fill_reference(con, shipped(), service, as_of)
    return con


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows by column name; columns left out are NULL, and the table decides the types."""
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    if plain:
        names = list(dict.fromkeys(name for row in plain for name in row))
        frame = pl.DataFrame(
            {name: [row.get(name) for row in plain] for name in names}, strict=False
        )
        con.register("given_rows", frame)
        con.execute(f"insert into {table} by name select * from given_rows")
        con.unregister("given_rows")


def _plain(value: Any) -> Any:
    """As text, so that no number or date is typed by the test instead of by the table."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool) else str(value)


def build_stages(
    con: duckdb.DuckDBPyConnection, stages: Iterable[str] = STAGES, root: Path | None = None
) -> None:
    """Build the stages in order."""
    for stage in stages:
        if stage == "measure":
            empty_changes(con)
        if stage == "model" and root is None:
            build_models(con, _night(con))
        else:
            build(con, stage) if root is None else build(con, stage, root)
        if stage == "measure":
            fill_agreement(con, Verified([], 0, 0, 0))


def _night(con: duckdb.DuckDBPyConnection) -> date:
    return con.execute("select getvariable('as_of')::date").fetchall()[0][0]


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
