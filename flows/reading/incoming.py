"""Rows as they will be stored: ids replaced by keyed pseudonyms, refused and held rows left out."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from flows.reading.cells import literal
from flows.reading.judge import Verdict
from flows.reading.plan import Part, RecordPlan
from schemas.facts import APPOINTMENT_FACTS, EPISODE_FACTS

# What a row says; two rows that agree in these are the same news.
CONTENT = {
    "form": (
        "patient_id", "therapist_id", "episode_id", "session_label", "instrument_id", "respondent",
        "answered_at", "answered_precision", "answers", "missing", "input_form", "stated",
    ),
    "appointment": (
        "patient_id", "therapist_id", "episode_id", "session_label", "planned_at", "status",
        *APPOINTMENT_FACTS,
    ),
    "episode": (
        "patient_id", "therapist_id", "episode_id", "started_on", "ended_on", "end_reason",
        "referred_on", *EPISODE_FACTS,
    ),
}  # fmt: skip
COUNTED = ("new", "superseding", "unchanged", "rejected", "held")


@dataclass(frozen=True)
class Pseudonyms:
    """How ids become pseudonyms: HMAC-SHA-256 over kind, clinic and id, the first 32 hex digits.

    Attributes:
        key: the workspace's secret; None keeps ids as they are (`rapport read`).
        clinic_id: goes into every hash, so that two clinics' equal numbers stay apart.
    """

    key: bytes | None
    clinic_id: str

    def install(self, con: duckdb.DuckDBPyConnection) -> None:
        """Define the macros pseudonym(kind, id), record_key(text) and row_id(kind, key) in this session."""
        if self.key is None:
            con.execute("create or replace temp macro pseudonym(kind, id) as id")
            con.execute("create or replace temp macro record_key(text) as text")
            con.execute("create or replace temp macro row_id(kind, key) as kind || '|' || key")
            con.execute("create or replace temp macro episode_pseudonym(patient, id) as id")
            return
        block = self.key.ljust(64, b"\0")
        con.execute("set variable key_inner = ?::blob", [bytes(b ^ 0x36 for b in block)])
        con.execute("set variable key_outer = ?::blob", [bytes(b ^ 0x5C for b in block)])
        clinic = literal(self.clinic_id)
        con.execute(
            "create or replace temp macro keyed_hash(message) as left(sha256("
            "getvariable('key_outer') || unhex(sha256(getvariable('key_inner') || encode(message)))"
            "), 32)"
        )
        con.execute(
            "create or replace temp macro pseudonym(kind, id) as"
            f" keyed_hash(kind || chr(31) || {clinic} || chr(31) || id)"
        )
        con.execute("create or replace temp macro record_key(text) as pseudonym('record', text)")
        # The key is a keyed hash already: what follows only keeps the things of one record apart.
        con.execute("create or replace temp macro row_id(kind, key) as md5(kind || chr(31) || key)")
        # Some systems number a patient's episodes 1, 2, 3: the patient belongs to the id.
        con.execute(
            "create or replace temp macro episode_pseudonym(patient, id) as"
            " pseudonym('episode', patient || chr(31) || id)"
        )

    def of(self, kind: str, identifier: str) -> str:
        """The same pseudonym, computed in Python: for tests and for looking one id up."""
        if self.key is None:
            return identifier
        message = "\x1f".join((kind, self.clinic_id, identifier)).encode()
        return hmac.new(self.key, message, "sha256").hexdigest()[:32]


def create_incoming(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, verdicts: Sequence[Verdict], table: str
) -> None:
    """Add to `table` the rows of parts of one kind that are neither refused nor held."""
    selects = []
    first = _parts_so_far(con, table)
    people = _People(con)
    for number, verdict in enumerate(verdicts):
        left_out = pl.concat([verdict.rejected, verdict.held]).to_frame("row")
        con.register(f"left_out_{number}", left_out)
        part = verdict.part
        columns = ",\n".join(f"{expression} as {name}" for name, expression in _columns(plan, part))
        selects.append(
            f"""
            select l.line, record.rowid as row, {first + number} as part, {columns}, version_order
            from record join record_line l on l.row = record.rowid
            {people.joined(part)}
            where dropped_by is null and {part.prefix}_here
              and record.rowid not in (select row from left_out_{number} where row is not null)"""
        )
    _add(con, table, selects)
    for number in range(len(verdicts)):
        con.unregister(f"left_out_{number}")
    people.forget()


def _add(con: duckdb.DuckDBPyConnection, table: str, selects: Sequence[str]) -> None:
    """Put rows into a table: the tables of one archive come one after another."""
    query = " union all ".join(selects)
    verb = f"insert into {table} by name" if _is_there(con, table) else f"create table {table} as"
    con.execute(f"{verb} {query}")


def _parts_so_far(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """The first number for parts that is free in a table."""
    if not _is_there(con, table):
        return 0
    row = con.execute(f"select coalesce(max(part) + 1, 0) from {table}").fetchone()
    return int(row[0]) if row else 0


def _is_there(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    query = "select 1 from duckdb_tables() where table_name = $table"
    return con.execute(query, {"table": table}).fetchone() is not None


class _People:
    """Pseudonyms of the ids in `record`, each made once: patients come again with every session."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.tables: dict[tuple[str, ...], str] = {}

    def joined(self, part: Part) -> str:
        """Joins that give `patient_of.pseudonym`, `therapist_of...` and `episode_of...` for a part."""
        patient, therapist, episode = (part.names[n] for n in ("patient", "therapist", "episode"))
        return (
            self._join("patient_of", f"pseudonym('patient', {patient})", patient)
            + self._join("therapist_of", f"pseudonym('therapist', {therapist})", therapist)
            + self._join("episode_of", f"episode_pseudonym({patient}, {episode})", patient, episode)
        )

    def _join(self, alias: str, pseudonym: str, *columns: str) -> str:
        table = self.tables.get((alias, *columns))
        if table is None:
            table = f"id_{len(self.tables)}"
            self.tables[alias, *columns] = table
            ids = ", ".join(f"{column} as id_of_{column}" for column in columns)
            self.con.execute(
                f"create or replace temp table {table} as select {ids}, {pseudonym} as pseudonym"
                f" from (select distinct {', '.join(columns)} from record)"
            )
        on = " and ".join(f"{alias}.id_of_{column} = {column}" for column in columns)
        return f" left join {table} {alias} on {on}"

    def forget(self) -> None:
        for table in self.tables.values():
            self.con.execute(f"drop table {table}")


