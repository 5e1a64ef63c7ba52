"""Which of two versions of a record is the later one."""

from __future__ import annotations

from flows.reading.cell_status import OK, first_fault
from flows.reading.cells import (
    ISO_CLOCK,
    ISO_DATE,
    ISO_ZONE,
    CellGrammar,
    absolute,
    believable,
    instant,
    literal,
    matches,
)

Aliased = list[tuple[str, str]]


def version_columns(grammar: CellGrammar, column: str | None) -> tuple[Aliased, Aliased, Aliased]:
    """Three steps of aliased expressions; the last ones are `version_kind`, `_order` and `_status`.

    `version_order` is text that sorts as the versions do: numbers as numbers, dates as instants.
    """
    if column is None:
        nothing = [("version_kind", "null::varchar"), ("version_order", "null::varchar")]
        return [], [], [*nothing, ("version_status", OK)]
    mark = grammar.source.read.decimal
    number = f"[0-9]{{1,18}}([{mark}][0-9]{{1,18}})?"
    zoned = f"{ISO_DATE}[T ]{ISO_CLOCK}{ISO_ZONE}"
    read = [("version_text", f"trim({grammar.cell(column)})")]
    judged = [
        ("version_number", matches("version_text", number)),
        ("version_read", instant("version_text", "iso")),
        ("version_zoned", matches("version_text", zoned)),
    ]
    believed = f"{believable('version_read', 'version_text')} is not null"
    utc = (
        f"timezone('UTC', case when version_zoned then {absolute('version_text')}"
        f" else timezone({literal(grammar.timezone)}, version_read) end)"
    )
    plain = f"replace(version_text, {literal(mark)}, '.')"
    part = f"rtrim(split_part({plain}, '.', 2), '0')"
    order = (
        "case version_kind when 'number' then rtrim("
        f"lpad(split_part({plain}, '.', 1), 20, '0') || '.' || {part}, '.')"
        f" when 'date' then strftime({utc}, '%Y-%m-%dT%H:%M:%S.%f') end"
    )
    kind = f"case when version_number then 'number' when {believed} then 'date' end"
    status = first_fault([("version_text = ''", "missing"), ("version_kind is null", "unreadable")])
    columns = [("version_kind", kind), ("version_order", order), ("version_status", status)]
    return read, judged, columns
