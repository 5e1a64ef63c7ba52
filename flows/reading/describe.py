"""Findings about a file's records that are read: what was dropped, missing, blank, or disagrees."""

from __future__ import annotations

import duckdb
import polars as pl

from flows.reading.cells import literal
from flows.reading.delimited import TextTable
from flows.reading.finding import Findings
from flows.reading.plan import Part, RecordPlan
from flows.reading.records import Records, names_of
from schemas.export_format import FieldRule
from schemas.finding_rules import finding_rules

# Letters of Cyrillic and Greek, and those of Latin that look the same.
LOOKALIKES = ("АВЕКМНОРСТУХаеорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTYXaeopcyxABEZHIKMNOPTYXo")


def _shown(rule: str) -> int:
    return finding_rules()[rule].shown or 20


def tell_records(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, table: TextTable, findings: Findings
) -> int:
    """Say which records were dropped by rule and why; the number of dropped records."""
    dropped = tell_dropped(con, plan, findings)
    nothing = " and ".join(f"not coalesce({part.prefix}_here, false)" for part in plan.parts)
    bare = con.execute(
        "select line from record join record_line l on l.row = record.rowid"
        f" where dropped_by is null and {nothing} order by all"
    ).pl()
    findings.add_lines("record-without-form", bare["line"])
    tell_broken_lines(table, findings)
    return dropped + len(bare)


def tell_broken_lines(table: TextTable, findings: Findings) -> None:
    """Say which records go over several lines."""
    broken = pl.Series("line", table.lines[table.spans > 1], dtype=pl.Int32)
    findings.add_lines("newline-in-cell", broken)


def tell_dropped(con: duckdb.DuckDBPyConnection, plan: RecordPlan, findings: Findings) -> int:
    """Say which records were dropped by the mapping's rules; how many these are."""
    dropped = con.execute(
        "select dropped_by, line from record join record_line l on l.row = record.rowid"
        " where dropped_by is not null order by all"
    ).pl()
    conditions = drop_conditions(plan)
    for (place,), rows in dropped.group_by("dropped_by", maintain_order=True):
        if place == 0:
            findings.add_lines("header-repeated", rows["line"])
        else:
            condition = conditions[int(str(place)) - 1]
            findings.add_lines("record-dropped", rows["line"], condition=condition)
    return len(dropped)


def drop_conditions(plan: RecordPlan) -> list[str]:
    """The mapping's drop and keep rules in words, in the order of `dropped_by`."""
    read = plan.grammar.source.read
    drops = [
        "header_again" if rule.header_again else f"drop {rule.column} = {rule.matches}"
        for rule in read.drop
    ]
    return drops + [f"keep {rule.column} = {rule.matches}" for rule in read.keep]


def tell_identifiers(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, header_line: int, findings: Findings
) -> None:
    """Leading zeros in patient ids, and years of two digits."""
    rule = plan.grammar.source.fields.patient
    if rule is not None and rule.pad is None:
        query = "select min(line) from record join record_line l on l.row = record.rowid where {} "
        zeros = query.format("dropped_by is null and regexp_full_match(patient, '0[0-9]+')")
        line = (con.execute(zeros).fetchone() or (None,))[0]
        if line is not None:
            findings.add("id-leading-zeros", line, " / ".join(rule.columns))
    fields = plan.grammar.source.fields
    dates: list[FieldRule | None] = [fields.answered_at]
    dates += [form.answered_at for form in plan.grammar.source.form]
    for date in dates:
        if date is not None and any("%y" in form for form in date.formats):
            findings.add("two-digit-year", header_line, " / ".join(date.columns))
    for part in plan.parts:
        if part.kind == "episode" and part.columns["sex"]:
            _tell_two_people(con, part, findings)


def tell_alike(
    con: duckdb.DuckDBPyConnection, plan: RecordPlan, records: Records, findings: Findings
) -> None:
    """Patients whose ids differ in what people overlook; nothing is matched by it."""
    for part in {part.names["patient"]: part for part in plan.parts}.values():
        table = records.tables.get(names_of(part))
        if table is None:
            continue
        lines = con.execute(
            f"""
            with person as (
                select distinct of_patient, {_overlooked("of_patient")} as seen
                from {table} where of_patient is not null
            ),
            alike as (select seen from person group by seen having count(*) > 1)
            select min({records.line}) as line
            from {records.numbered}
            join person on person.of_patient = r.{part.names["patient"]}
            where seen in (select seen from alike) group by of_patient"""
        ).pl()
        findings.add_lines("ids-alike", lines["line"], part.columns["patient"])


