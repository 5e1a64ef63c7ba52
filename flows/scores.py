"""The stage of scores: all patients anew, or those of whom something is new since the night before.

Most scores depend on one patient's records, and on a night few patients have new ones. Where nothing
else has changed that scores are made of, the rows of these patients are replaced and the others stand.
Whatever is in doubt is computed anew; `landed.score_record` says what the standing tables were built on,
and how.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from flows import ledger
from flows.program import program_hash
from flows.sql_files import SqlFile, build, build_table, read_sql_files
from flows.touched import (
    HORIZON,
    RECORDS,
    find_touched,
    hold_touched,
    let_go,
    rebuild_periods,
    rebuild_touched,
)
from flows.warehouse import is_large

# Above this share of the patients, all of them are no dearer.
MOST = 0.2
PERIODS = "ref.period"
_VERSIONS = ("valid.form_version", "valid.appointment_version", "valid.episode_version")


@dataclass(frozen=True)
class Standing:
    """The tables that stand, and whether they can be brought up to tonight.

    Attributes:
        before: the night they are of; None where they cannot be used.
        why_not: why all patients are computed anew, where they are.
        wholes: what the tables that are no patient's held, and the periods one by one.
    """

    before: date | None
    why_not: str
    wholes: dict[str, str]


def build_scores(con: duckdb.DuckDBPyConnection, as_of: date, most: float = MOST) -> str:
    """Build the stage, in the transaction of the night; says for whom it was computed.

    Args:
        con: the warehouse, with the reference tables of tonight.
        as_of: the night.
        most: the largest share of touched patients at which the others' rows are left standing.

    Raises:
        BrokenTable: when a built table has duplicate or NULL keys.
    """
    standing = _standing(con, as_of)
    if standing.before is not None:
        standing, n, of = _touched(con, as_of, standing, most)
        if standing.before is not None:
            wholes = _bring_up(con, standing, n)
            let_go(con, _of_patients())
            said = f"; for all {', '.join(wholes)}" if wholes else ""
            return note_scores(con, as_of, f"{n} of {of} patients{said}")
    build(con, "score")
    return note_scores(con, as_of, f"all patients: {standing.why_not}")


def _touched(
    con: duckdb.DuckDBPyConnection, as_of: date, standing: Standing, most: float
) -> tuple[Standing, int, int]:
    """Find and hold the touched patients; the standing tables are given up where that cannot be done.

    Returns:
        What stands, how many patients are touched, and of how many.
    """
    before, night = f"date '{standing.before}'", f"date '{as_of}'"
    con.execute(f"create or replace temp table horizon_before as from {HORIZON}")
    build(con, "score", only={HORIZON})
    fallen = con.execute(
        f"select count(*) from horizon_before as earlier full join {HORIZON} as tonight"
        " on earlier.clinic_id = tonight.clinic_id"
        f" where coalesce(tonight.horizon, {night}) < coalesce(earlier.horizon, {before})"
    ).fetchall()[0][0]
    if fallen:
        return replace(standing, before=None, why_not="a clinic's exports reach less far"), 0, 0
    n = find_touched(con, _of_patients(), before, night)
    of = con.execute("select count(distinct patient_id) from score.course").fetchall()[0][0]
    if n > most * of:
        return replace(standing, before=None, why_not=f"{n} of {of} have something new"), n, of
    if n:
        hold_touched(con)
    return standing, n, of


def _bring_up(con: duckdb.DuckDBPyConnection, standing: Standing, n_touched: int) -> list[str]:
    """Replace the rows of the touched patients, and those of the periods that are others than before.

    A table that reads anything else that changed is built whole; so is one that is no patient's,
    unless no patient is touched and nothing that it reads has changed.

    Returns:
        The patients' tables that were built whole.
    """
    whole, of_patients = [], _of_patients()
    changed = {
        name
        for name in _wholes()
        if name.startswith("ref.") and _content(con, name) != standing.wholes[name]
    }
    periods = _changed_periods(con, standing)
    for file in _files():
        reads = changed.intersection(file.inputs)
        if file.header.patient_key and reads <= ({PERIODS} if _is_of_periods(file) else set()):
            if n_touched:
                rebuild_touched(con, file, of_patients)
            if reads:
                rebuild_periods(con, file, periods)
                changed.add(file.name)
            continue
        if file.name == HORIZON or not (n_touched or reads or _reads_more(file)):
            continue
        build_table(con, file)
        if file.header.patient_key:
            whole.append(file.table)
        known = standing.wholes.get(file.name)
        if known is None or known != _content(con, file.name):
            changed.add(file.name)
    return whole


def _standing(con: duckdb.DuckDBPyConnection, as_of: date) -> Standing:
    held = dict(con.execute("select name, content from landed.score_record").fetchall())
    tables = {
        f"{schema}.{table}"
        for schema, table in con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }
    if not held or not {file.name for file in _files()} <= tables:
        return Standing(None, "none has scores yet", {})
    if is_large(con):
        # each row of a table from which some are taken out costs eight bytes of memory until the commit
        return Standing(None, "the service is too large to replace some rows", {})
    before = date.fromisoformat(held["night"])
    if before >= as_of:
        return Standing(None, f"the scores that stand are of {before}", {})
    now = _circumstances(con, before) | {"quarter": _quarter(as_of)}
    differ = sorted(name for name, content in now.items() if held.get(name) != content)
    if differ:
        return Standing(None, f"changed since {before}: {', '.join(differ)}", {})
    return Standing(before, "", held)


def note_scores(con: duckdb.DuckDBPyConnection, as_of: date, computed: str) -> str:
    """Note what the tables are built on now, and for whom they were computed."""
    wholes = {name: _content(con, name) for name in _wholes()}
    noted = {"night": as_of.isoformat(), "computed": computed, "quarter": _quarter(as_of)}
    noted |= _periods(con)
    con.execute("delete from landed.score_record")
    con.executemany(
        "insert into landed.score_record values (?, ?)",
        sorted((noted | _circumstances(con, as_of) | wholes).items()),
    )
    return computed


def _circumstances(con: duckdb.DuckDBPyConnection, night: date) -> dict[str, str]:
    """What must be as it was: the program, who is whom, and the records opened or closed that night.

    A night may be interrupted after it landed more, or be landed again: its records are then others
    than those the standing scores were made of.
    """
    aliases = hashlib.sha256("\n".join(ledger.aliases(con)).encode()).hexdigest()
    rows = " union all ".join(
        f"select row_id, delivery_id, line, known_from, known_to > date '{night}' as is_open"
        f" from {name} where known_from = date '{night}' or known_to = date '{night}'"
        for name in _VERSIONS
    )
    return {
        "program": program_hash(),
        "aliases": aliases,
        "rows of that night": _hash_of(con, f"({rows})"),
    }


def _content(con: duckdb.DuckDBPyConnection, table: str) -> str:
    return _hash_of(con, table)


def _hash_of(con: duckdb.DuckDBPyConnection, rows: str) -> str:
    """A hash of rows in any order."""
    found = con.execute(f"select count(*), sum(hash(one)::hugeint) from {rows} as one").fetchall()
    return " ".join(map(str, found[0]))


def _periods(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A hash of each period's row, under a name of its own."""
    found = con.execute(f"select period_id, hash(one) from {PERIODS} as one").fetchall()
    return {f"{PERIODS} {period_id}": str(content) for period_id, content in found}


