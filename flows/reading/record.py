"""One pass over a file's records: everything the mapping says of them, as one table.

Text is cast straight from the reader; it is never stored. The result has one row per record, in
file order, so that the row id leads back to the physical line.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from flows.errors import MappingError
from flows.reading.cell_status import declare_types, first_fault
from flows.reading.cells import CellGrammar, clean_name, cleaned, literal
from flows.reading.delimited import TextTable, engine_read
from flows.reading.number_cells import NumberRule, coded, number_rule
from flows.reading.plan import Part, RecordPlan
from flows.reading.version import version_columns
from schemas.export_format import Action, Appointment, Episode, FieldRule, Form, Source
from schemas.facts import ACTION_FACTS, APPOINTMENT_FACTS, EPISODE_FACTS
from schemas.instrument_types import Instrument
from schemas.shaping import REFUSED, STATE_COLUMN

# Cells are separated by a byte that no text file holds, so that two keys cannot run together.
SEPARATOR = "'\x1f'"


def plan_records(
    source: Source,
    header: tuple[str, ...],
    timezone: str,
    instruments: dict[str, Instrument | None],
    with_text: bool,
) -> RecordPlan:
    """Turn one source of a mapping into the columns of its record table.

    Args:
        source: the mapping's source.
        header: cleaned column names of the file.
        timezone: the clinic's.
        instruments: registry entry by the name the mapping uses; None where there is none.
        with_text: keep answers as plain number text too, for `rapport read`.
    """
    plan = RecordPlan(CellGrammar(source, header, timezone), with_text)
    fields = source.fields
    for name in ("patient", "therapist", "episode", "session"):
        plan.put_text(name, getattr(fields, name))
    plan.put_date("answered", fields.answered_at)
    for number, form in enumerate(source.form):
        _plan_form(plan, form, number, instruments[form.instrument])
    if source.appointment is not None:
        _plan_appointment(plan, source.appointment)
    if source.episode is not None:
        _plan_episode(plan, source.episode)
    if source.action is not None:
        _plan_action(plan, source.action)
    plan_drops(plan)
    _plan_key(plan)
    if source.read.format == "fhir":
        withdrawn = f"{plan.grammar.cell('status')} = 'entered-in-error'"
        plan.put([("is_withdrawn", withdrawn)], "is_withdrawn")
    return plan


def plan_lines(source: Source, header: tuple[str, ...], timezone: str) -> RecordPlan:
    """All cells of a file as text, and what the mapping drops: for records still to be reshaped."""
    plan = RecordPlan(CellGrammar(source, header, timezone), with_text=False)
    cells = [f"c{place}" for place in range(len(header))]
    plan.put([(cell, cell) for cell in cells], *cells)
    plan_drops(plan)
    return plan


def _shared(
    plan: RecordPlan, part: Appointment | Episode | Action | None, prefix: str
) -> dict[str, str]:
    names = {}
    for name in ("patient", "therapist", "episode", "session"):
        own = getattr(part, name, None)
        names[name] = name if own is None else plan.put_text(f"{prefix}_{name}", own)
    return names


def _told(rule: FieldRule | None) -> str:
    return "" if rule is None else " / ".join(rule.columns)


def _columns(plan: RecordPlan, part: object) -> dict[str, str]:
    shared = plan.grammar.source.fields
    return {
        name: _told(getattr(part, name, None) or getattr(shared, name))
        for name in ("patient", "therapist", "episode", "session")
    } | {"version": plan.grammar.source.version or ""}


def _plan_form(plan: RecordPlan, form: Form, number: int, instrument: Instrument | None) -> None:
    grammar, prefix = plan.grammar, f"f{number}"
    here = grammar.condition(form.when)
    names, columns = _shared(plan, None, prefix), _columns(plan, None)
    names["at"] = "answered"
    columns["at"] = _told(form.answered_at or grammar.source.fields.answered_at)
    if form.answered_at is not None:
        names["at"] = plan.put_date(f"{prefix}_answered", form.answered_at)
    respondent = None
    if isinstance(form.respondent, FieldRule):
        names["respondent"] = plan.put_text(f"{prefix}_respondent", form.respondent)
        columns["respondent"] = _told(form.respondent)
    else:
        respondent = form.respondent
    items = form.items.names if form.items else ()
    if items:
        here = _plan_items(plan, form, prefix, items, instrument, here)
    plan.put([(f"{prefix}_here", here)], f"{prefix}_here")
    for place, column in enumerate(form.scores.values()):
        _plan_stated(plan, f"{prefix}_score{place}", column)
    for column in form.totals.values():
        _plan_stated(plan, f"{prefix}_total", column)
    beyond = _beyond(grammar.source, form, items)
    filled = " or ".join(f"not {grammar.is_missing(grammar.cell(name))}" for name in beyond)
    plan.put([(f"{prefix}_beyond", filled or "false")], f"{prefix}_beyond")
    plan.parts.append(
        Part(
            "form", prefix, names, columns, form, instrument, items, beyond, respondent,
            _plan_state(plan),
        )
    )  # fmt: skip


def _plan_state(plan: RecordPlan) -> str | None:
    """The column that says whether the lines of a form made one; None where a record is a line."""
    if STATE_COLUMN not in plan.grammar.columns:
        return None
    refused = f"{plan.grammar.cell(STATE_COLUMN)} = {literal(REFUSED)}"
    if "lines_status" not in plan.kept:
        plan.put([("lines_status", first_fault([(refused, "refused")]))], "lines_status")
    return "lines_status"


def _beyond(source: Source, form: Form, items: tuple[str, ...]) -> tuple[str, ...]:
    """Item columns that this form shares the first of with another one, but does not reach."""
    if form.when is None:
        return ()
    others = {
        name
        for other in source.form
        if other is not form and other.items and set(items) & set(other.items.names)
        for name in other.items.names
    }
    return tuple(sorted(others - set(items), key=lambda name: (len(name), name)))


def _plan_items(
    plan: RecordPlan,
    form: Form,
    prefix: str,
    items: tuple[str, ...],
    instrument: Instrument | None,
    here: str,
) -> str:
    grammar = plan.grammar
    number = number_rule(grammar, instrument)
    values, texts, reasons = [], [], []
    for name in items:
        cell = grammar.cell(name)
        missing = grammar.is_missing(cell)
        if form.values is not None:
            value = coded(cell, form.values, decimal=True)
            text = coded(cell, form.values, decimal=False)
        else:
            value, text = number.value(cell), number.text(cell)
        values.append(f"case when {missing} then null else {value} end")
        texts.append(f"case when {missing} then null else {text} end")
        reasons.append(
            f"case when {missing} then {grammar.missing_reason(cell)}"
            f" when ({text}) is null then 'invalid' end"
        )
    answers = f"{prefix}_answers"
    plan.put([(answers, f"list_value({', '.join(values)})")], answers)
    complete = f"list_aggregate({answers}, 'count') = {len(items)}"
    missing_list = f"case when {complete} then null else list_value({', '.join(reasons)}) end"
    plan.put([(f"{prefix}_missing", missing_list)], f"{prefix}_missing")
    if plan.with_text:
        plan.put([(f"{prefix}_texts", f"list_value({', '.join(texts)})")], f"{prefix}_texts")
    if form.items is not None and form.items.omit_if_all_blank:
        all_missing = " and ".join(grammar.is_missing(grammar.cell(name)) for name in items)
        return f"{here} and not ({all_missing})"
    return here


def _plan_stated(plan: RecordPlan, name: str, column: str) -> None:
    grammar = plan.grammar
    cell = grammar.cell(column)
    number = NumberRule(grammar.source.read.decimal)
    missing = grammar.is_missing(cell)
    status = first_fault([(missing, "missing"), (f"{name} is null", "undeclared")])
    plan.put(
        [
            (name, f"case when {missing} then null else {number.value(cell)} end"),
            (f"{name}_reason", f"case when {missing} then {grammar.missing_reason(cell)} end"),
            (f"{name}_text", f"case when {missing} then null else {number.text(cell)} end"),
            (f"{name}_status", status),
        ],
        name, f"{name}_reason", f"{name}_text", f"{name}_status",
    )  # fmt: skip


def _plan_appointment(plan: RecordPlan, appointment: Appointment) -> None:
    names, columns = _shared(plan, appointment, "a"), _columns(plan, appointment)
    fields = plan.grammar.source.fields
    names["at"] = "answered"
    columns["at"] = _told(appointment.planned_at or fields.answered_at)
    if appointment.planned_at is not None:
        names["at"] = plan.put_date("a_planned", appointment.planned_at)
    if appointment.id is not None:
        names["id"] = plan.put_text("a_id", appointment.id)
        columns["id"] = _told(appointment.id)
    names["status"] = plan.put_text("a_status", appointment.status)
    columns["status"] = _told(appointment.status)
    _plan_facts(plan, appointment, "a", APPOINTMENT_FACTS, names, columns)
    plan.put([("a_here", plan.grammar.condition(appointment.when))], "a_here")
    plan.parts.append(Part("appointment", "a", names, columns))


def _plan_facts(
    plan: RecordPlan,
    part: Appointment | Episode | Action,
    prefix: str,
    facts: Iterable[str],
    names: dict[str, str],
    columns: dict[str, str],
) -> None:
    for fact in facts:
        names[fact] = plan.put_text(f"{prefix}_{fact}", getattr(part, fact))
        columns[fact] = _told(getattr(part, fact))


def _plan_episode(plan: RecordPlan, episode: Episode) -> None:
    names, columns = _shared(plan, episode, "e"), _columns(plan, episode)
    names["at"] = plan.put_date("e_start", episode.start)
    names["end"] = plan.put_date("e_end", episode.end)
    names["reason"] = plan.put_text("e_reason", episode.end_reason)
    names["referral"] = plan.put_date("e_referral", episode.referral)
    columns |= {
        "at": _told(episode.start), "end": _told(episode.end), "reason": _told(episode.end_reason),
        "referral": _told(episode.referral),
    }  # fmt: skip
    _plan_facts(plan, episode, "e", EPISODE_FACTS, names, columns)
    plan.put([("e_here", plan.grammar.condition(episode.when))], "e_here")
    plan.parts.append(Part("episode", "e", names, columns))


def _plan_action(plan: RecordPlan, action: Action) -> None:
    names, columns = _shared(plan, action, "l"), _columns(plan, action)
    names["at"], columns["at"] = plan.put_date("l_acted", action.acted_on), _told(action.acted_on)
    _plan_facts(plan, action, "l", ("kind", *ACTION_FACTS), names, columns)
    plan.put([("l_here", plan.grammar.condition(action.when))], "l_here")
    plan.parts.append(Part("action", "l", names, columns))


def plan_drops(plan: RecordPlan) -> None:
    """`dropped_by`: 0 header again, 1.. the mapping's drop rules, then the keep rules; else NULL."""
    grammar = plan.grammar
    read = grammar.source.read
    cases = []
    for place, rule in enumerate(read.drop, start=1):
        if rule.header_again:
            same = [
                f"{cleaned(f'c{n}')} = {literal(clean_name(name).lower())}"
                for n, name in enumerate(grammar.columns)
                if not name.startswith("(column ")
            ]
            cases.append(f"when {' and '.join(same)} then 0")
        elif rule.column is not None and rule.matches is not None:
            cell = grammar.cell(rule.column)
            cases.append(
                f"when regexp_full_match({cell}, {literal(rule.matches)}, 's') then {place}"
            )
    for place, keep in enumerate(read.keep, start=len(read.drop) + 1):
        cases.append(f"when not {grammar.condition(keep)} then {place}")
    dropped = f"case {' '.join(cases)} end" if cases else "null"
    plan.put([("dropped_by", f"cast({dropped} as integer)")], "dropped_by")


