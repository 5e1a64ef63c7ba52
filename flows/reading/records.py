"""The records of one table of a file, kept until its rows are stored: lines, people, what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import numpy as np
import polars as pl

from flows.reading.plan import Part


@dataclass
class Records:
    """Where the records of one table lie.

    Attributes:
        con: holds them.
        table: the records; `r` in queries of rows.
        line: SQL for the physical line of a record.
        numbered: what to read from, so that `line` can be said.
    """

    con: duckdb.DuckDBPyConnection
    table: str
    line: str
    numbered: str
    tables: dict[tuple[str, ...], str] = field(default_factory=dict)
    n_left_out: int = 0

    def people(self, part: Part) -> str:
        """A join that gives the pseudonyms of a part's patient, therapist and episode.

        Each is made once for all records that name the same three: patients come again with every
        session.
        """
        names = names_of(part)
        if names not in self.tables:
            self.tables[names] = f"{self.table}_people{len(self.tables)}"
            patient, therapist, episode = names
            self.con.execute(
                f"""
                create table {self.tables[names]} as
                select {patient} as of_patient, {therapist} as of_therapist,
                       {episode} as of_episode,
                       pseudonym('patient', {patient}) as patient_pseudonym,
                       pseudonym('therapist', {therapist}) as therapist_pseudonym,
                       episode_pseudonym({patient}, {episode}) as episode_pseudonym
                from (select {", ".join(dict.fromkeys(names))} from {self.table} group by all)"""
            )
        same = zip(("of_patient", "of_therapist", "of_episode"), names, strict=True)
        on = " and ".join(f"w.{ours} is not distinct from r.{theirs}" for ours, theirs in same)
        return f"join {self.tables[names]} w on {on}"

    def leave_out(self, rows: pl.Series) -> str:
        """A condition without the records given, which are noted in a table."""
        if rows.is_empty():
            return ""
        table = f"{self.table}_left{self.n_left_out}"
        self.n_left_out += 1
        self.con.register("left_out", rows.to_frame("row"))
        self.con.execute(f"create table {table} as select row from left_out")
        self.con.unregister("left_out")
        return f" and r.rowid not in (select row from {table})"


def names_of(part: Part) -> tuple[str, ...]:
    """The columns of a part's patient, therapist and episode."""
    return tuple(part.names[name] for name in ("patient", "therapist", "episode"))


def keep_records(con: duckdb.DuckDBPyConnection, name: str, lines: np.ndarray) -> Records:
    """Keep `record` and `record_line` under another name.

    Args:
        con: holds them.
        name: of the table from now on.
        lines: physical line of each record.
    """
    con.execute(f"alter table record rename to {name}")
    if len(lines) == 0 or (np.diff(lines) == 1).all():
        first = int(lines[0]) if len(lines) else 0
        return Records(con, name, f"cast(r.rowid + {first} as integer)", f"{name} r")
    con.execute(f"alter table record_line rename to {name}_line")
    return Records(con, name, "l.line", f"{name} r join {name}_line l on l.row = r.rowid")
