"""Risk answers in rows that were refused or held: where they are, never what they say."""

from __future__ import annotations

import duckdb
import polars as pl

from flows.reading.finding import Findings
from flows.reading.judge import Verdict
from schemas.instrument_types import Instrument, RiskItem


def point_to_refused_risks(
    con: duckdb.DuckDBPyConnection, verdict: Verdict, risks: Findings
) -> None:
    """Add a pointer for each refused risk answer that reaches its threshold or cannot be read.

    The two are one rule, so that a pointer does not give the answer away.

    Args:
        con: with the record table of the file.
        verdict: which rows of one part are refused or held.
        risks: apart from the findings, because only the care team reads it.
    """
    part, lost = verdict.part, pl.concat([verdict.rejected, verdict.held])
    if part.instrument is None or not part.items or lost.is_empty():
        return
    con.register("lost_rows", lost.to_frame("row"))
    for risk in part.instrument.risk:
        column = part.items[risk.item - 1]
        found = con.execute(
            f"""
            select coalesce(cell_line.line, record_line.line) as line, session
            from record
            join record_line on record_line.row = record.rowid
            left join cell_line on cell_line.row = record.rowid and cell_line.column_name = $column
            where record.rowid in (select row from lost_rows)
              and (({_raw_answer(verdict, part.instrument, risk)} {risk.op} {risk.value})
                   or {part.prefix}_missing[{risk.item}] = 'invalid')
            order by line, session""",
            {"column": column},
        ).pl()
        risks.add_lines(
            "risk-refused", found["line"], column, None, found["session"],
            instrument=part.instrument.name,
        )  # fmt: skip
    con.unregister("lost_rows")


def _raw_answer(verdict: Verdict, instrument: Instrument, risk: RiskItem) -> str:
    """The answer as ticked: an export may have turned reversed items already."""
    part = verdict.part
    answer = f"{part.prefix}_answers[{risk.item}]"
    if (
        part.form is not None
        and part.form.reversed == "already"
        and risk.item in instrument.reversed
    ):
        return f"{instrument.answer_max} + {instrument.answer_min} - {answer}"
    return answer
