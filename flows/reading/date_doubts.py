"""What a single date cell cannot show: a column that mixes day and month, hours that clocks repeat or skip."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from flows.reading.cells import believable, instant, literal
from flows.reading.finding import Findings
from schemas.export_format import FieldRule
from schemas.mapping_parts import NAMED_FORMATS

CONTRADICTED = "contradicted"
# Clocks change at quarters of hours, by an hour or (Lord Howe Island) half of one.
QUARTER = "interval 15 minutes"
SHIFTS = ("interval 60 minutes", "interval 30 minutes")


@dataclass(frozen=True)
class DateColumn:
    """One date of the records that leaves something to ask of the whole column.

    Attributes:
        name: of the engine's column.
        column: of the file, for people.
        zone: in which its clock shows; None where it tells no time of day without an offset.
        has_twin: some format would still be one with day and month changed about.
    """

    name: str
    column: str
    zone: str | None
    has_twin: bool


def doubt_columns(
    name: str, rule: FieldRule, timezone: str
) -> tuple[DateColumn, list[tuple[str, str]], list[str]]:
    """The date as a thing to ask about, aliased expressions for it, and which of them to keep."""
    twins = {place: twin for place, form in enumerate(rule.formats) if (twin := _twin(form))}
    put: list[tuple[str, str]] = []
    kept = []
    if twins:
        raw = f"{name}_0"
        other = " or ".join(
            f"({believable(instant(raw, t), raw)}) is not null" for t in twins.values()
        )
        read = " or ".join(f"{name}_t{place} is not null" for place in twins)
        swaps = f"day({name}_found) <= 12 and day({name}_found) <> month({name}_found)"
        # A case, because it asks further only where there is something to ask.
        unread = f"{name}_found is null and {raw} is not null"
        put += [
            (f"{name}_twin", f"case when {unread} then {other} else false end"),
            (f"{name}_swaps", f"({read}) and {swaps}"),
        ]
        kept += [f"{name}_twin", f"{name}_swaps"]
    zone = _zone(rule, timezone)
    if zone is not None:
        offset = f"regexp_matches({name}_0, '[T ].*(Z|[+-][0-9:]+)$')"
        bare = f"not {offset}" if _reads_iso(rule) else "true"
        tells = f"{name}_precision <> 'date' and {bare}"
        put.append((f"{name}_clock", f"case when {tells} then {name}_found end"))
        kept.append(f"{name}_clock")
    asked = DateColumn(name, " / ".join(rule.columns), zone, bool(twins))
    return asked, put, kept


def _twin(form: str) -> str | None:
    """The format with day and month changed about; None where it does not have both as numbers."""
    if form in NAMED_FORMATS or not (re.search("%-?d", form) and re.search("%-?m", form)):
        return None
    return re.sub("%(-?)([dm])", lambda part: f"%{part[1]}{'m' if part[2] == 'd' else 'd'}", form)


def _reads_iso(rule: FieldRule) -> bool:
    return not rule.formats or bool(set(rule.formats) & set(NAMED_FORMATS))


def _zone(rule: FieldRule, timezone: str) -> str | None:
    if rule.precision == "date":
        return None
    times = any("%H" in form or "%I" in form for form in rule.formats)
    if not (times or _reads_iso(rule)):
        return None
    return timezone if rule.zone in (None, "clinic") else rule.zone


def doubt_dates(
    con: duckdb.DuckDBPyConnection, asked: list[DateColumn], findings: Findings
) -> None:
    """Refuse what a contradicted column leaves open; name the times that a clock shows twice or never."""
    for date in asked:
        if date.has_twin:
            _contradict(con, date.name)
        if date.zone is not None:
            _tell_clock(con, date, date.zone, findings)


def _contradict(con: duckdb.DuckDBPyConnection, name: str) -> None:
    query = f"select 1 from record where dropped_by is null and {name}_twin limit 1"
    if con.execute(query).fetchone() is not None:
        con.execute(
            f"update record set {name}_status = {literal(CONTRADICTED)}"
            f" where {name}_swaps and {name}_status = 'ok'"
        )


def _tell_clock(
    con: duckdb.DuckDBPyConnection, date: DateColumn, zone: str, findings: Findings
) -> None:
    at = literal(zone)
    there = f"timezone({at}, q)"
    again = " or ".join(
        f"timezone({at}, {there} {sign} {shift}) = q" for shift in SHIFTS for sign in "+-"
    )
    odd = con.execute(
        f"""
        with odd as (
            select q, timezone({at}, {there}) <> q as is_skipped
            from (select distinct time_bucket({QUARTER}, {date.name}_clock) as q from record
                  where {date.name}_clock is not null and dropped_by is null)
            where timezone({at}, {there}) <> q or {again}
        )
        select line, session, is_skipped from record join record_line l on l.row = record.rowid
        join odd on odd.q = time_bucket({QUARTER}, {date.name}_clock)
        where dropped_by is null order by line, session"""
    ).pl()
    skipped, repeated = odd.filter("is_skipped"), odd.filter(~odd["is_skipped"])
    for rule, rows in (("time-skipped", skipped), ("time-repeated", repeated)):
        findings.add_lines(rule, rows["line"], date.column, None, rows["session"], zone=zone)
