"""Puts the records of one file before the row rules, and says which broke what, where."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from flows.reading.cell_status import OK
from flows.reading.finding import Findings
from flows.reading.plan import Part
from schemas.facts import ACTION_FACTS, APPOINTMENT_FACTS, EPISODE_FACTS
from schemas.finding_rules import finding_rules
from schemas.tables import (
    HELD,
    LINES_REFUSED,
    Bounds,
    action_schema,
    appointment_schema,
    broken_rules,
    episode_schema,
    form_schema,
)

BATCH_ROWS = 200_000
NO_FAULTS = pl.DataFrame(schema={"row": pl.Int64, "rule": pl.String, "field": pl.String})
FIELD_WORDS = {
    "id": "appointment",
    "at": "date",
    "reason": "end reason",
    "end": "end date",
    "status": "status",
}


@dataclass(frozen=True)
class Verdict:
    """The rows of one part that are refused, and those held back. Row ids of the record table."""

    part: Part
    found: int
    rejected: pl.Series
    held: pl.Series


def judge(
    con: duckdb.DuckDBPyConnection, part: Part, bounds: Bounds, findings: Findings
) -> Verdict:
    """Judge every record that carries this part; add a finding for each broken rule.

    Records that look the same to the rules are judged once: there are far fewer kinds than records.
    """
    schema = _schema(part, bounds)
    found = 0
    faults_of_kinds, wrong_kinds = [NO_FAULTS], []
    for batch in con.execute(_kinds(part)).to_arrow_reader(BATCH_ROWS):
        kinds = pl.DataFrame(pl.from_arrow(batch))
        found += int(kinds["n"].sum())
        faults = broken_rules(schema, kinds.drop("n"))
        faults_of_kinds.append(faults)
        wrong_kinds.append(kinds.join(faults, on="row", how="semi"))
    faults = _of_all_alike(con, part, wrong_kinds, pl.concat(faults_of_kinds))
    _tell(con, part, bounds, faults, found, findings)
    severity = {rule: known.severity for rule, known in finding_rules().items()}
    refused = faults.filter(pl.col("rule").replace_strict(severity, default="reject") == "reject")
    rejected = refused["row"].unique().sort()
    held = faults.filter(pl.col("rule") == HELD)["row"].unique().sort()
    return Verdict(part, found, rejected, held.filter(~held.is_in(rejected.implode())))


def _schema(part: Part, bounds: Bounds):  # noqa: ANN202 - pandera's type is generic
    if part.form is not None:
        return form_schema(bounds, len(part.form.scores))
    schemas = {
        "appointment": appointment_schema,
        "episode": episode_schema,
        "action": action_schema,
    }
    return schemas[part.kind](bounds)


def _kinds(part: Part) -> str:
    """The kinds of rows of a part, the first row of each and how many there are."""
    names = ", ".join(f'"{name}"' for name in _columns(part))
    return f"select min(row) as row, count(*) as n, {names} from ({_rows(part)}) group by all"


def _of_all_alike(
    con: duckdb.DuckDBPyConnection, part: Part, kinds: list[pl.DataFrame], faults: pl.DataFrame
) -> pl.DataFrame:
    """The faults of the first row of each kind, for every row of that kind."""
    if faults.is_empty():
        return faults
    same = " and ".join(f'r."{name}" is not distinct from w."{name}"' for name in _columns(part))
    con.register("wrong_kind", pl.concat(kinds))
    rows = con.execute(
        f"select w.row as first, r.row as row from ({_rows(part)}) r join wrong_kind w on {same}"
    ).pl()
    con.unregister("wrong_kind")
    return rows.join(faults.rename({"row": "first"}), on="first").select("row", "rule", "field")


def _rows(part: Part) -> str:
    """The part's rows as the schema wants them."""
    told = ", ".join(f'{expression} as "{name}"' for name, expression in _columns(part).items())
    here = f"dropped_by is null and {part.prefix}_here"
    return f"select rowid as row, {told} from record where {here}"


