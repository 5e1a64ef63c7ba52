"""What a good record looks like: the row rules, owned by pandera.

A schema here judges one row at a time. Rules that need several rows, or a whole delivery, live
elsewhere. Each check is named by the id of the rule in rules.toml that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandera.polars as pa
import polars as pl

from schemas.facts import ACTION_FACTS, APPOINTMENT_FACTS, EPISODE_FACTS

# What the status words of a mapped cell mean, by field. A word that is not named is no fault.
ID_FAULTS = {
    "long": "id-too-long",
    "mangled": "id-mangled",
    "pattern": "field-pattern",
    "undeclared": "field-undeclared",
    "number": "field-not-a-number",
}
REQUIRED_ID_FAULTS = {**ID_FAULTS, "missing": "id-missing", "unknown": "field-undeclared"}
OPTIONAL_ID_FAULTS = {**ID_FAULTS, "unknown": "field-undeclared"}
DATE_FAULTS = {
    "pattern": "field-pattern",
    "undeclared": "field-undeclared",
    "unknown": "field-undeclared",
    "unreadable": "date-unreadable",
    "ambiguous": "date-ambiguous",
    "contradicted": "date-contradicted",
}
REQUIRED_DATE_FAULTS = {**DATE_FAULTS, "missing": "date-missing"}
# A fact beside an episode or appointment that cannot be read is not known; the rest stands.
FACT_FAULTS = dict.fromkeys([*ID_FAULTS, "unknown"], "fact-unreadable")
SCORE_FAULTS = {"undeclared": "score-undeclared"}

# A therapist whom the mapping's lookup does not know holds the record back; it is not refused.
HELD = "therapist-unknown"

# Lines that do not make one form: which of them, and why, is told where they are joined.
LINES_REFUSED = "lines-refused"


@dataclass(frozen=True)
class Bounds:
    """Limits of one form's rows.

    Attributes:
        earliest: first believable day.
        latest: the night; None where no night is meant.
        lowest: smallest answer of the instrument; None where it is not known.
        highest: largest answer.
        scores: smallest and largest value of each stated score, in the mapping's order.
    """

    earliest: date
    latest: date | None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    scores: tuple[tuple[Decimal, Decimal], ...] = ()


def _status(faults: dict[str, str]) -> pa.Column:
    """A column of status words, one check for each word that is a fault."""
    checks = [
        pa.Check(
            lambda data, word=word: data.lazyframe.select(pl.col(data.key) != word), error=rule
        )
        for word, rule in faults.items()
    ]
    return pa.Column(pl.String, checks)


def _between(low: object, high: object, below: str, above: str) -> pa.Column:
    checks = []
    if low is not None:
        checks.append(pa.Check.ge(low, error=below))
    if high is not None:
        checks.append(pa.Check.le(high, error=above))
    return pa.Column(checks=checks, nullable=True)


def _shared() -> dict[str, pa.Column]:
    return {
        "version": _status({"missing": "version-missing", "unreadable": "version-unreadable"}),
        "patient": _status(REQUIRED_ID_FAULTS),
        "therapist": _status({**ID_FAULTS, "unknown": HELD}),
        "session": _status(OPTIONAL_ID_FAULTS),
        "at": _status(REQUIRED_DATE_FAULTS),
    }


def form_schema(bounds: Bounds, n_scores: int) -> pa.DataFrameSchema:
    """Rows of one form: status words of its fields, day, answer range, stated scores."""
    no_undeclared = pa.Check.eq(False, error="answer-undeclared")  # noqa: FBT003
    scores = {
        f"score{n}": _between(
            *(bounds.scores[n] if n < len(bounds.scores) else (None, None)),
            "score-out-of-range",
            "score-out-of-range",
        )
        for n in range(n_scores)
    }
    return pa.DataFrameSchema(
        {
            **_shared(),
            "episode": _status(OPTIONAL_ID_FAULTS),
            "respondent": _status(REQUIRED_ID_FAULTS),
            "lines": _status({"refused": LINES_REFUSED}),
            "on": _between(bounds.earliest, bounds.latest, "date-too-old", "date-in-future"),
            "lowest": _between(bounds.lowest, None, "answer-out-of-range", ""),
            "highest": _between(None, bounds.highest, "", "answer-out-of-range"),
            "undeclared": pa.Column(pl.Boolean, no_undeclared, nullable=True),
            **{f"score{n}_status": _status(SCORE_FAULTS) for n in range(n_scores)},
            **scores,
        }
    )


def appointment_schema(bounds: Bounds) -> pa.DataFrameSchema:
    """Rows of appointments; one that took place cannot lie after the night."""
    return pa.DataFrameSchema(
        {
            **_shared(),
            "id": _status(REQUIRED_ID_FAULTS),
            "episode": _status(OPTIONAL_ID_FAULTS),
            "status": _status(REQUIRED_ID_FAULTS),
            "on": _between(bounds.earliest, None, "date-too-old", ""),
            "happened_on": _between(None, bounds.latest, "", "date-in-future"),
            **{fact: _status(FACT_FAULTS) for fact in APPOINTMENT_FACTS},
        }
    )


def episode_schema(bounds: Bounds) -> pa.DataFrameSchema:
    """Rows of episodes: an end is not before its start, neither lies after the night."""
    in_order = pa.Check(
        lambda data: data.lazyframe.select(
            pl.col("end_on").is_null() | (pl.col("end_on") >= pl.col("on"))
        ),
        error="end-before-start",
        ignore_na=False,
    )
    return pa.DataFrameSchema(
        {
            **_shared(),
            "episode": _status(REQUIRED_ID_FAULTS),
            "end": _status(DATE_FAULTS),
            "reason": _status(OPTIONAL_ID_FAULTS),
            "referral": _status(dict.fromkeys(DATE_FAULTS, "fact-unreadable")),
            **{fact: _status(FACT_FAULTS) for fact in EPISODE_FACTS},
            "on": _between(bounds.earliest, bounds.latest, "date-too-old", "date-in-future"),
            "end_on": _between(bounds.earliest, bounds.latest, "date-too-old", "date-in-future"),
        },
        checks=[in_order],
    )


def action_schema(bounds: Bounds) -> pa.DataFrameSchema:
    """Rows of actions: what is logged has been done."""
    return pa.DataFrameSchema(
        {
            **_shared(),
            "episode": _status(OPTIONAL_ID_FAULTS),
            "kind": _status(REQUIRED_ID_FAULTS),
            "on": _between(bounds.earliest, bounds.latest, "date-too-old", "date-in-future"),
            **{fact: _status(FACT_FAULTS) for fact in ACTION_FACTS},
        }
    )


def broken_rules(schema: pa.DataFrameSchema, rows: pl.DataFrame) -> pl.DataFrame:
    """Every rule that some row breaks.

    Args:
        schema: one of the schemas above.
        rows: the columns of the schema plus `row`.

    Returns:
        row, rule, field: one line for each row and rule; no cell, whatever pandera reports.
    """
    empty = pl.DataFrame(schema={"row": pl.Int64, "rule": pl.String, "field": pl.String})
    if rows.is_empty():
        return empty
    try:
        schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.select("index", "check", "column", "schema_context")
    else:
        return empty
    if cases["index"].null_count():
        wrong = cases.filter(pl.col("index").is_null())["check"].unique().sort().to_list()
        raise TypeError(f"the row rules do not fit the rows: {wrong}")
    field = pl.col("column").str.replace(r"(_status|_on)$", "").replace({"on": "at"})
    return (
        cases.with_columns(rows["row"].gather(cases["index"].cast(pl.Int64)).alias("row"))
        .select(
            pl.col("row").cast(pl.Int64),
            pl.col("check").alias("rule"),
            pl.when(pl.col("schema_context") == "Column")
            .then(field.replace({"end": "end", "happened": "at"}))
            .otherwise(pl.lit("end"))
            .alias("field"),
        )
        .unique()
        .sort("row", "rule", "field")
    )
