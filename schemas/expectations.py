"""What a good delivery and a good table look like as a whole: rules as data, judged by Great Expectations.

A rule looks at one number of a profile row, never at rows of patients. Great Expectations takes seconds
to import, so only the functions that build and run a suite import it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )

PROFILES = ("delivery", "table")
# One row per rule and row of its profile: what came of judging.
CHECK_COLUMNS = (
    ("check_id", "varchar", "rule of schemas/expectations.toml"),
    ("profile", "varchar", "what is judged: delivery or table"),
    ("delivery_id", "varchar", "delivery; NULL of a table, or nothing has been delivered yet"),
    ("clinic_id", "varchar", "clinic; NULL nothing has been delivered yet"),
    ("table_name", "varchar", "form, session or episode; NULL of a delivery"),
    ("instrument_id", "varchar", "instrument; NULL of a delivery or a whole table"),
    ("severity", "varchar", "fatal or warn"),
    ("status", "varchar", "passed, failed or not applicable"),
    ("n_failed", "integer", "things counted that are not as they should be; NULL not counted"),
    ("n_checked", "integer", "things counted; NULL not counted"),
    ("observed", "decimal(18,6)", "number judged; NULL not known"),
    ("threshold", "decimal(18,6)", "bound of the night; the bound itself is good"),
    ("message", "varchar", "what is wrong, why it could not be judged, or what is good"),
    ("what_to_do", "varchar", "what to do where it failed"),
)


@dataclass(frozen=True)
class Expectation:
    """One rule; its keys are explained at the head of expectations.toml."""

    id: str
    title: str
    profile: Literal["delivery", "table"]
    column: str
    unit: Literal["percent", "days", "times", "number"]
    severity: Literal["fatal", "warn"]
    message: str
    not_applicable: str
    what_to_do: str
    source: str
    about: tuple[str, ...] = ()
    at_least: str | None = None
    at_most: str | None = None
    enough: tuple[str, ...] = ()
    enough_least: str | None = None
    n_failed: str | None = None
    n_checked: str | None = None

    @property
    def bound(self) -> str:
        """Name of the threshold that decides."""
        return self.at_least or self.at_most or ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The numbers of the profile that Great Expectations is given for this rule."""
        return (self.column, *self.enough)

    def is_about(self) -> pl.Expr:
        """Whether a row of the profile is one that this rule is for at all."""
        if not self.about:
            return pl.lit(value=True)
        questionnaire = pl.col("instrument_id").is_not_null()
        thing = pl.when(questionnaire).then(pl.lit("questionnaire")).otherwise("table_name")
        return thing.is_in(self.about)

    def applies(self, thresholds: Mapping[str, Decimal]) -> pl.Expr:
        """Whether a profile row can be judged: the number is known and stands on enough."""
        known = pl.col(self.column).is_not_null()
        if self.enough_least is None:
            return known
        least = float(thresholds[self.enough_least])
        many = [(pl.col(name) >= least).fill_null(value=False) for name in self.enough]
        return pl.all_horizontal(known, *many)

    def status(self) -> pl.Expr:
        """Status by the columns `applies` and `is_broken`: what was not judged has not passed."""
        return (
            pl.when(~pl.col("applies"))
            .then(pl.lit("not applicable"))
            .when("is_broken")
            .then(pl.lit("failed"))
            .otherwise(pl.lit("passed"))
        )

    def words(self, thresholds: Mapping[str, Decimal]) -> pl.Expr:
        """What is said of a check, by the columns `applies`, `is_broken` and `observed`."""
        bound = f"{self._scale * thresholds[self.bound]:.2f}".rstrip("0").rstrip(".") + self._sign
        before, _, after = self.message.replace("{bound}", bound).partition("{observed}")
        observed = (pl.col("observed") * self._scale).round(2).cast(pl.String)
        least = "" if self.enough_least is None else f"{thresholds[self.enough_least]:f}"
        few = f"Too few to judge by: under {least.rstrip('0').rstrip('.')}"
        return (
            pl.when(pl.col("clinic_id").is_null())
            .then(pl.lit("There is nothing to judge yet"))
            .when(pl.col("observed").is_null())
            .then(pl.lit(self.not_applicable))
            .when(~pl.col("applies"))
            .then(pl.lit(few))
            .when("is_broken")
            .then(
                pl.concat_str(
                    pl.lit(before),
                    observed.str.replace(r"\.0$", ""),
                    pl.lit(self._sign + after),
                )
            )
            .otherwise(pl.lit(self.title))
        )

    @property
    def _scale(self) -> int:
        return 100 if self.unit == "percent" else 1

    @property
    def _sign(self) -> str:
        return " %" if self.unit == "percent" else ""


@cache
def expectations() -> tuple[Expectation, ...]:
    """All rules in the order of the file.

    Raises:
        ValueError: when a rule has not exactly one bound, or says `enough` without how much.
    """
    path = Path(__file__).with_name("expectations.toml")
    rules = []
    for name, given in tomllib.loads(path.read_text(encoding="utf-8")).items():
        keys: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        rule = Expectation(id=name, **keys)
        if (rule.at_least is None) == (rule.at_most is None):
            raise ValueError(f"{name}: give at_least or at_most, one of them")
        if bool(rule.enough) != (rule.enough_least is not None):
            raise ValueError(f"{name}: enough and enough_least go together")
        if rule.profile not in PROFILES:
            raise ValueError(f"{name}: profile is one of {', '.join(PROFILES)}")
        rules.append(rule)
    return tuple(rules)


def of_profile(profile: str) -> tuple[Expectation, ...]:
    """The rules of one profile."""
    return tuple(rule for rule in expectations() if rule.profile == profile)


def suites(thresholds: Mapping[str, Decimal]) -> dict[str, ExpectationSuite]:
    """One suite for deliveries and one for tables, under the thresholds of the night.

    Args:
        thresholds: every number of ref.setting by name.
    """
    import great_expectations as gx

    return {
        profile: gx.ExpectationSuite(
            name=f"{profile} as a whole",
            expectations=[_between(rule, thresholds) for rule in of_profile(profile)],
        )
        for profile in PROFILES
    }


def _between(rule: Expectation, thresholds: Mapping[str, Decimal]) -> ExpectColumnValuesToBeBetween:
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    condition = None
    for name in rule.enough:
        reached = Column(name) >= float(thresholds[rule.enough_least or ""])
        condition = reached if condition is None else condition & reached
    return ExpectColumnValuesToBeBetween(
        column=rule.column,
        min_value=None if rule.at_least is None else float(thresholds[rule.at_least]),
        max_value=None if rule.at_most is None else float(thresholds[rule.at_most]),
        row_condition=condition,
        severity=FailureSeverity.CRITICAL if rule.severity == "fatal" else FailureSeverity.WARNING,
        meta={"rule": rule.id},
    )