def _columns(part: Part) -> dict[str, str]:
    """What the schema looks at: words, days and ranges, no text of a cell."""
    names, prefix = part.names, part.prefix
    fields = ["patient", "therapist", "episode", "session", "at"]
    columns = {name: _word(f"{names[name]}_status") for name in fields}
    columns |= {"version": _word("version_status"), "on": f"cast({names['at']} as date)"}
    if part.form is not None:
        answers, missing = f"{prefix}_answers", f"{prefix}_missing"
        if not part.items:
            answers, missing = "null::decimal(9,3)[]", "null::varchar[]"
        columns |= {
            "respondent": _word(f"{names['respondent']}_status" if "respondent" in names else OK),
            "lines": _word(part.state or OK),
            "lowest": f"list_min({answers})",
            "highest": f"list_max({answers})",
            "undeclared": f"coalesce(list_contains({missing}, 'invalid'), false)",
        }
        for n in range(len(part.form.scores)):
            columns[f"score{n}_status"] = _word(f"{prefix}_score{n}_status")
            columns[f"score{n}"] = f"{prefix}_score{n}"
    elif part.kind == "appointment":
        happened = f"case when {names['status']} <> 'booked' then cast({names['at']} as date) end"
        columns |= {
            "id": _word(f"{names['id']}_status" if "id" in names else OK),
            "status": _word(f"{names['status']}_status"),
            "happened_on": happened,
        }
        columns |= {fact: _word(f"{names[fact]}_status") for fact in APPOINTMENT_FACTS}
    elif part.kind == "action":
        columns |= {fact: _word(f"{names[fact]}_status") for fact in ("kind", *ACTION_FACTS)}
    else:
        columns |= {
            "end": _word(f"{names['end']}_status"),
            "end_on": f"cast({names['end']} as date)",
            "reason": _word(f"{names['reason']}_status"),
            "referral": _word(f"{names['referral']}_status"),
        }
        columns |= {fact: _word(f"{names[fact]}_status") for fact in EPISODE_FACTS}
    return columns


def _word(status: str) -> str:
    return f"cast({status} as varchar)"


def _tell(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    bounds: Bounds,
    faults: pl.DataFrame,
    found: int,
    findings: Findings,
) -> None:
    if faults.is_empty():
        return
    numbered = con.execute(
        "select f.rule, f.field, l.line, r.session from faults f join record_line l using (row)"
        " join record r on r.rowid = f.row order by all"
    ).pl()
    for (rule, field), rows in numbered.group_by("rule", "field", maintain_order=True):
        if rule in ("answer-undeclared", "answer-out-of-range", LINES_REFUSED):
            continue
        about = {
            "field": FIELD_WORDS.get(str(field), str(field)),
            "as_of": bounds.latest,
            "earliest": bounds.earliest,
        } | _score_range(bounds, str(field))
        column = _told_column(part, str(field))
        findings.add_lines(str(rule), rows["line"], column, found, rows["session"], **about)
    if part.items:
        _tell_answers(con, part, bounds, faults, found, findings)


def _score_range(bounds: Bounds, field: str) -> dict[str, object]:
    """The range of a stated score; an instrument that is not known has none."""
    number = field.removeprefix("score")
    if number == field or not number.isdecimal() or int(number) >= len(bounds.scores):
        return {}
    lowest, highest = bounds.scores[int(number)]
    return {"lowest": f"{lowest.normalize():f}", "highest": f"{highest.normalize():f}"}


def _told_column(part: Part, field: str) -> str | None:
    if part.form is not None and field.startswith("score"):
        return list(part.form.scores.values())[int(field.removeprefix("score"))]
    return part.columns.get(field) or None


def _tell_answers(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    bounds: Bounds,
    faults: pl.DataFrame,
    found: int,
    findings: Findings,
) -> None:
    """Which item of a refused form it was: only the refused rows are taken apart."""
    wrong = faults.filter(pl.col("rule").is_in(["answer-undeclared", "answer-out-of-range"]))
    if wrong.is_empty():
        return
    low, high = bounds.lowest, bounds.highest
    cells = con.execute(
        f"""
        select coalesce(c.line, answers.line) as line, item, session,
               case when reason = 'invalid' then 'answer-undeclared'
                    when answer < $low or answer > $high then 'answer-out-of-range' end as rule
        from (select record.rowid as row, l.line, session, unnest(range(1, {len(part.items)} + 1)) as item,
                     unnest({part.prefix}_answers) as answer, unnest({part.prefix}_missing) as reason
              from record join record_line l on l.row = record.rowid
              where record.rowid in (select row from wrong)) answers
        left join cell_line c
            on c.row = answers.row and c.column_name = ($items::varchar[])[answers.item]
        where rule is not null order by rule, item, line, session""",
        {"low": low, "high": high, "items": list(part.items)},
    ).pl()
    for (rule, item), rows in cells.group_by("rule", "item", maintain_order=True):
        column = part.items[int(str(item)) - 1]
        findings.add_lines(
            str(rule), rows["line"], column, found, rows["session"], lowest=low, highest=high
        )