def _plan_key(plan: RecordPlan) -> None:
    grammar = plan.grammar
    source = grammar.source
    if source.key:
        cells = [grammar.cell(name) for name in source.key]
        keys = [f" || {SEPARATOR} || ".join(cells)] * len(plan.parts)
    else:
        keys = [_natural_key(part) for part in plan.parts]
    keys = [part.names.get("id", key) for part, key in zip(plan.parts, keys, strict=True)]
    # Forms of one record mostly share their key: it is hashed once, which is most of the cost.
    distinct = list(dict.fromkeys(keys))
    for number, key in enumerate(distinct):
        plan.put([(f"key{number}", f"record_key({key})")], f"key{number}")
    for part, key in zip(plan.parts, keys, strict=True):
        part.names["key"] = f"key{distinct.index(key)}"
    read, judged, columns = version_columns(grammar, source.version)
    plan.read += read
    plan.judged += judged
    plan.put(columns, *(name for name, _ in columns))


def _natural_key(part: Part) -> str:
    """What identifies a record where the mapping names no key."""
    names = part.names
    if part.kind == "episode":
        cells = [names["patient"], names["episode"]]
    else:
        apart = ("episode", "session", *(["kind"] if part.kind == "action" else []))
        optional = [f"coalesce({names[name]}, '')" for name in apart]
        cells = [names["patient"], *optional, f"{names['at']}_text"]
    return f" || {SEPARATOR} || ".join(cells)


def create_records(con: duckdb.DuckDBPyConnection, plan: RecordPlan, table: TextTable) -> None:
    """Read the file once into the table `record`; records that do not split end in reject_errors."""
    read, judged, lateral = (
        ",\n".join(f"{expression} as {alias}" for alias, expression in columns)
        for columns in (plan.read, plan.judged, plan.columns)
    )
    kept = ", ".join(dict.fromkeys(plan.kept))
    declare_types(con)
    select = f"""
        create or replace table record as
        select {kept} from (
            select {lateral} from (select *, {judged} from (select *, {read} from
                {engine_read(table)}))
        )"""
    try:
        con.execute(select)
    except duckdb.Error as error:
        raise MappingError(_bind_fault(plan, error)) from None


def _bind_fault(plan: RecordPlan, error: duckdb.Error) -> str:
    """What a failing plan tells a person; the engine's own text may hold cells."""
    first = str(error).splitlines()[0]
    if "regular expression" in first or "regex" in first.lower() or "date format" in first.lower():
        return f"source {plan.grammar.source.name}: a pattern or date format is not understood"
    return f"source {plan.grammar.source.name}: the file cannot be split ({type(error).__name__})"
