"""Rows as they will be stored: ids replaced by keyed pseudonyms, refused and held rows left out.

The rows are views over the records of the file. Several forms share a record: what they share is
read, hashed and kept once, and the rows come into being where they are stored.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import polars as pl

from flows.reading.cells import literal
from flows.reading.judge import Verdict
from flows.reading.plan import Part, RecordPlan
from flows.reading.records import Records
from schemas.facts import ACTION_FACTS, APPOINTMENT_FACTS, EPISODE_FACTS

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
    "action": ("patient_id", "therapist_id", "episode_id", "acted_on", "kind", *ACTION_FACTS),
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
            con.execute("create or replace macro row_id(kind, key) as kind || '|' || key")
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
        # A key of its own for records, short enough that a record is hashed in one block.
        con.execute("set variable record_secret = ?::blob", [self._record_secret()])
        con.execute(
            "create or replace temp macro record_key(text) as"
            " left(sha256(getvariable('record_secret') || encode(text)), 22)"
        )
        # The key is a keyed hash already: what follows only keeps the things of one record apart.
        con.execute("create or replace macro row_id(kind, key) as key || left(md5(kind), 10)")
        # Some systems number a patient's episodes 1, 2, 3: the patient belongs to the id.
        con.execute(
            "create or replace temp macro episode_pseudonym(patient, id) as"
            " pseudonym('episode', patient || chr(31) || id)"
        )

    def _record_secret(self) -> bytes:
        message = f"record\x1f{self.clinic_id}".encode()
        return hmac.new(self.key or b"", message, "sha256").digest()[:16]

    def of(self, kind: str, identifier: str) -> str:
        """The same pseudonym, computed in Python: for tests and for looking one id up."""
        if self.key is None:
            return identifier
        message = "\x1f".join((kind, self.clinic_id, identifier)).encode()
        return hmac.new(self.key, message, "sha256").hexdigest()[:32]


@dataclass
class Rows:
    """The rows of one kind: a query for every thing that a table's records may carry.

    Attributes:
        incoming: rows as they will be stored.
        days: days that these rows speak about.
        keys: row_id of every record that carries the thing, refused or not.
        withdrawn: row_id and version of those that their system calls entered in error.
        tables: how many tables of the file they come from.
        repeats: some row_id may come more than once.
        without_key: how many records have no key that can be made.
    """

    incoming: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    tables: int = 0
    repeats: bool = False
    without_key: int = 0


def add_rows(
    con: duckdb.DuckDBPyConnection,
    plan: RecordPlan,
    verdicts: Sequence[Verdict],
    records: Records,
    rows: Rows,
) -> None:
    """Add the rows of parts of one kind that are neither refused nor held.

    Args:
        con: holds the records.
        plan: of the records.
        verdicts: on parts of one kind.
        records: where the records lie.
        rows: takes the queries.
    """
    for verdict in verdicts:
        part, number = verdict.part, len(rows.incoming)
        here = f"dropped_by is null and {part.prefix}_here"
        left_out = records.leave_out(pl.concat([verdict.rejected, verdict.held]))
        named = _columns(plan, part)
        row_id = dict(named)["row_id"]
        columns = ",\n".join(f"{expression} as {name}" for name, expression in named)
        rows.incoming.append(
            f"""
            select {records.line} as line, r.rowid as row, {number} as part, {columns}, version_order
            from {records.numbered} {records.people(part)} where {here}{left_out}"""
        )
        rows.days.append(f"{_days(part)} from {records.table} r where {here}{left_out}")
        rows.keys.append(f"select {row_id} as row_id from {records.table} where {here}")
        if "is_withdrawn" in plan.kept:
            rows.withdrawn.append(
                f"select {row_id} as row_id, version_order from {records.table}"
                f" where is_withdrawn and {part.prefix}_here"
            )
    _look_at_keys(con, verdicts, records, rows)


def _days(part: Part) -> str:
    """The days a part speaks about; a booking ahead says nothing of its day."""
    names = part.names
    if part.kind == "episode":
        return f"select unnest([cast({names['at']} as date), cast({names['end']} as date)]) as day"
    day = f"cast({names['at']} as date)"
    if part.kind == "appointment":
        day = f"case when {names['status']} <> 'booked' then {day} end"
    return f"select {day} as day"


def _look_at_keys(
    con: duckdb.DuckDBPyConnection, verdicts: Sequence[Verdict], records: Records, rows: Rows
) -> None:
    """Count the records without a key, and see whether any key may come twice."""
    by_key: dict[str, list[str]] = {}
    for verdict in verdicts:
        names, here = verdict.part.names, f"{verdict.part.prefix}_here"
        by_key.setdefault(names["key"], []).append(here)
        if "respondent" in names:
            rows.without_key += _count(con, records, f"{here} and {names['respondent']} is null")
    for key, here in by_key.items():
        anything = f"({' or '.join(here)})"
        rows.without_key += _count(con, records, f"{anything} and {key} is null")
        # Records of one key may carry different forms: only then is each form looked at.
        if _comes_twice(con, records, key, anything):
            rows.repeats |= any(_comes_twice(con, records, key, one) for one in here)
    rows.tables += 1
    rows.repeats |= rows.tables > 1


def _comes_twice(con: duckdb.DuckDBPyConnection, records: Records, key: str, where: str) -> bool:
    """True where a key may come more than once: equal numbers of it are no proof, but rare."""
    row = con.execute(
        f"select count(*) > count(distinct hash({key})) from {records.table}"
        f" where dropped_by is null and {key} is not null and {where}"
    ).fetchone()
    return bool(row and row[0])


def _count(con: duckdb.DuckDBPyConnection, records: Records, where: str) -> int:
    query = f"select count(*) from {records.table} where dropped_by is null and {where}"
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def create_views(con: duckdb.DuckDBPyConnection, prefix: str, kind: str, rows: Rows) -> None:
    """Create the views `<prefix>_<kind>`, and `_keys_` and `_withdrawn_` where there are any."""
    named = {
        f"{prefix}_{kind}": rows.incoming,
        f"{prefix}_keys_{kind}": rows.keys,
        f"{prefix}_withdrawn_{kind}": rows.withdrawn,
    }
    for view, selects in named.items():
        if selects:
            con.execute(f"create view {view} as {' union all by name '.join(selects)}")


def _columns(plan: RecordPlan, part: Part) -> list[tuple[str, str]]:
    names = part.names
    shared = [
        ("row_id", f"row_id({_kind(plan, part)}, {part.names['key']})"),
        ("patient_id", "patient_pseudonym"),
        ("therapist_id", "therapist_pseudonym"),
        ("episode_id", "episode_pseudonym"),
        ("session_label", names["session"]),
    ]
    if part.form is not None:
        return shared + _form_columns(plan, part)
    if part.kind == "appointment":
        facts = [(fact, names[fact]) for fact in APPOINTMENT_FACTS]
        return [*shared, ("planned_at", names["at"]), ("status", names["status"]), *facts]
    if part.kind == "action":
        said = [(fact, names[fact]) for fact in ("kind", *ACTION_FACTS)]
        return [*shared[:-1], ("acted_on", f"cast({names['at']} as date)"), *said]
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
        ("answered_precision", f"cast({at}_precision as varchar)"),
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
