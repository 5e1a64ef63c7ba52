"""New rows meet the rows already known: nothing is overwritten, a correction closes and opens.

A row is open from `known_from` (the night it became known) to `known_to`; open rows end in
9999-12-31. Per key the newest version counts: by the version column where the mapping declares
one, else by order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import duckdb

from flows.reading.finding import Findings
from flows.reading.incoming import CONTENT

OPEN_END = "date '9999-12-31'"
_OF_SOURCE = f"known_to = {OPEN_END} and clinic_id = $clinic and source_name = $source"
# Which rows are stored, and how long those that a later one of the same file replaces are valid.
_JUDGED = """
    join judged j using (row, part)
    left join (
        select row_id, max(place) as place from judged
        where place > 1 and outcome in ('new', 'superseding') group by row_id
    ) later on later.row_id = j.row_id
    where j.outcome in ('new', 'superseding')"""


@dataclass(frozen=True)
class Merge:
    """One delivery's rows of one kind, and where they go.

    Attributes:
        kind: form, appointment, episode or action.
        incoming: table or view of the rows as read.
        state: table of all versions of all rows.
        clinic_id: whose rows these are.
        source_name: which of the clinic's sources.
        delivery_id: provenance of the new rows.
        as_of: the night.
        versioned: the mapping declares a version column.
        stale: the file restates an older state and changes nothing.
        repeats: a row_id may come more than once in it.
        withdrawals: table of what was withdrawn before.
    """

    kind: str
    incoming: str
    state: str
    clinic_id: str
    source_name: str
    delivery_id: str
    as_of: date
    versioned: bool = False
    stale: bool = False
    repeats: bool = True
    withdrawals: str = "withdrawal"


def merge(con: duckdb.DuckDBPyConnection, job: Merge, findings: Findings) -> dict[str, int]:
    """Merge one table of incoming rows; how many were new, superseding, unchanged or rejected."""
    counts: dict[str, int] = {"new": 0, "superseding": 0, "unchanged": 0, "rejected": 0}
    if job.stale:
        return counts | {"unchanged": _count(con, job.incoming)}
    if not job.repeats and not _knows_any(con, job):
        _insert(con, job, findings.stride)
        return counts | {"new": _count(con, job.incoming)}
    if job.repeats:
        # Looked at several times: what makes the rows is done once.
        con.execute(f"create or replace temp table incoming_rows as from {job.incoming}")
        job = replace(job, incoming="incoming_rows")
    _judge(con, job)
    _tell(con, findings)
    for outcome, n in con.execute("select outcome, count(*) from judged group by 1").fetchall():
        counts[outcome] = n
    if counts["superseding"]:
        con.execute(
            f"update {job.state} set known_to = $as_of where known_to = {OPEN_END} and row_id in"
            " (select row_id from judged where outcome = 'superseding')",
            {"as_of": job.as_of},
        )
    if counts["new"] or counts["superseding"]:
        _insert(con, job, findings.stride, _JUDGED)
    if counts["unchanged"] and job.versioned:
        _raise_versions(con, job)
    con.execute("drop table judged")
    con.execute("drop table if exists incoming_rows")
    return counts


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _knows_any(con: duckdb.DuckDBPyConnection, job: Merge) -> bool:
    query = f"select 1 from {job.state} where {_OF_SOURCE} limit 1"
    return con.execute(query, _about(job)).fetchone() is not None


def _about(job: Merge) -> dict[str, str]:
    return {"clinic": job.clinic_id, "source": job.source_name}


def _same(left: str, right: str, kind: str) -> str:
    return " and ".join(f"{left}.{c} is not distinct from {right}.{c}" for c in CONTENT[kind])


def _judge(con: duckdb.DuckDBPyConnection, job: Merge) -> None:
    """The table judged(row, part, line, row_id, place, outcome, repeated, of_stored).

    Rows of one key and version that say different things are all rejected, before the others of
    that key are chained by version, after the stored row. A row older than the stored one changes
    nothing; of equal version and other content, the stored one stays.
    """
    query = _once(job, job.incoming)
    if job.repeats:
        query = f"with {_repeated(job)} union all by name {_once(job, 'single')}"
    con.execute(f"create or replace temp table judged as {query}", _about(job))


def _once(job: Merge, rows: str) -> str:
    """Outcomes of rows whose key comes once."""
    versioned = str(job.versioned).lower()
    return f"""
        select row, part, line, row_id, 1 as place, outcome, false as repeated,
               outcome = 'rejected' as of_stored
        from (
            select i.row, i.part, i.line, i.row_id,
                   case when k.row_id is null then 'new'
                        when i.version_order < k.version_order then 'unchanged'
                        when {_same("i", "k", job.kind)} then 'unchanged'
                        when {versioned} and i.version_order = k.version_order then 'rejected'
                        else 'superseding' end as outcome
            from {rows} i
            left join (select * from {job.state} where {_OF_SOURCE}) k using (row_id)
        )"""


def _repeated(job: Merge) -> str:
    """Rows whose key comes once, as `single`, and a query for the outcomes of the others."""
    content = ", ".join(f"{c} := {c}" for c in CONTENT[job.kind])
    is_versioned = str(job.versioned).lower()
    return f"""
        twice as (
            select row_id from {job.incoming}
            where row_id is not null group by row_id having count(*) > 1
        ),
        single as (
            select * from {job.incoming} i
            where not exists (select 1 from twice t where t.row_id = i.row_id)
        ),
        packed as (
            select i.row, i.part, i.line, i.row_id, i.version_order,
                   struct_pack({content}) as content
            from {job.incoming} i semi join twice using (row_id)
        ),
        stored as (
            select k.row_id, k.version_order, struct_pack({content}) as content
            from {job.state} k semi join twice using (row_id) where {_OF_SOURCE}
        ),
        in_conflict as (
            select row_id, version_order from packed where {is_versioned}
            group by row_id, version_order having count(distinct content) > 1
        ),
        compared as (
            select p.*,
                   case when c.row_id is not null then 'rejected'
                        when p.version_order < s.version_order then 'unchanged'
                        when {is_versioned} and p.version_order = s.version_order
                             and p.content is distinct from s.content then 'stored'
                   end as settled
            from packed p
            left join in_conflict c
                on c.row_id = p.row_id and c.version_order is not distinct from p.version_order
            left join stored s on s.row_id = p.row_id
        ),
        chain as (
            select * exclude (settled) from compared where settled is null
            union all by name
            select -1 as row, -1 as part, -1 as line, * from stored
        ),
        ordered as (
            select *, lag(content) over w as before, lag(row) over w as before_row,
                   row_number() over w as place
            from chain window w as (
                partition by row_id
                order by row >= 0, version_order nulls first, row, part)
        )
        select row, part, line, row_id, place,
               case when before_row is null then 'new'
                    when content is not distinct from before then 'unchanged'
                    else 'superseding' end as outcome,
               coalesce(before_row >= 0 and content is distinct from before, false) as repeated,
               false as of_stored
        from ordered where row >= 0
        union all by name
        select row, part, line, row_id, 1 as place, false as repeated,
               if(settled = 'stored', 'rejected', settled) as outcome,
               settled = 'stored' as of_stored
        from compared where settled is not null"""


def _tell(con: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    told = {
        "key-conflict": "outcome = 'rejected' and not of_stored",
        "key-conflict-stored": "outcome = 'rejected' and of_stored",
        "key-repeated": "repeated and outcome <> 'rejected'",
    }
    for rule, where in told.items():
        lines = con.execute(f"select line from judged where {where} order by line").pl()
        findings.add_lines(rule, lines["line"])


def _raise_versions(con: duckdb.DuckDBPyConnection, job: Merge) -> None:
    """The same content under a higher version: later versions are compared with that one."""
    con.execute(
        f"""
        update {job.state} as state set version_order = higher.version_order
        from (
            select i.row_id, max(i.version_order) as version_order
            from {job.incoming} i join judged j using (row, part)
            where j.outcome = 'unchanged' group by i.row_id
        ) higher
        where state.row_id = higher.row_id and state.known_to = {OPEN_END}
          and state.clinic_id = $clinic and state.source_name = $source
          and higher.version_order > coalesce(state.version_order, '')""",
        _about(job),
    )


def _insert(
    con: duckdb.DuckDBPyConnection, job: Merge, stride: int | None, judged: str = ""
) -> None:
    """Store the rows that were judged new or superseding; all rows where none were judged."""
    line = "i.line" if stride is None else f"i.line % {stride}"
    known_to = f"case when j.place < later.place then $as_of else {OPEN_END} end"
    con.execute(
        f"""
        insert into {job.state} by name
        select i.* exclude (row, part) replace ({line} as line), $clinic as clinic_id,
               $source as source_name, $delivery as delivery_id, $as_of as known_from,
               {known_to if judged else OPEN_END} as known_to
        from {job.incoming} i {judged}""",
        {**_about(job), "delivery": job.delivery_id, "as_of": job.as_of},
    )


def retract_vanished(
    con: duckdb.DuckDBPyConnection, job: Merge, keys: str, findings: Findings
) -> None:
    """Close the open rows of a source that a newer complete snapshot no longer has.

    Args:
        con: where the state is.
        job: as for `merge`.
        keys: table of every row_id in the file, those of refused records included.
        findings: told how many vanished and where they were last seen.
    """
    gone = f"{_OF_SOURCE} and row_id not in (select row_id from {keys} where row_id is not null)"
    row = con.execute(
        "select count(*), string_agg(distinct delivery_id, ', ' order by delivery_id)"
        f" from {job.state} where {gone}",
        _about(job),
    ).fetchone()
    if row and row[0]:
        findings.add("record-vanished", n=row[0], last_seen=f"delivery {row[1]}")
        con.execute(
            f"update {job.state} set known_to = $as_of where {gone}",
            {**_about(job), "as_of": job.as_of},
        )


def withdraw(con: duckdb.DuckDBPyConnection, job: Merge, withdrawn: str) -> None:
    """Close the open rows whose own system says that they were entered in error, and remember it.

    A row of a later version than the one withdrawn stays.
    """
    _close(con, job, f"from {withdrawn} where row_id is not null")
    con.execute(
        f"""
        insert into {job.withdrawals}
        select distinct $clinic, $source, $kind, row_id, version_order, $as_of::date
        from {withdrawn} where row_id is not null and version_order is not null""",
        {**_about(job), "kind": job.kind, "as_of": job.as_of},
    )


def close_withdrawn(con: duckdb.DuckDBPyConnection, job: Merge, findings: Findings) -> None:
    """Close rows that arrived after a later version of them was withdrawn."""
    about = {**_about(job), "kind": job.kind}
    before = f"""
        select i.line, i.row_id, w.version_order from {job.incoming} i
        join {job.withdrawals} w on w.row_id = i.row_id and i.version_order <= w.version_order
        where w.clinic_id = $clinic and w.source_name = $source and w.kind = $kind"""
    con.execute(f"create or replace temp table withdrawn_before as {before}", about)
    lines = con.execute("select distinct line from withdrawn_before order by line").pl()["line"]
    findings.add_lines("withdrawn-before", lines)
    if len(lines):
        _close(con, job, "from withdrawn_before")
    con.execute("drop table withdrawn_before")


def _close(con: duckdb.DuckDBPyConnection, job: Merge, withdrawn: str) -> None:
    con.execute(
        f"""
        update {job.state} as state set known_to = $as_of from ({withdrawn}) gone
        where state.row_id = gone.row_id and state.known_to = {OPEN_END}
          and state.clinic_id = $clinic and state.source_name = $source
          and (state.version_order is null or gone.version_order is null
               or state.version_order <= gone.version_order)""",
        {**_about(job), "as_of": job.as_of},
    )


def tell_two_people(
    con: duckdb.DuckDBPyConnection, job: Merge, column: str, findings: Findings
) -> None:
    """Patients who have another sex in rows that this file neither has nor replaces."""
    rows = con.execute(
        f"""
        select distinct i.line
        from {job.incoming} i
        join {job.state} other on other.patient_id = i.patient_id and other.sex <> i.sex
        where other.known_to = {OPEN_END} and other.clinic_id = $clinic
          and other.row_id not in (select row_id from {job.incoming} where row_id is not null)
        order by i.line""",
        {"clinic": job.clinic_id},
    ).pl()
    findings.add_lines("patient-differs-stored", rows["line"], column)


def create_state(con: duckdb.DuckDBPyConnection, job: Merge) -> None:
    """Create the tables that rows are merged to, with the columns of incoming ones, where absent."""
    con.execute(
        f"""
        create table if not exists {job.state} as
        select * exclude (row, part), '' as clinic_id, '' as source_name,
               '' as delivery_id, date '2000-01-01' as known_from,
               {OPEN_END} as known_to
        from {job.incoming} limit 0"""
    )
    con.execute(
        f"create table if not exists {job.withdrawals} (clinic_id varchar, source_name varchar,"
        " kind varchar, row_id varchar, version_order varchar, as_of date)"
    )