def create_all_keys(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, parts: Sequence[Part], table: str
) -> int:
    """Add to `table` the row_id of every record that carries one of the parts, refused or not.

    Returns:
        How many records have no key that can be made: with one of those nothing may be called
        vanished.
    """
    selects = [
        f"select {dict(_columns(plan, part))['row_id']} as row_id from record"
        f" where dropped_by is null and {part.prefix}_here"
        for part in parts
    ]
    _add(con, table, selects)
    row = con.execute(f"select count(*) from {table} where row_id is null").fetchone()
    return int(row[0]) if row else 0


def create_withdrawn(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, parts: Sequence[Part], table: str
) -> None:
    """Add to `table` row_id and version of every form that its system calls entered in error."""
    selects = [
        f"select {dict(_columns(plan, part))['row_id']} as row_id, version_order from record"
        f" where is_withdrawn and {part.prefix}_here"
        for part in parts
    ]
    _add(con, table, selects)


def _columns(plan: RecordPlan, part: Part) -> list[tuple[str, str]]:
    names = part.names
    shared = [
        ("row_id", f"row_id({_kind(plan, part)}, {part.names['key']})"),
        ("patient_id", "patient_of.pseudonym"),
        ("therapist_id", "therapist_of.pseudonym"),
        ("episode_id", "episode_of.pseudonym"),
        ("session_label", names["session"]),
    ]
    if part.form is not None:
        return shared + _form_columns(plan, part)
    if part.kind == "appointment":
        facts = [(fact, names[fact]) for fact in APPOINTMENT_FACTS]
        return [*shared, ("planned_at", names["at"]), ("status", names["status"]), *facts]
    return [
        *shared[:-1],
        ("started_on", f"cast({names['at']} as date)"),
        ("ended_on", f"cast({names['end']} as date)"),
        ("end_reason", names["reason"]),
        ("referred_on", f"cast({names['referral']} as date)"),
        *((fact, names[fact]) for fact in EPISODE_FACTS),
    ]


def _kind(plan: RecordPlan, part: Part) -> str:
    """Source and kind, which keep equal keys of different things apart."""
    source = plan.grammar.source.name
    if part.form is None:
        return literal(f"{source}/{part.kind}")
    twins = [p for p in plan.parts if p.form and p.form.instrument == part.form.instrument]
    name = part.instrument.id if part.instrument else part.form.instrument
    which = f"{source}/{name}/{twins.index(part)}"
    return f"{literal(which + '/')} || {_respondent(part)}"


def _respondent(part: Part) -> str:
    return part.names["respondent"] if part.respondent is None else literal(part.respondent)


def _form_columns(plan: RecordPlan, part: Part) -> list[tuple[str, str]]:
    prefix, at = part.prefix, part.names["at"]
    form = part.form
    if form is None:
        return []
    instrument = part.instrument.id if part.instrument else form.instrument
    stated = [
        _stated(name, f"{prefix}_score{n}", "score") for n, name in enumerate(form.scores)
    ] + [_stated("total", f"{prefix}_total", "total") for _ in form.totals]
    answers, missing = f"{prefix}_answers", f"{prefix}_missing"
    if not part.items:
        answers, missing = "null::decimal(9,3)[]", "null::varchar[]"
    empty = "[]::struct(scale varchar, value decimal(9,3), reason varchar, role varchar)[]"
    columns = [
        ("instrument_id", literal(instrument)),
        ("respondent", _respondent(part)),
        ("answered_at", at),
        ("answered_precision", f"{at}_precision"),
        ("answers", answers),
        ("missing", missing),
        ("input_form", literal("keyed" if form.reversed == "already" else "raw")),
        ("stated", f"list_value({', '.join(stated)})" if stated else empty),
    ]
    if plan.with_text:
        texts = f"{prefix}_texts" if part.items else "null::varchar[]"
        scores = [f"{prefix}_score{n}_text" for n in range(len(form.scores))]
        columns += [
            (
                "instrument_name",
                literal(part.instrument.name if part.instrument else form.instrument),
            ),
            ("answered_text", f"{at}_text"),
            ("texts", texts),
            ("score_texts", f"[{', '.join(scores)}]::varchar[]"),
        ]
    return columns


def _stated(name: str, column: str, role: str) -> str:
    return (
        f"{{'scale': {literal(name)}, 'value': {column}, 'reason': {column}_reason,"
        f" 'role': {literal(role)}}}"
    )
