"""Scoring, change and outcome of many sessions, against a bare read of the same answers as text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from flows.reference import Service, fill_reference
from flows.scores import build_scores, note_scores
from flows.sql_files import SqlFile, build_table, read_sql_files
from flows.warehouse import STORAGE, computing, create_tables, limit_resources, transaction
from schemas.instrument import SHIPPED, Instrument, load_instruments

NIGHT = date(2026, 11, 17)
# Name in the registry, items, lowest and highest answer, and the letters of its columns in the file.
FORMS = (("phq9", 9, 0, 3, "p"), ("gad7", 7, 0, 3, "g"), ("wai_sr_c", 12, 1, 5, "w"))
# Sessions of twenty courses, as unlike as they are in a nation's primary care: 2.55 on average.
SESSIONS = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7]

COURSES = f"""
    select
        i, md5('patient' || i) as patient_id, md5('course' || i) as episode_id,
        md5('therapist' || i % 20000) as therapist_id, ({SESSIONS})[i % 20 + 1] as n_sessions,
        (date '2024-01-01' + (hash(i) % 1005)::integer) as started_on, 'clinic' || i % 120 as clinic_id
    from range({{}}) listed (i)"""
KNOWN = "'d' as delivery_id, i as line, {} as known_from, date '9999-12-31' as known_to"
ATTENDED = """
    select *, started_on + 7 * session_no - 7 as session_on, md5('session' || i || '/' || session_no) as session_id
    from (select *, unnest(range(1, n_sessions + 1))::integer as session_no from course)"""
# What a form scores, how a course changed, and its outcome, for the service and in the national set.
# With what they are made of they are a subtotal of their own: alliance, expected courses, early endings
# and the changes that other methods see, for auditors alone, belong to the stage and not to these.
OUTCOMES = (
    "score.scale_score",
    "score.reliable_change",
    "score.outcome",
    "score.talking_therapies",
)
WRITTEN = "written to disk"
# The share of the patients who have a session on the night after.
TOUCHED = 0.01
# A level for each course that falls a little with every session, and an answer's own noise about it.
ANSWER = "least({high}, greatest({low}, {low} + ((hash(i) % 97)::integer * {span} / 64.0 - session_no * 0.1"
ANSWER += " + (hash(i * 1000 + session_no * 37 + item) % 100)::integer / 60.0 - 0.8)::integer))"


@dataclass(frozen=True)
class Cost:
    """What a step took by the clock, and of both cores together."""

    seconds: float
    of_cores: float

    def __add__(self, other: Cost) -> Cost:
        """Both steps."""
        return Cost(self.seconds + other.seconds, self.of_cores + other.of_cores)


@dataclass
class Scoring:
    """Costs of the floor, of every table of the stage, and of the stage on the two nights after.

    Attributes:
        copied: what it costs to write each finished table a second time, without computing anything.
        nights: the first brings sessions of some patients, the second nothing; each with whom it touched.
    """

    title: str
    floor: Cost
    tables: list[tuple[str, Cost]] = field(default_factory=list)
    copied: list[tuple[str, Cost]] = field(default_factory=list)
    nights: list[tuple[str, Cost]] = field(default_factory=list)


def total(tables: Iterable[tuple[str, Cost]]) -> Cost:
    """What all of them cost together."""
    return sum((cost for _, cost in tables), Cost(0, 0))


def of_outcomes(tables: Iterable[tuple[str, Cost]]) -> Cost:
    """What the tables of scores, changes and outcomes cost, with those they are made of.

    Commit and checkpoint, which they share with all others, are not in it.
    """
    made_of = set[str](OUTCOMES)
    for file in reversed(_files()):
        if file.name in made_of:
            made_of.update(file.inputs)
    return total((name, cost) for name, cost in tables if f"score.{name}" in made_of)


def measure_scoring(folder: Path, sessions: int) -> Scoring:
    """Fill a warehouse with so many attended sessions, three forms each, and score it.

    Args:
        folder: an empty folder with room for about ten kilobytes a session.
        sessions: about so many.
    """
    con = duckdb.connect(str(folder / "warehouse.duckdb"), config=STORAGE)
    limit_resources(con, folder / "scratch")
    create_tables(con)
    con.execute(f"set variable as_of = date '{NIGHT}'")
    n_sessions = fill(con, sessions)
    clinics = {f"clinic{number}": f"Clinic {number}" for number in range(120)}
    service, instruments = Service("Benchmark", clinics), load_instruments([SHIPPED])
    fill_reference(con, instruments, service, NIGHT)
    export = folder / "export.csv"
    con.execute(f"copy ({as_text()}) to '{export}' (header)")
    bring_sessions(con, NIGHT, 1)
    con.execute("checkpoint")
    title = f"{n_sessions:,} sessions with {len(FORMS)} forms each"
    result = Scoring(title, read_floor(folder, export))
    export.unlink()
    _score_all(con, result)
    (scored,) = con.execute("select count(*) from score.session_score").fetchone() or (0,)
    assert scored > 0.9 * n_sessions * len(FORMS), scored
    _copy(con, result)
    con.execute("drop schema copied cascade")
    after = NIGHT + timedelta(days=1)
    bring_sessions(con, after, 0)
    for night in (after, after + timedelta(days=1)):
        con.execute(f"set variable as_of = date '{night}'")
        con.execute("checkpoint")
        result.nights.append(_score_night(con, instruments, service, night))
    con.close()
    return result


def spent(work: Callable[[], object]) -> Cost:
    """What some work takes."""
    start, of_cores = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - start, time.process_time() - of_cores)


def _score_all(con: duckdb.DuckDBPyConnection, result: Scoring) -> None:
    con.execute("create schema score")
    with computing(con):
        con.execute("begin")
        for file in _files():
            result.tables.append((file.table, spent(lambda file=file: build_table(con, file))))
        note_scores(con, NIGHT, "all patients")
        result.tables.append((WRITTEN, _commit(con)))


def _copy(con: duckdb.DuckDBPyConnection, result: Scoring) -> None:
    con.execute("create schema copied")
    with computing(con):
        con.execute("begin")
        for file in _files():
            copy = f"create table copied.{file.table} as from {file.name}"
            result.copied.append((file.table, spent(lambda copy=copy: con.execute(copy))))
        result.copied.append((WRITTEN, _commit(con)))


def _commit(con: duckdb.DuckDBPyConnection) -> Cost:
    return spent(lambda: (con.execute("commit"), con.execute("checkpoint")))


def _score_night(
    con: duckdb.DuckDBPyConnection,
    instruments: Mapping[str, Instrument],
    service: Service,
    night: date,
) -> tuple[str, Cost]:
    """For whom a night was computed, and its cost."""
    computed: list[str] = []

    def score() -> None:
        with computing(con), transaction(con):
            fill_reference(con, instruments, service, night)
            computed.append(build_scores(con, night))
        con.execute("checkpoint")

    cost = spent(score)
    return computed[0].partition(";")[0], cost


def _files() -> list[SqlFile]:
    return [file for file in read_sql_files() if file.stage == "score"]


def fill(con: duckdb.DuckDBPyConnection, sessions: int) -> int:
    """Fill the base tables as reading would have; how many attended sessions there are."""
    con.execute(f"create temp table course as {COURSES.format(sessions * 20 // sum(SESSIONS))}")
    con.execute(f"create temp table attended as {ATTENDED}")
    known = KNOWN.format("date '2026-01-01'")
    con.execute(f"""
        insert into valid.episode_version by name
        select episode_id as row_id, clinic_id, 'rows' as source_name, patient_id, therapist_id,
            episode_id, started_on, {known},
            case when i % 10 < 8 then started_on + 7 * n_sessions end as ended_on,
            case i % 10 when 0 then 'dropout' when 1 then 'dropout' else 'completed' end as end_reason
        from course""")
    _enter_sessions(con, "attended", known)
    (found,) = con.execute("select count(*) from attended").fetchone() or (0,)
    return found


def bring_sessions(con: duckdb.DuckDBPyConnection, night: date, place: int) -> None:
    """One more session, with its forms, on the day before: of a share of the courses, the newest at place 0."""
    con.execute(f"set variable as_of = date '{night}'")
    con.execute(f"""
        create or replace temp table brought as
        select * replace (n_sessions + 1 as session_no, date '{night}' - 1 as session_on,
            md5('session' || i || '/' || n_sessions + 1) as session_id)
        from attended where session_no = n_sessions
        qualify row_number() over (order by started_on desc, i) - 1
            between {place * TOUCHED} * count(*) over () and {(place + 1) * TOUCHED} * count(*) over () - 1""")
    _enter_sessions(con, "brought", KNOWN.format(f"date '{night}'"))


def _enter_sessions(con: duckdb.DuckDBPyConnection, sessions: str, known: str) -> None:
    con.execute(f"""
        insert into valid.appointment_version by name
        select session_id as row_id, clinic_id, 'rows' as source_name, patient_id, therapist_id,
            episode_id, session_no::varchar as session_label, session_on::timestamp as planned_at,
            'attended' as status, {known}
        from {sessions}""")
    for name, count, low, high, _ in FORMS:
        answer = ANSWER.format(low=low, high=high, span=high - low)
        con.execute(f"""
            insert into valid.form_version by name
            select md5(session_id || '{name}') as row_id, clinic_id, 'rows' as source_name, patient_id,
                therapist_id, episode_id, session_no::varchar as session_label,
                '{name}' as instrument_id, 'patient' as respondent,
                session_on::timestamp as answered_at, 'date' as answered_precision,
                [{answer} for item in range(1, {count + 1})]::decimal(9, 3)[] as answers,
                'raw' as input_form, {known}
            from {sessions}""")


def as_text() -> str:
    """The same answers side by side, as a clinic would export them."""
    items = ", ".join(
        f"{ANSWER.format(low=low, high=high, span=high - low).replace('item', str(item))}"
        f" as {letter}_{item}"
        for _, count, low, high, letter in FORMS
        for item in range(1, count + 1)
    )
    keys = "i as patient, i % 20000 as therapist, i as episode, session_no, session_on"
    return f"select {keys}, {items} from attended"


def read_floor(folder: Path, export: Path) -> Cost:
    """A bare read of the file into a database of its own."""
    con = duckdb.connect(str(folder / "floor.duckdb"))
    con.execute("set threads = 2")

    def read() -> None:
        con.execute(f"create table floor as select * from read_csv('{export}', all_varchar = true)")
        con.execute("checkpoint")

    cost = spent(read)
    con.close()
    (folder / "floor.duckdb").unlink()
    return cost
