"""What a mapping says that only the registry or the engine can judge: told with dotted paths."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from decimal import Decimal

import duckdb
from pydantic import BaseModel

from schemas.export_format import Condition, FieldRule, Form, Mapping, Source
from schemas.instrument_types import Instrument
from schemas.mapping_parts import NAMED_FORMATS, DropRule
from schemas.mapping_shapes import Code
from schemas.shaping import shaped_forms, shaped_source


def mapping_faults(mapping: Mapping, instruments: MappingOf[str, Instrument | None]) -> list[str]:
    """Everything wrong with a mapping that its grammar alone does not show.

    Args:
        mapping: the clinic's.
        instruments: registry entry by the name the mapping uses; None where there is none.
    """
    faults = []
    for path, part in _parts(mapping, ""):
        if isinstance(part, Form):
            known = instruments.get(part.instrument)
            faults += [f"{path}.{fault}" for fault in _form_faults(part, known)]
        if isinstance(part, Source):
            faults += [f"{path}.{fault}" for fault in _shaped_faults(part, instruments)]
    with duckdb.connect() as con:
        engine = _Engine(con)
        for path, part in _parts(mapping, ""):
            faults += [f"{path}.{fault}" for fault in engine.faults(part)]
    return faults


def _parts(value: object, path: str) -> Iterator[tuple[str, BaseModel]]:
    """Every table of the mapping with its dotted path; lists are counted from 1."""
    if isinstance(value, BaseModel):
        yield path, value
        fields = type(value).model_fields
        inner = [(fields[name].alias or name, getattr(value, name)) for name in fields]
    elif isinstance(value, tuple):
        inner = list(enumerate(value, start=1))
    elif isinstance(value, dict):
        inner = list(enumerate(value.values(), start=1))
    else:
        return
    for name, part in inner:
        yield from _parts(part, f"{path}.{name}" if path else str(name))


def _shaped_faults(source: Source, instruments: MappingOf[str, Instrument | None]) -> Iterator[str]:
    """Faults of the forms that code and wide make, told at the table that makes them."""
    made = shaped_source(source).form[len(source.form) :]
    for shaped, form in zip(shaped_forms(source), made, strict=True):
        first = shaped.parts[0]
        place = f"code.{source.code.index(first) + 1}" if isinstance(first, Code) else "wide"
        for fault in _form_faults(form, instruments.get(form.instrument)):
            yield f"{place}.{fault}"


def _form_faults(form: Form, instrument: Instrument | None) -> Iterator[str]:
    if instrument is None:
        return
    name = instrument.name
    count = len(form.items.names or form.items.links) if form.items else instrument.item_count
    if count != instrument.item_count:
        yield f"items: {name} has {instrument.item_count} items, the mapping names {count}"
    for scale in form.scores:
        if scale not in instrument.scales:
            yield f"scores.{scale}: {name} has no such scale; it has {', '.join(instrument.scales)}"
    for code, value in (form.values.map if form.values else {}).items():
        if Decimal(str(value)) % instrument.answer_step:
            yield f"values.map.{code}: {value} is no step of {name} ({instrument.answer_step})"


class _Engine:
    """Tries patterns, date formats and time zones out on the engine that will use them."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def faults(self, part: BaseModel) -> Iterator[str]:
        if isinstance(part, Condition | DropRule):
            yield from self._pattern("matches", part.matches)
        elif isinstance(part, FieldRule):
            yield from self._pattern("matches", part.matches)
            yield from self._pattern("extract", part.extract)
            for place, pattern in enumerate(part.map, start=1):
                yield from self._pattern(f"map: entry {place}", pattern)
            for place, form in enumerate(part.formats, start=1):
                if form not in NAMED_FORMATS and not self._runs(
                    "select try_strptime('1', $word)", form
                ):
                    yield f"formats.{place}: is not a date format that can be read"
        zone = getattr(part, "timezone", None) or getattr(part, "zone", None)
        query = "select timezone($word, timestamp '2026-01-01')"
        if zone not in (None, "clinic") and not self._runs(query, str(zone)):
            yield f"{'zone' if isinstance(part, FieldRule) else 'timezone'}: is not known"

    def _pattern(self, where: str, pattern: str | None) -> Iterator[str]:
        query = "select regexp_full_match('1', $word, 's')"
        if pattern is not None and not self._runs(query, pattern):
            yield (
                f"{where}: is not a pattern that can be read:"
                " there is no looking ahead or behind, and no reference back"
            )

    def _runs(self, query: str, word: str) -> bool:
        try:
            self.con.execute(query, {"word": word}).fetchall()
        except duckdb.Error:
            return False
        return True