def _overlooked(cell: str) -> str:
    """An id without what people overlook: case, spaces, apostrophes, unseen and lookalike signs, zeros before a number."""
    bare = f"regexp_replace(nfc_normalize({cell}), '[\\p{{Z}}\\p{{C}}''`´’]', '', 'g')"
    latin = f"lower(translate({bare}, {literal(LOOKALIKES[0])}, {literal(LOOKALIKES[1])}))"
    is_plain = f"strlen({cell}) = length({cell}) and not regexp_matches({cell}, '[ \\t''`]')"
    seen = f"case when {is_plain} then lower({cell}) else {latin} end"
    return f"regexp_replace({seen}, '^0+([0-9]+)$', '\\1')"


def _tell_two_people(con: duckdb.DuckDBPyConnection, part: Part, findings: Findings) -> None:
    """Patients of whom the file states two sexes: one id may stand for two people."""
    patient, sex = part.names["patient"], part.names["sex"]
    here = f"dropped_by is null and {part.prefix}_here and {sex} is not null"
    lines = con.execute(
        f"select max(line) as line from record join record_line l on l.row = record.rowid"
        f" where {here} group by {patient} having count(distinct {sex}) > 1"
    ).pl()
    findings.add_lines("patient-differs", lines["line"], part.columns["sex"])


def tell_answers(
    con: duckdb.DuckDBPyConnection, part: Part, forms: int, findings: Findings
) -> None:
    """Missing answers by column, forms without any, answers beyond the form, stated totals."""
    if part.form is None or not part.items:
        return
    here = f"dropped_by is null and {part.prefix}_here"
    source = "record join record_line l on l.row = record.rowid"
    _tell_missing(con, part, forms, here, source, findings)
    answers = f"{part.prefix}_answers"
    blank = con.execute(
        f"select line from {source} where {here} and list_aggregate({answers}, 'count') = 0"
        f" and not list_contains({part.prefix}_missing, 'invalid') order by all"
    ).pl()
    findings.add_lines("form-without-answers", blank["line"], n_checked=forms)
    beyond = con.execute(f"select line from {source} where {here} and {part.prefix}_beyond").pl()
    instrument = part.form.instrument
    findings.add_lines(
        "answers-beyond-form",
        beyond["line"],
        "/".join(part.beyond[:1]) or None,
        instrument=instrument,
    )
    for column in part.form.totals.values():
        _tell_total(con, part, column, here, source, findings)


def _tell_missing(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    forms: int,
    here: str,
    source: str,
    findings: Findings,
) -> None:
    # Sessions are told apart only where each has columns of its own.
    session = "session" if findings.session_columns else "null::varchar"
    missing = con.execute(
        f"""
        select item, reason, session, count(*) as n, min(line, {_shown("answer-missing")}) as lines
        from (select l.line, {session} as session, unnest(range(1, {len(part.items)} + 1)) as item,
                     unnest({part.prefix}_missing) as reason
              from {source} where {here} and {part.prefix}_missing is not null)
        where reason is not null and reason <> 'invalid'
        group by item, reason, session order by item, reason, session"""
    ).pl()
    columns = [
        findings.column_in(part.items[item - 1], session)
        for item, session in missing.select("item", "session").iter_rows()
    ]
    known = finding_rules()["answer-missing"]
    named = missing.with_columns(pl.Series("column_name", columns, dtype=pl.String))
    spelled = named.explode("lines").select(
        pl.col("lines").cast(pl.Int32).alias("line"),
        "column_name",
        pl.lit("answer-missing").alias("rule"),
        pl.lit(known.severity).alias("severity"),
        pl.col("n").cast(pl.Int32).alias("n_broken"),
        pl.lit(forms, pl.Int32).alias("n_checked"),
        pl.format(
            known.message.replace("{reason}", "{}").replace("{n}", "{}"),
            pl.col("reason"), pl.col("n"),
        ).alias("message"),
        pl.lit(known.what_to_do).alias("what_to_do"),
    )  # fmt: skip
    findings.frames.append(spelled)


def _tell_total(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    column: str,
    here: str,
    source: str,
    findings: Findings,
) -> None:
    prefix = part.prefix
    totals = con.execute(
        f"""
        select line, session, {prefix}_total <> list_sum({prefix}_answers) as disagrees,
               list_aggregate({prefix}_answers, 'count') < {len(part.items)} as incomplete
        from {source}
        where {here} and {prefix}_total is not null
          and list_aggregate({prefix}_answers, 'count') > 0
          and not coalesce(list_contains({prefix}_missing, 'invalid'), false) order by line, session"""
    ).pl()
    unread = con.execute(
        f"select line, session from {source} where {here} and {prefix}_total_status = 'undeclared'"
        " order by all"
    ).pl()
    for rule, rows in (
        ("total-disagrees", totals.filter("disagrees")),
        ("total-of-incomplete-form", totals.filter("incomplete")),
        ("total-disagrees", unread),
    ):
        findings.add_lines(rule, rows["line"], column, None, rows["session"])
