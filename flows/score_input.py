"""Reads one line of forms to be scored; says what is wrong with it without any answer of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.instrument import find
from schemas.instrument_types import Instrument

# Keys of the line that comes back; a line that brings them loses them.
MADE = ("scores", "bands", "flags", "criteria", "why_not", "error", "line")


class _LineFault(Exception):
    """What is wrong with one line, without any answer of it."""


def read_line(n: int, line: bytes, instruments: Mapping[str, Instrument]) -> dict[str, Any] | str:
    """The form of one line, or the sentence that says what is wrong with it."""
    try:
        form = json.loads(
            line.decode("utf-8-sig" if n == 1 else "utf-8"),
            parse_float=_finite,
            parse_constant=_finite,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError:
        return "not UTF-8"
    except _LineFault as fault:
        return str(fault)
    except (ValueError, RecursionError):
        return "not readable as JSON"
    try:
        _check(form, instruments)
    except _LineFault as fault:
        return str(fault)
    return {key: value for key, value in form.items() if key not in MADE}


def _check(form: Any, instruments: Mapping[str, Instrument]) -> None:
    if not isinstance(form, dict):
        raise _LineFault(
            'a line must be a table like {"inst": "phq9", "input": "raw", "items": []}'
        )
    name, items = form.get("inst"), form.get("items")
    instrument = find(instruments, name) if isinstance(name, str) else None
    if instrument is None:
        raise _LineFault(f"inst: must be one of {', '.join(sorted(instruments))}, or a name of one")
    if not instrument.is_enabled:
        raise _LineFault(f"inst: {instrument.name} is not in use. {instrument.note}")
    if form.get("input") not in ("raw", "keyed"):
        raise _LineFault("input: must be raw (as ticked) or keyed (reversed items already turned)")
    if not isinstance(items, list) or len(items) != instrument.item_count:
        raise _LineFault(f"items: must be a list of {instrument.item_count} answers")
    if wrong := [place for place, item in enumerate(items, 1) if not _is_answer(item, instrument)]:
        low, high, step = instrument.answer_min, instrument.answer_max, instrument.answer_step
        raise _LineFault(
            f"items: {', '.join(map(str, wrong))} can be no answer; {instrument.name} has {low} to"
            f' {high} in steps of {step}, null for missing and "NA" for not applicable'
        )


def _is_answer(item: Any, instrument: Instrument) -> bool:
    if item is None or item == "NA":
        return True
    if isinstance(item, bool) or not isinstance(item, int | Decimal):
        return False
    if not instrument.answer_min <= item <= instrument.answer_max:
        return False
    # more decimals than are kept: what comes next would round them away
    if item != round(item, 3):
        return False
    return (item - instrument.answer_min) % instrument.answer_step == 0


def _finite(text: str) -> Decimal:
    """Numbers as written; those that no reader of JSON could hold are refused."""
    try:
        if math.isfinite(float(text)):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise ValueError(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table whose keys are there once: of two it is not known which is meant."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise _LineFault("a key is there twice")
    return table
