"""Canonical long rows: what Rapport makes of files, for whoever writes a mapping. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from schemas.export_format import Mapping
from schemas.instrument_types import Instrument

COLUMNS = (
    "clinic_id", "patient_id", "therapist_id", "episode_id", "session_no", "instrument",
    "respondent", "item", "value", "missing_reason", "answered_at",
)  # fmt: skip

# What a spreadsheet takes for a formula; negative numbers are none.
FORMULA = r"^[=+@\t\r-]"
PLAIN_NUMBER = r"^-\d+([.]\d+)?$"


@dataclass(frozen=True)
class Reading:
    """Canonical rows and findings of several files, read in the order given."""

    rows: pl.DataFrame
    findings: pl.DataFrame


def read_canonical(
    files: Sequence[Path],
    mapping: Mapping,
    instruments: MappingOf[str, Instrument],
    scratch: Path,
    workspace: Path | None = None,
) -> Reading:
    """Read files as successive deliveries of one clinic; ids as in the file.

    Args:
        files: in order of arrival.
        mapping: the clinic's.
        instruments: the registry.
        scratch: an empty folder for decoded text; emptied again.
        workspace: its folder, where password files are looked for.
    """
    rules = DeliveryRules(
        mapping, dict(instruments), earliest=date(1900, 1, 1), latest=None, workspace=workspace
    )
    con = duckdb.connect()
    Pseudonyms(None, mapping.clinic.id).install(con)
    state = open_state(with_text=True)
    findings = []
    for number, path in enumerate(files):
        task = read_delivery(con, path, rules, scratch, f"d{number}", with_text=True)
        merge_file(con, task, state, f"d{number}", date(9999, 1, 1), rules)
        findings.append(task.reading.findings.frame().with_columns(pl.lit(path.name).alias("file")))
    rows = _long_rows(con, mapping.clinic.id)
    con.close()
    return Reading(rows, pl.concat(findings))


def _long_rows(con: duckdb.DuckDBPyConnection, clinic_id: str) -> pl.DataFrame:
    exists = con.execute(
        "select count(*) from duckdb_tables() where table_name = 'form_seen'"
    ).fetchone()
    if not exists or not exists[0]:
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    return con.execute(
        r"""
        with open_form as (
            select f.*, s.sequence, s.line as seen_line, s.place as seen_place,
                   s.part as seen_part
            from form_version f join form_seen s using (row_id)
            where known_to = date '9999-12-31'
        ),
        item as (
            select *, unnest(range(1, len(answers) + 1)) as number, unnest(texts) as text,
                   unnest(coalesce(missing, list_resize([]::varchar[], len(answers)))) as reason
            from open_form where answers is not null
        ),
        score as (
            select *, unnest(range(1, len(score_texts) + 1)) as number,
                   unnest(score_texts) as text,
                   unnest(list_filter(stated, lambda s: s.role = 'score')) as stated_score
            from open_form
        ),
        long as (
            select sequence, seen_line, seen_place, seen_part, 0 as block, number, patient_id, therapist_id,
                   episode_id, session_label, instrument_name, respondent,
                   cast(number as varchar) as item, text, reason, answered_text
            from item
            union all
            select sequence, seen_line, seen_place, seen_part, 1, number, patient_id, therapist_id,
                   episode_id, session_label, instrument_name, respondent, stated_score.scale,
                   text, stated_score.reason, answered_text
            from score
        )
        select $clinic as clinic_id, patient_id, therapist_id, episode_id,
               session_label as session_no, instrument_name as instrument, respondent, item,
               regexp_replace(text, '^-(0([.]0+)?)$', '\1') as value, reason as missing_reason, answered_text as answered_at
        from long order by sequence, seen_line, seen_place, seen_part, block, number""",
        {"clinic": clinic_id},
    ).pl()


def as_plain_csv(rows: pl.DataFrame) -> str:
    """Canonical rows as CSV in which no cell is a formula to a spreadsheet: such a one begins with '."""
    text = pl.col(pl.String)
    formula = text.str.contains(FORMULA) & ~text.str.contains(PLAIN_NUMBER)
    return rows.with_columns(
        pl.when(formula).then("'" + text).otherwise(text).name.keep()
    ).write_csv()


def write_reading(reading: Reading, rows: Path | None, findings: Path | None) -> None:
    """Write canonical rows as CSV and findings as JSON."""
    if rows is not None:
        rows.write_text(as_plain_csv(reading.rows), encoding="utf-8", newline="")
    if findings is not None:
        listed = reading.findings.select(
            "file",
            "line",
            pl.col("column_name").alias("column"),
            "rule",
            "severity",
            "message",
            "what_to_do",
        )
        findings.write_text(
            json.dumps(listed.to_dicts(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
