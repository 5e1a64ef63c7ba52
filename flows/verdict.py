"""The one place where Great Expectations runs: profile rows in, the rows that break a rule out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.expectations import of_profile, suites

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite, ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition

# Numbers of rows come out and no value: BASIC with a count of 0 says how many rows fail, but not which.
RESULT_FORMAT: dict[str, Any] = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "unexpected_index_column_names": ["row"],
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}
BROKEN = {"rule": pl.String, "row": pl.Int64}


class Unjudged(Exception):
    """Great Expectations came to no verdict on a rule; the text holds the rule's id and no value."""


def broken_rows(
    profiles: Mapping[str, pl.DataFrame], thresholds: Mapping[str, Decimal]
) -> pl.DataFrame:
    """Every rule that some profile row breaks; one validation for each profile.

    Args:
        profiles: by name, the rows of the profile, numbered in `row`.
        thresholds: every number of ref.setting by name.

    Returns:
        rule, row: numbers of rows, and nothing that stands in them. Where a rule does not apply,
        it is not broken.

    Raises:
        Unjudged: when a rule could not be judged; an error of the judge is no verdict.
    """
    filled = {name: rows for name, rows in profiles.items() if not rows.is_empty()}
    found = [pl.DataFrame(schema=BROKEN)]
    if filled:  # the import takes seconds
        batches = _batches(list(filled))
        judges = suites(thresholds)
        for name, rows in filled.items():
            for result in _validate(batches[name], judges[name], _numbers(name, rows)):
                found.append(_rows_of(result))
    return pl.concat(found)


def _batches(names: list[str]) -> dict[str, BatchDefinition]:
    """Where each profile is handed to Great Expectations: in memory, told to nobody."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("profiles")
    return {
        name: source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        for name in names
    }


def _validate(
    definition: BatchDefinition, suite: ExpectationSuite, numbers: pl.DataFrame
) -> list[ExpectationValidationResult]:
    try:
        batch = definition.get_batch({"dataframe": numbers.to_pandas()})
        return batch.validate(suite, result_format=RESULT_FORMAT).results
    except Exception as error:  # noqa: BLE001 - its text may quote what it was given
        raise Unjudged(f"{suite.name}: an unforeseen {type(error).__name__}") from None


def _numbers(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """What the rules look at, and nothing else: no file name, no pseudonym."""
    wanted = dict.fromkeys(column for rule in of_profile(name) for column in rule.columns)
    return rows.select("row", pl.col(list(wanted)).cast(pl.Float64))


def _rows_of(result: ExpectationValidationResult) -> pl.DataFrame:
    """The rows that break one rule."""
    meta = (result.expectation_config and result.expectation_config.meta) or {}
    rule = str(meta.get("rule"))
    about, found = result.exception_info or {}, result.result
    if about.get("raised_exception", True) or "unexpected_count" not in found:
        raise Unjudged(f"{rule}: Great Expectations could not judge it")
    rows = [row for part in found.get("unexpected_index_list") or [] for row in part["row"]]
    if len(rows) != found["unexpected_count"]:
        raise Unjudged(f"{rule}: {found['unexpected_count']} rows fail, {len(rows)} are named")
    return pl.DataFrame({"rule": [rule] * len(rows), "row": rows}, schema=BROKEN)
