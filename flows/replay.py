"""A clinic's files read again under new rules: merged apart, then only the difference is stored."""

from __future__ import annotations

from datetime import date

import duckdb

from flows.reading.delivery import State
from flows.reading.file import KINDS
from flows.reading.incoming import CONTENT
from flows.reading.merge import OPEN_END

WITHDRAWALS = "landed.withdrawal_record"


def replay_state(con: duckdb.DuckDBPyConnection) -> State:
    """Empty state tables: everything landed is read again, and only the result is compared."""
    for kind in KINDS:
        con.execute(
            f"create or replace temp table replay_{kind} as from valid.{kind}_version limit 0"
        )
    con.execute(f"create or replace temp table replay_withdrawal as from {WITHDRAWALS} limit 0")
    return State({kind: f"replay_{kind}" for kind in KINDS}, "replay_withdrawal")


def apply_replay(con: duckdb.DuckDBPyConnection, clinic_id: str, as_of: date) -> None:
    """Close what the new rules read differently or no longer, open what they read now."""
    about = {"clinic": clinic_id, "as_of": as_of}
    for kind in KINDS:
        same = " and ".join(f"r.{c} is not distinct from v.{c}" for c in CONTENT[kind])
        con.execute(
            f"""
            create or replace temp table changed as
            select coalesce(r.row_id, v.row_id) as row_id
            from (from replay_{kind} where known_to = {OPEN_END}) r
            full join (
                from valid.{kind}_version where known_to = {OPEN_END} and clinic_id = $clinic
            ) v on r.row_id = v.row_id
            where r.row_id is null or v.row_id is null or not ({same})""",
            {"clinic": clinic_id},
        )
        con.execute(
            f"update valid.{kind}_version set known_to = $as_of where known_to = {OPEN_END}"
            " and clinic_id = $clinic and row_id in (select row_id from changed)",
            about,
        )
        con.execute(
            f"""
            insert into valid.{kind}_version by name
            select r.* replace ($as_of as known_from) from replay_{kind} r
            where r.known_to = {OPEN_END} and r.row_id in (select row_id from changed)""",
            {"as_of": as_of},
        )
        # What says the same may be ordered anew, where the mapping's version column has changed.
        con.execute(
            f"""
            update valid.{kind}_version v set version_order = r.version_order
            from replay_{kind} r
            where r.row_id = v.row_id and r.known_to = {OPEN_END} and v.known_to = {OPEN_END}
              and v.clinic_id = $clinic and v.version_order is distinct from r.version_order""",
            {"clinic": clinic_id},
        )
    con.execute("drop table changed")
    con.execute(f"delete from {WITHDRAWALS} where clinic_id = $clinic", {"clinic": clinic_id})
    con.execute(f"insert into {WITHDRAWALS} from replay_withdrawal")


def drop_replay(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables of a replay, where there was one."""
    for kind in (*KINDS, "withdrawal"):
        con.execute(f"drop table if exists replay_{kind}")
