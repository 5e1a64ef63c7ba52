"""What second computations are told: the rules' numbers, and of a questionnaire what scoring needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
Number = Decimal | Fraction


@dataclass(frozen=True)
class Rules:
    """Numbers of the rules, as shipped; a service may have others."""

    gap_days: Number = Fraction(42)
    gap_multiple: Number = Fraction(3)
    attach_before_days: Number = Fraction(6)
    attach_after_days: Number = Fraction(6)
    label_window_days: Number = Fraction(28)
    baseline_session: Number = Fraction(2)
    early_sessions: Number = Fraction(5)
    early_min_rated: Number = Fraction(2)
    early_slope_min_rated: Number = Fraction(3)
    outcome_min_sessions: Number = Fraction(2)
    action_days: Number = Fraction(14)
    derived_course_gap_days: Number = Fraction(365)
    due_margin_days: Number = Fraction(14)
    landmark_session: Number = Fraction(3)
    z_95: Number = Fraction(1959964, 10**6)


@dataclass(frozen=True)
class Scale:
    """One score of a questionnaire."""

    items: tuple[int, ...]
    parts: tuple[str, ...]
    method: str
    factor: Number
    range_min: Number
    range_max: Number
    missing_rule: str
    max_missing: int
    missing_over: str


@dataclass(frozen=True)
class Threshold:
    """A number with its operator."""

    op: str
    value: Number

    def reached(self, number: Number) -> bool:
        """Whether a number reaches the threshold."""
        return {
            ">=": number >= self.value,
            ">": number > self.value,
            "<=": number <= self.value,
            "<": number < self.value,
        }[self.op]


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire as second computations see it."""

    kind: str
    respondent: str
    direction: int
    item_count: int
    answer_min: Number
    answer_max: Number
    reversed: frozenset[int]
    is_key_known: bool
    not_applicable: frozenset[int]
    not_applicable_value: Number | None
    primary: str
    scales: Mapping[str, Scale]
    # Where each band begins, by scale, in order; and the default thresholds of the primary scale.
    bands: Mapping[str, tuple[tuple[Number, str], ...]]
    risk: tuple[tuple[int, Threshold], ...]
    reliable_change: Threshold | None
    cutoff: Threshold | None
