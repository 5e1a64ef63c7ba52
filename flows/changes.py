"""Holds the night against the one before: which courses count otherwise, and what came of them since.

Every measure adds up over courses. Counted once more for each course alone, tonight and on the scores
that the night before published, it says which courses moved it. The scores of the night before are
read from its published snapshot, in a database of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.night import Night
from flows.publish import published_folder
from flows.published import snapshot_folder
from flows.reading.cells import literal
from flows.rule_changes import fill_rule_changes
from flows.sql_files import MEASURE_SHAPE, SqlFile, measures
from flows.warehouse import limit_resources
from schemas.change import CHANGE_TABLES

# What is read of the snapshot of the night before, whatever the measures read.
NEEDED = {
    "measure.total": "level, unit_id, period_id, measure, instrument_id, kind, n, sum_x",
    "measure.published": "level, unit_id, period_id, measure, instrument_id, is_shown",
    "ref.period": "period_id, period_kind, period_start, period_end",
    "ref.rule": "kind, name, content",
    "score.course": "episode_id, patient_id",
    "score.course_appointment": "episode_id, session_id",
    "score.end_state": "episode_id, is_ended",
    "score.form_place": "episode_id, form_id",
    "score.outcome": "episode_id, category",
}
FIRST = "no night was published before"
GONE = "the night before is not kept whole, or was published by an older version of the program"
# Tonight's tables under a course's name in place of a therapist's, while they are counted.
TONIGHT = "by_course"


def fill_changes(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Make the tables that tonight is held against anew; empty where there is nothing to hold it to."""
    empty_changes(con)
    before = night_before(con)
    if before is None:
        con.execute("insert into measure.night_before values (null, null, ?)", [FIRST])
        return
    folder = snapshot_folder(published_folder(night.workspace, *before))
    why_not = None if _is_whole(folder) else GONE
    con.execute("insert into measure.night_before values (?, ?, ?)", [*before, why_not])
    if why_not is None:
        _hold_against(con, folder, night.workspace.scratch)


def night_before(con: duckdb.DuckDBPyConnection) -> tuple[date, int] | None:
    """The newest night published before this one, and its newest revision."""
    rows = con.execute(
        "select as_of, revision from landed.night_record"
        " where as_of < getvariable('as_of')::date and state = 'published'"
        " order by as_of desc, revision desc limit 1"
    ).fetchall()
    return rows[0] if rows else None


