"""Scores single forms, given as JSON lines, with the night's own SQL on a database in memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.errors import RapportError
from flows.reference import fill_instruments
from flows.score_input import read_line
from flows.sql_files import build
from schemas.instrument import find
from schemas.instrument_types import Instrument

SCORED = ("score.item_sum", "score.scale_score", "score.risk_answer", "score.criterion")
AT_ONCE = 2000
_FORM = (
    "form_id varchar, clinic_id varchar, patient_id varchar, instrument_id varchar,"
    " input_form varchar, answered_on date, answers decimal(9,3)[], missing varchar[]"
)
_STATED = "form_id varchar, instrument_id varchar, scale varchar, value decimal(9,3), role varchar"


@dataclass
class Tally:
    """How many lines were read, and the numbers of those with a fault."""

    lines: int
    faulty: list[int]


def score_file(
    name: str, instruments: Mapping[str, Instrument], write: Callable[[str], object]
) -> Tally:
    """Score the lines of a file, or of standard input where the name is a hyphen.

    Raises:
        RapportError: when the file cannot be read.
    """
    if name == "-":
        return score_lines(sys.stdin.buffer, instruments, write)
    try:
        source = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening is caught here
    except OSError as error:
        raise RapportError(f"{name}: cannot be read ({error.strerror})") from None
    with source:
        return score_lines(source, instruments, write)


def score_lines(
    lines: Iterable[bytes], instruments: Mapping[str, Instrument], write: Callable[[str], object]
) -> Tally:
    """Write one line of JSON for each line read, in order; blank lines are passed over.

    A line is a form: {"inst": name or id, "input": "raw" or "keyed", "items": [...]}, where null is
    a missing answer and "NA" a question that does not apply. It comes back with scores (null where
    there is none), why_not, bands, criteria and flags. A faulty line becomes {"line": n, "error": sentence}.
    """
    tally = Tally(0, [])
    with duckdb.connect() as con:
        _prepare(con, instruments)
        numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
        while batch := list(islice(numbered, AT_ONCE)):
            forms = {n: read_line(n, line, instruments) for n, line in batch}
            good = {n: form for n, form in forms.items() if isinstance(form, dict)}
            scored = _score(con, good, instruments) if good else {}
            for n, form in forms.items():
                if isinstance(form, str):
                    tally.faulty.append(n)
                    write(json.dumps({"line": n, "error": form}) + "\n")
                else:
                    write(json.dumps({**form, **scored[n]}, default=_number) + "\n")
            tally.lines += len(batch)
    return tally


def _prepare(con: duckdb.DuckDBPyConnection, instruments: Mapping[str, Instrument]) -> None:
    # Ages of answers are not asked for; the SQL wants a night all the same.
    con.execute("set variable as_of = date '2000-01-01'")
    con.execute("create schema valid")
    con.execute(f"create table valid.form ({_FORM})")
    con.execute(f"create table valid.stated_score ({_STATED})")
    fill_instruments(con, instruments)


def _score(
    con: duckdb.DuckDBPyConnection,
    forms: Mapping[int, dict[str, Any]],
    instruments: Mapping[str, Instrument],
) -> dict[int, dict[str, Any]]:
    """What each form gets, by line number."""
    used = {n: find(instruments, form["inst"]) for n, form in forms.items()}
    given = pl.DataFrame(list(_rows(forms, used)))
    con.execute("delete from valid.form")
    con.register("given", given)
    con.execute("insert into valid.form by name select * from given")
    con.unregister("given")
    build(con, "score", only=SCORED)
    made: dict[int, dict[str, Any]] = {
        n: {"scores": dict.fromkeys(i.scales if i else ()), "bands": {}, "flags": []}
        for n, i in used.items()
    }
    for n, scale, value, band, why_not in con.execute(
        "select form_id::integer, scale, value, band, why_not from score.scale_score order by all"
    ).fetchall():
        made[n]["scores"][scale] = value
        if band is not None:
            made[n]["bands"][scale] = band
        if why_not is not None:
            made[n].setdefault("why_not", {})[scale] = why_not
    for n, item, topic, is_flagged in con.execute(
        "select form_id::integer, item, topic, is_flagged from score.risk_answer"
        " where is_flagged or is_flagged is null order by all"
    ).fetchall():
        made[n]["flags"].append({"item": item, "topic": topic, "flagged": is_flagged})
    for n, criterion, is_met in con.execute(
        "select form_id::integer, criterion, is_met from score.criterion order by all"
    ).fetchall():
        made[n].setdefault("criteria", {})[criterion] = is_met
    return made


def _rows(
    forms: Mapping[int, dict[str, Any]], used: Mapping[int, Instrument | None]
) -> Iterator[dict[str, Any]]:
    for n, form in forms.items():
        instrument, items = used[n], form["items"]
        if instrument is not None:
            yield {
                "form_id": str(n),
                "instrument_id": instrument.id,
                "input_form": form["input"],
                "answers": [None if item in (None, "NA") else str(item) for item in items],
                "missing": _reasons(items),
            }


def _reasons(items: Sequence[Any]) -> list[str | None]:
    return [
        "not_applicable" if item == "NA" else "not_answered" if item is None else None
        for item in items
    ]


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