def _changed_periods(con: duckdb.DuckDBPyConnection, standing: Standing) -> list[str]:
    """The periods that are new, are others than they were, or are no more."""
    before = {name for name in standing.wholes.items() if name[0].startswith(f"{PERIODS} ")}
    return sorted({name.partition(" ")[2] for name, _ in before ^ _periods(con).items()})


def _is_of_periods(file: SqlFile) -> bool:
    """Whether each row is of one period, so that another period's dates do not matter to it."""
    return any(column.name == "period_id" for column in file.header.grain)


def _reads_more(file: SqlFile) -> bool:
    """Whether it reads what may change although nothing is new of a patient: actions, objections."""
    return any(name.partition(".")[0] not in ("ref", "score") for name in file.inputs)


def _quarter(as_of: date) -> str:
    """Constants stand for a quarter, and so does the window of the reference courses."""
    return f"{as_of.year} {(as_of.month + 2) // 3}"


def _files() -> list[SqlFile]:
    return [file for file in read_sql_files() if file.stage == "score"]


def _of_patients() -> list[SqlFile]:
    return [file for file in _files() if file.header.patient_key]


def _wholes() -> list[str]:
    """Reference tables, and the tables of no patient that patients' rows are made with.

    The horizons are looked at apart.
    """
    made = {*RECORDS, HORIZON, *(file.name for file in _of_patients())}
    reference = {name for file in _files() for name in file.inputs if name.startswith("ref.")}
    return sorted(({name for file in _of_patients() for name in file.inputs} | reference) - made)