def empty_changes(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables without rows, every column explained."""
    con.execute("create schema if not exists measure")
    for table, (words, columns) in CHANGE_TABLES.items():
        con.execute(
            f"create or replace table {table} ({', '.join(f'{c} {kind}' for c, kind, _ in columns)})"
        )
        con.execute(f"comment on table {table} is {literal(words)}")
        for column, _, meaning in columns:
            con.execute(f"comment on column {table}.{column} is {literal(meaning)}")


def _is_whole(folder: Path) -> bool:
    """Whether the snapshot can be read, tried where a fault of it spoils no transaction."""
    with duckdb.connect() as past:
        try:
            for table, columns in NEEDED.items():
                past.execute(f"select {columns} from {_snapshot(folder, table)} limit 0")
        except duckdb.Error:
            return False
    return True


def _hold_against(con: duckdb.DuckDBPyConnection, folder: Path, scratch: Path) -> None:
    fill_rule_changes(con, folder)
    counted = scratch / "counted_before.parquet"
    known = _count_before(con, folder, counted, scratch)
    _fill_totals(con, folder, counted, known)
    _fill_parts(con, counted, known)
    _fill_rows(con, folder)
    counted.unlink()


def _count_before(
    con: duckdb.DuckDBPyConnection, folder: Path, target: Path, scratch: Path
) -> list[str]:
    """Count last night's scores course by course, by tonight's definitions; the measures that can be.

    A definition that asks for more than the snapshot holds cannot be held against it.
    """
    settings = con.execute("from ref.setting").pl()
    with duckdb.connect() as past:
        limit_resources(past, scratch)
        past.register("tonight_setting", settings)
        past.execute("create schema ref; create table ref.setting as from tonight_setting")
        past.execute(f"create view ref.period as from {_snapshot(folder, 'ref.period')}")
        past.execute(f"create table counted ({_COUNTED})")
        known = []
        for file in measures():
            try:
                for name in file.inputs:
                    _by_course(past, name, _snapshot(folder, name))
                past.execute(f"insert into counted {_courses(file, file.text)}")
                known.append(file.table)
            except duckdb.Error:
                continue
        past.execute(f"copy counted to {literal(str(target))} (format parquet)")
    return known


_COUNTED = (
    "measure varchar, clinic_id varchar, episode_id varchar, period_id varchar,"
    " instrument_id varchar, n integer, sum_x decimal(38,6)"
)


def _snapshot(folder: Path, table: str) -> str:
    return f"read_parquet({literal(str(folder / table.replace('.', '/')))[:-1]}.parquet')"


def _by_course(con: duckdb.DuckDBPyConnection, name: str, source: str, prefix: str = "") -> None:
    """A view of a table in which each course stands in the place of its therapist."""
    schema, _, table = name.partition(".")
    if schema == "ref":
        return
    columns = {row[0] for row in con.execute(f"describe from {source}").fetchall()}
    is_attributed = {"episode_id", "therapist_id"} <= columns
    shown = "* replace (episode_id as therapist_id)" if is_attributed else "*"
    con.execute(f"create schema if not exists {prefix}{schema}")
    con.execute(f"create or replace view {prefix}{schema}.{table} as select {shown} from {source}")


def _courses(file: SqlFile, text: str) -> str:
    """The SELECT of a measure, its groups named by course, in the shape of what is compared."""
    given = {column.name for column in file.header.columns}
    names = [column.name for column in MEASURE_SHAPE if column.name in given]
    sums = [name for name in ("sum_x", "numerator") if name in names]
    instrument = "instrument_id" if "instrument_id" in names else "null::varchar"
    return (
        f"select '{file.table}', clinic_id, therapist_id, period_id, {instrument}, n,"
        f" {sums[0] if sums else '0'}::decimal(38,6)"
        f" from ({text}\n) join ref.period as counted_period using (period_id)"
        " where counted_period.period_kind <> 'window' and therapist_id is not null"
    )


def _fill_totals(
    con: duckdb.DuckDBPyConnection, folder: Path, counted: Path, known: Sequence[str]
) -> None:
    con.execute(
        f"""
        insert into measure.total_before
        with again as (
            select level, case level when 'service' then 'service' else clinic_id end as unit_id,
                period_id, measure, instrument_id, sum(n) as n, sum(sum_x) as sum_x
            from read_parquet({literal(str(counted))})
            cross join (values ('service'), ('clinic')) as wide (level)
            group by all
        )
        select total.level, total.unit_id, total.period_id, total.measure, total.instrument_id,
            total.kind, total.n, total.sum_x,
            case when list_contains($known, total.measure) then coalesce(again.n, 0) end,
            case when list_contains($known, total.measure) then coalesce(again.sum_x, 0) end,
            published.is_shown
        from {_snapshot(folder, "measure.total")} as total
        join {_snapshot(folder, "measure.published")} as published
            on total.level = published.level and total.unit_id = published.unit_id
            and total.period_id = published.period_id and total.measure = published.measure
            and total.instrument_id is not distinct from published.instrument_id
        join {_snapshot(folder, "ref.period")} as period on total.period_id = period.period_id
        left join again
            on total.level = again.level and total.unit_id = again.unit_id
            and total.period_id = again.period_id and total.measure = again.measure
            and total.instrument_id is not distinct from again.instrument_id
        where total.level in ('service', 'clinic') and period.period_kind <> 'window'""",
        {"known": list(known)},
    )


def _fill_parts(con: duckdb.DuckDBPyConnection, counted: Path, known: Sequence[str]) -> None:
    """What single courses count otherwise; only of periods that both nights have."""
    files = [file for file in measures() if file.table in known]
    for name in sorted({name for file in files for name in file.inputs}):
        _by_course(con, name, name, f"{TONIGHT}_")
    selects = " union all ".join(_courses(file, _renamed(file)) for file in files)
    con.execute(
        f"""
        insert into measure.course_part
        with now ({", ".join(c.split()[0] for c in _COUNTED.split(", "))}) as ({selects}),
        both_nights as (
            select *, -n as part_n, -sum_x as part_x from read_parquet({literal(str(counted))})
            union all
            select *, n, sum_x from now
        )
        select episode_id, clinic_id, period_id, measure, instrument_id, sum(part_n), sum(part_x)
        from both_nights
        where period_id in (select period_id from measure.total_before)
        group by episode_id, clinic_id, period_id, measure, instrument_id
        having sum(part_n) <> 0 or sum(part_x) <> 0
        order by all"""
    )
    for schema in {name.partition(".")[0] for file in files for name in file.inputs} - {"ref"}:
        con.execute(f"drop schema {TONIGHT}_{schema} cascade")


def _renamed(file: SqlFile) -> str:
    """A measure's SELECT over tonight's tables with courses in the place of therapists."""
    text = file.text
    for name in file.inputs:
        if not name.startswith("ref."):
            text = re.sub(rf"\b{re.escape(name)}\b", f"{TONIGHT}_{name}", text)
    return text


def _fill_rows(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Rows that came, changed or went since, each with the courses it stands in now or stood in then."""
    con.execute(
        f"""
        insert into measure.course_before
        select course.episode_id, course.patient_id, coalesce(end_state.is_ended, false),
            coalesce(outcome.category <> 'unpaired', false)
        from {_snapshot(folder, "score.course")} as course
        left join {_snapshot(folder, "score.end_state")} as end_state using (episode_id)
        left join {_snapshot(folder, "score.outcome")} as outcome using (episode_id)
        order by all"""
    )
    con.execute(f"insert into measure.changed_row {_rows_sql(folder)}")


def _rows_sql(folder: Path) -> str:
    kinds: list[tuple[str, str, str, Any]] = [
        ("form", "form_version", "form_place", "form_id"),
        ("appointment", "appointment_version", "course_appointment", "session_id"),
    ]
    versions = [
        f"select '{kind}' as kind, row_id, null as episode_id, clinic_id, delivery_id, known_from,"
        f" known_to from valid.{table}"
        for kind, table, _, _ in kinds
    ]
    versions.append(
        "select 'episode', row_id, episode_id, clinic_id, delivery_id, known_from, known_to"
        " from valid.episode_version"
    )
    places = [
        f"select '{kind}' as kind, {key} as row_id, episode_id from {source}"
        for kind, _, table, key in kinds
        for source in (f"score.{table}", _snapshot(folder, f"score.{table}"))
    ]
    return _ROWS.format(versions=" union all ".join(versions), places=" union ".join(places))


_ROWS = """
with version as ({versions}),
place as ({places}),
night as (
    select as_of as before, getvariable('as_of')::date as now from measure.night_before
),
touched as (
    select
        kind, row_id, clinic_id,
        max(episode_id) as episode_id,
        max(delivery_id) filter (where known_from <= before and known_to > before) as delivery_then,
        max(delivery_id) filter (where known_from <= now and known_to > now) as delivery_now
    from version cross join night
    where known_from <= now
    group by kind, row_id, clinic_id
    having bool_or(known_from > before or (known_to > before and known_to <= now))
),
read_again as (
    select distinct delivery_id from landed.arrival cross join night
    where outcome = 're-read' and as_of > before
),
clinic_again as (
    select distinct clinic_id from landed.arrival cross join night
    where outcome = 're-read' and as_of > before
),
judged as (
    select
        touched.*,
        case
            when delivery_now in (from read_again) then 'rule'
            when delivery_now is null and clinic_id in (from clinic_again) then 'rule'
            when delivery_then is null then 'new'
            else 'corrected'
        end as change
    from touched
    where delivery_then is distinct from delivery_now
)
select judged.row_id, judged.kind, judged.change, judged.delivery_now,
    coalesce(place.episode_id, judged.episode_id)
from judged
left join place on judged.kind = place.kind and judged.row_id = place.row_id
where coalesce(place.episode_id, judged.episode_id) is not null
union
select alias.from_id, 'patient', 'corrected', null, course.episode_id
from landed.alias_record as alias cross join night
join (
    select episode_id, patient_id from score.course
    union select episode_id, patient_id from measure.course_before
) as course on course.patient_id in (alias.from_id, alias.to_id)
where
    alias.kind = 'patient' and alias.known_from <= now
    and (alias.known_from > before or (alias.known_to > before and alias.known_to <= now))
order by all
"""
