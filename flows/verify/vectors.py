"""Test vectors: worked examples of questionnaires and published cases, through the SQL and a second time."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

import schemas
from flows.reference import TABLES, fill_instruments
from flows.score_lines import score_lines
from flows.second.change import Norm, cutoff_a, cutoff_b, cutoff_c, index_of
from flows.second.measure import wilson
from flows.second.score import band_of, risks_of, scores_of
from flows.sql_files import read_sql_files
from flows.verify.agreement import Agreement, compared
from flows.verify.facts import Figures, read_questionnaires
from schemas.instrument_types import Example, Instrument

CASES = Path(schemas.__file__).with_name("published_cases.toml")
EXAMPLES, PUBLISHED = "worked examples of questionnaires", "published cases"


def vectors(instruments: Mapping[str, Instrument]) -> Iterator[Agreement]:
    """Every shipped vector, computed by the SQL and by the second computation."""
    used = {name: i for name, i in instruments.items() if i.is_enabled and i.examples}
    expected = _expected(used)
    for where, told in (
        ("by the SQL", _examples_by_sql(used)),
        ("second computation", _examples_again(used)),
    ):
        found = {key: told.get(key, (None,)) for key in expected}
        yield compared(EXAMPLES, where, ["value"], found, expected, is_whole=True)
    cases = tomllib.loads(CASES.read_text(encoding="utf-8"))
    printed = _printed(cases)
    for where, told in (
        ("by the SQL", _cases_by_sql(cases)),
        ("second computation", _cases_again(cases)),
    ):
        rounded = {key: (_as_printed(told.get(key), value),) for key, (value,) in printed.items()}
        yield compared(PUBLISHED, where, ["value"], rounded, printed, is_whole=True)


def _as_printed(value: float | None, printed: float) -> float | None:
    """Rounded to the decimals that its authors print."""
    decimals = len(str(printed).partition(".")[2])
    return None if value is None else round(value, decimals)


def _expected(instruments: Mapping[str, Instrument]) -> Figures:
    expected: Figures = {}
    for name, number, example in _each(instruments):
        told = (
            [("score", scale, value) for scale, value in example.expect.items()]
            + [("band", scale, band) for scale, band in example.band.items()]
            + [("risk item", str(item), True) for item in example.risk]
        )
        expected |= {
            (name, f"example {number}", kind, which): (value,) for kind, which, value in told
        }
    return expected


def _each(instruments: Mapping[str, Instrument]) -> Iterator[tuple[str, int, Example]]:
    for name, instrument in sorted(instruments.items()):
        for number, example in enumerate(instrument.examples, start=1):
            yield name, number, example


def _examples_by_sql(instruments: Mapping[str, Instrument]) -> Figures:
    lines = [
        json.dumps(
            {
                "inst": name,
                "input": example.input_form,
                "items": [
                    "NA" if a == "na" else None if a is None else float(a) for a in example.answers
                ],
            }
        ).encode()
        for name, _, example in _each(instruments)
    ]
    back: list[str] = []
    score_lines(lines, instruments, back.append)
    told: Figures = {}
    for (name, number, _), line in zip(_each(instruments), back, strict=True):
        form, where = json.loads(line), (name, f"example {number}")
        told |= {(*where, "score", scale): (v,) for scale, v in form.get("scores", {}).items()}
        told |= {(*where, "band", scale): (v,) for scale, v in form.get("bands", {}).items()}
        told |= {
            (*where, "risk item", str(flag["item"])): (flag["flagged"],)
            for flag in form.get("flags", [])
        }
    return told


def _examples_again(instruments: Mapping[str, Instrument]) -> Figures:
    with duckdb.connect() as con:
        fill_instruments(con, instruments)
        questionnaires = read_questionnaires(con)
    told: Figures = {}
    for name, number, example in _each(instruments):
        form = {
            "answers": [None if a in (None, "na") else Fraction(a) for a in example.answers],
            "missing": ["not_applicable" if a == "na" else None for a in example.answers],
            "input_form": example.input_form,
        }
        where, questionnaire = (name, f"example {number}"), questionnaires[name]
        for scale, score in scores_of(questionnaire, form).items():
            told[*where, "score", scale] = (score,)
            told[*where, "band", scale] = (band_of(questionnaire, scale, score),)
        for item, flagged in risks_of(questionnaire, form).items():
            told[*where, "risk item", str(item)] = (flagged,)
    return told


def _printed(cases: Mapping[str, Any]) -> Figures:
    printed: Figures = {}
    for number, case in enumerate(cases["interval"], start=1):
        printed |= {("interval", number, end): (case[end],) for end in ("low", "high")}
    for number, case in enumerate(cases["change"], start=1):
        keys = [key for key in ("a", "b", "c", "jt") if key in case]
        printed |= {("change", number, key): (case[key],) for key in keys}
    return printed


def _cases_again(cases: Mapping[str, Any]) -> dict[tuple[Any, ...], float | None]:
    told: dict[tuple[Any, ...], float | None] = {}
    for number, case in enumerate(cases["interval"], start=1):
        low, high = wilson(case["numerator"], case["n"], 1.959964)
        told |= {("interval", number, "low"): low, ("interval", number, "high"): high}
    for number, case in enumerate(cases["change"], start=1):
        norm = Norm(*(float(case[key]) for key in _NORM))
        told |= {
            ("change", number, "a"): cutoff_a(norm, case["direction"]),
            ("change", number, "b"): cutoff_b(norm, case["direction"]),
            ("change", number, "c"): cutoff_c(norm),
        }
        if "jt" in case:
            index = index_of("JT", case["first"], case["last"], norm, None)
            told["change", number, "jt"] = None if index is None else case["direction"] * index
    return told


_NORM = ("clinical_mean", "clinical_sd", "reliability", "functional_mean", "functional_sd")
USED = ("measure.estimate", "score.change_cutoff", "score.change_index")


def _make_inputs(con: duckdb.DuckDBPyConnection) -> None:
    """Every table that the SELECTs read, empty, with the columns that its own header states."""
    by_name = {file.name: file for file in read_sql_files()}
    for name in sorted({read for used in USED for read in by_name[used].inputs}):
        stage, _, table = name.partition(".")
        columns = (
            ", ".join(f'"{c.name}" {c.type}' for c in by_name[name].header.columns)
            if name in by_name
            else TABLES[table]
        )
        con.execute(f"create schema if not exists {stage}")
        con.execute(f"create table {name} ({columns})")
    con.execute(
        "insert into ref.setting by name select 'z_95' as name, 1.959964::decimal(18, 6) as value"
    )


def _cases_by_sql(cases: Mapping[str, Any]) -> dict[tuple[Any, ...], float | None]:
    """The night's own SELECTs over a database that holds nothing but the cases."""
    with duckdb.connect() as con:
        _make_inputs(con)
        for number, case in enumerate(cases["interval"], start=1):
            con.execute(
                "insert into measure.total by name select 'clinic' as level, ? as unit_id,"
                " 'year' as period_id, 'm' as measure, 'rate' as kind, ? as numerator, ? as n,"
                " numerator as sum_x, numerator as sum_xx, n as n_eligible,"
                " n as n_known",
                [str(number), case["numerator"], case["n"]],
            )
        for number, case in enumerate(cases["change"], start=1):
            _insert_change(con, str(number), case)
        told: dict[tuple[Any, ...], float | None] = {}
        for unit, low, high in con.execute(
            f"select unit_id, low, high from ({_select('measure.estimate')}) order by unit_id"
        ).fetchall():
            told["interval", int(unit), "low"] = float(low)
            told["interval", int(unit), "high"] = float(high)
        for name, a, b, c in con.execute(
            f"select instrument_id, a, b, c from ({_select('score.change_cutoff')})"
        ).fetchall():
            told |= {("change", int(name), k): v for k, v in (("a", a), ("b", b), ("c", c))}
        for name, jt in con.execute(
            f"select instrument_id, jt from ({_select('score.change_index')})"
        ).fetchall():
            told["change", int(name), "jt"] = float(jt)
    return told


def _insert_change(con: duckdb.DuckDBPyConnection, name: str, case: Mapping[str, Any]) -> None:
    con.execute(
        "insert into ref.instrument by name select ? as instrument_id, ? as direction,"
        " 'symptom' as kind",
        [name, case["direction"]],
    )
    con.execute(
        "insert into ref.scale by name select ? as instrument_id, 'total' as scale,"
        " true as is_primary",
        [name],
    )
    con.execute(
        "insert into ref.change_norm by name select ? as instrument_id, 'total' as scale,"
        " ? as mean_pre, ? as sd_pre, ? as reliability, ? as mean_functional, ? as sd_functional",
        [name, *(case[key] for key in _NORM)],
    )
    if "first" in case:
        con.execute(
            "insert into score.reliable_change by name select 'case' as episode_id,"
            " ? as instrument_id, ? as baseline_value, ? as last_value",
            [name, case["first"], case["last"]],
        )


def _select(table: str) -> str:
    return next(file.text for file in read_sql_files() if file.name == table)
