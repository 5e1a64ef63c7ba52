"""Patients of whom something is new, and their rows alone in the tables of the night.

The file of a table whose rows depend on one patient is run as it is, over the records and the standing
rows of the touched patients; of every table that is no patient's it reads the whole.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from flows.sql_files import SqlFile, check_grain

HORIZON = "score.clinic_horizon"
# What reading fills, with the records of each patient; a stated score says whose it is by its form.
RECORDS = ("valid.form", "valid.session", "valid.episode", "valid.stated_score")
_VERSIONS = ("valid.form_version", "valid.appointment_version", "valid.episode_version")
# Where the standing rows of a patient are found by each kind of key.
_STANDING = {"form_id": "score.form_place", "episode_id": "score.course"}
_OF_TOUCHED = "patient_id in (select patient_id from touched_patient)"


def find_touched(
    con: duckdb.DuckDBPyConnection, files: Collection[SqlFile], before: str, night: str
) -> int:
    """Find whose scores may read otherwise than on the night before; how many patients these are.

    They are the patients whose records were opened or closed since, those whose rows age, and those
    who share a course with one of them: an id given twice makes one course of two people's records.

    Args:
        con: the warehouse, with the clinics' horizons of tonight, and of the night before in
            `horizon_before`.
        files: the tables whose rows depend on one patient each.
        before: the night the standing tables are of, as a date in SQL.
        night: tonight, likewise.
    """
    records = " union all ".join(
        f"select patient_id, episode_id, known_from, known_to from {name}" for name in _VERSIONS
    )
    con.execute(
        "create or replace temp view delivered as select coalesce(alias.to_id, patient_id) as patient_id,"
        f" episode_id, version.known_from, version.known_to from ({records}) version left join"
        " landed.alias alias on alias.kind = 'patient' and alias.from_id = version.patient_id"
    )
    since = f"> {before} and known_{{0}} <= {night}"
    con.execute(
        "create or replace temp table touched_patient as select distinct patient_id from delivered"
        f" where known_from {since.format('from')} or known_to {since.format('to')}"
    )
    for file in files:
        if file.header.ages:
            con.execute(f"insert into touched_patient {_ageing(file, before, night)}")
    shared = f"from delivered where known_from <= {night} and known_to > {before}"
    while _added(
        con,
        f"select distinct patient_id {shared} and episode_id in ("
        f"select episode_id {shared} and episode_id is not null and {_OF_TOUCHED})"
        f" and not {_OF_TOUCHED}",
    ):
        pass
    con.execute(
        "create or replace temp table touched_patient as select distinct * from touched_patient"
    )
    return _count(con, "touched_patient")


def hold_touched(con: duckdb.DuckDBPyConnection) -> None:
    """Hold the records of the touched patients apart, and note their standing rows' keys."""
    for name in RECORDS[:-1]:
        _hold(con, name, f"from {name} where {_OF_TOUCHED}")
    forms = f"select form_id from {_held('valid.form')}"
    _hold(con, "valid.stated_score", f"from valid.stated_score where form_id in ({forms})")
    con.execute("create or replace temp table gone_patient_id as from touched_patient")
    for key, table in _STANDING.items():
        con.execute(
            f"create or replace temp table gone_{key} as"
            f" select distinct {key} from {table} where {_OF_TOUCHED}"
        )


def let_go(con: duckdb.DuckDBPyConnection, files: Collection[SqlFile]) -> None:
    """Hold the rows of touched patients apart no more."""
    for name in (*RECORDS, *(file.name for file in files)):
        con.execute(f"drop table if exists {_held(name)}")


def rebuild_touched(
    con: duckdb.DuckDBPyConnection, file: SqlFile, files: Collection[SqlFile]
) -> None:
    """Replace the rows of the touched patients in one table.

    Args:
        con: the warehouse, with the touched patients' rows of every such table that it reads.
        file: the table.
        files: the tables whose rows depend on one patient each.

    Raises:
        BrokenTable: when their new rows have duplicate or NULL keys.
    """
    key = file.header.patient_key
    apart = {name: _held(name) for name in (*RECORDS, *(file.name for file in files))}
    _hold(con, file.name, file.reading(apart))
    check_grain(con, file, _held(file.name))
    con.execute(f"delete from {file.name} where {key} in (select {key} from gone_{key})")
    con.execute(f"insert into {file.name} by name from {_held(file.name)}")


def rebuild_periods(
    con: duckdb.DuckDBPyConnection, file: SqlFile, periods: Collection[str]
) -> None:
    """Replace the rows of some periods, all patients' ones, in a table whose rows are of one each.

    Raises:
        BrokenTable: when their new rows have duplicate or NULL keys.
    """
    listed = ", ".join(f"'{period}'" for period in periods)
    con.execute(
        f"create or replace temp table of_periods as from ({file.text}) where period_id in ({listed})"
    )
    check_grain(con, file, "of_periods")
    con.execute(f"delete from {file.name} where period_id in ({listed})")
    con.execute(f"insert into {file.name} by name from of_periods")


def _ageing(file: SqlFile, before: str, night: str) -> str:
    """Patients with a standing row that time alone may change."""
    key = file.header.patient_key
    whose = "patient_id" if key == "patient_id" else "course.patient_id"
    course = "" if key == "patient_id" else f"join score.course as course using ({key})"
    return f"""
        select distinct {whose} from (
            select aged.*, {before} as night_before, {night} as night,
                   coalesce(earlier.horizon, {before}) as horizon_before,
                   coalesce(tonight.horizon, {night}) as horizon
            from {file.name} as aged
            left join horizon_before as earlier on aged.clinic_id = earlier.clinic_id
            left join {HORIZON} as tonight on aged.clinic_id = tonight.clinic_id
        ) as aged {course} where {file.header.ages}"""


def _hold(con: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    con.execute(f"create or replace temp table {_held(name)} as {select}")


def _held(name: str) -> str:
    """The table of the touched patients' rows; temporary ones may be filled in any transaction."""
    return f'temp.main."{name}"'


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _added(con: duckdb.DuckDBPyConnection, patients: str) -> int:
    row = con.execute(f"insert into touched_patient {patients}").fetchone()
    return int(row[0]) if row else 0
