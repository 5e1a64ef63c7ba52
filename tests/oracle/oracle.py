"""The rules once more, in slow plain Python over lists, for the SQL to disagree with.

Written from the rules and not from the SQL: exact fractions, one patient at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor, sqrt
from statistics import median
from typing import Any

from schemas.instrument_types import Instrument, Scale

Row = Mapping[str, Any]
Z = 1.959964


def scores_of(instrument: Instrument, form: Row) -> dict[str, Fraction | None]:
    """Score of every scale; None where too many items are missing."""
    keyed: dict[int, Fraction | None] = {}
    for item in range(1, instrument.item_count + 1):
        answer, reason = form["answers"][item - 1], form["missing"][item - 1]
        if answer is None and reason == "not_applicable" and item in instrument.not_applicable:
            keyed[item] = Fraction(instrument.not_applicable_value or 0)
        elif answer is None:
            keyed[item] = None
        elif item in instrument.reversed and form["input_form"] == "raw":
            keyed[item] = Fraction(instrument.answer_max + instrument.answer_min) - Fraction(answer)
        else:
            keyed[item] = Fraction(answer)
    return {name: _score(instrument, scale, keyed) for name, scale in instrument.scales.items()}


def _score(
    instrument: Instrument, scale: Scale, keyed: Mapping[int, Fraction | None]
) -> Fraction | None:
    parts = [instrument.scales[part] for part in scale.parts] or [scale]
    sums = [_sum(part, keyed) for part in parts]
    if any(total is None for total in sums):
        return None
    total = sum((total for total in sums if total is not None), Fraction(0)) * Fraction(
        scale.factor
    )
    return total / len(scale.items) if scale.method == "mean" else total


def _sum(scale: Scale, keyed: Mapping[int, Fraction | None]) -> Fraction | None:
    answers = [value for item in scale.items if (value := keyed[item]) is not None]
    missing = len(scale.items) - len(answers)
    counted = (
        sum(value is None for value in keyed.values()) if scale.missing_over == "form" else missing
    )
    if not answers or counted > scale.max_missing:
        return None
    mean = sum(answers, Fraction(0)) / len(answers)
    if missing and scale.missing_rule == "impute":
        return sum(answers, Fraction(0)) + missing * floor(mean + Fraction(1, 2))
    return mean * len(scale.items)


@dataclass
class Course:
    """One course with its attended sessions in order."""

    record: Row
    appointments: Sequence[Row]

    @property
    def attended(self) -> list[Row]:
        """Attended sessions by day."""
        seen = [row for row in self.appointments if row["status"] == "attended"]
        return sorted(seen, key=lambda row: (row["session_on"], row["session_id"]))


def gap_of(course: Course) -> Fraction:
    """Days without contact that end this course."""
    days = [row["session_on"] for row in course.attended]
    gaps = [(b - a).days for a, b in zip(days, days[1:], strict=False)]
    return max(Fraction(42), 3 * Fraction(median(gaps))) if gaps else Fraction(42)


def end_of(course: Course, as_of: date, data_through: date) -> tuple[str, date | None, bool]:
    """State, day it ended, and whether any ending of that day would be known."""
    horizon = min(as_of, data_through)
    contacts = sorted(course.appointments, key=lambda row: (row["session_on"], row["session_id"]))
    last = contacts[-1]["session_on"] if contacts else course.record["started_on"]
    recorded = course.record["ended_on"]
    has_record = recorded is not None and recorded <= as_of
    seen = course.attended[-1]["session_on"] if course.attended else None
    has_returned = has_record and seen is not None and seen > recorded
    if has_record and not has_returned:
        ended, state = recorded, course.record["end_reason"] or "ended_unknown"
    elif (horizon - last).days < gap_of(course):
        unknown = (as_of - last).days >= gap_of(course)
        return ("ongoing_unknown_since" if unknown else "ongoing"), None, False
    elif has_returned:
        ended, state = seen, course.record["end_reason"] or "ended_unknown"
    else:
        called_off = bool(contacts) and contacts[-1]["status"] == "cancelled_by_service"
        ended, state = last, "service_ended" if called_off else "dropout"
    if not course.attended:
        state = "not_started"
    return state, ended, (horizon - ended).days >= gap_of(course)


def session_of(form: Row, kind: str, course: Course) -> int | None:
    """Ordinal of the attended session a form belongs to."""
    fits = []
    for number, session in enumerate(course.attended, start=1):
        days = (session["session_on"] - form["answered_on"]).days
        if kind == "alliance":
            days = -days
        if 0 <= days <= 6:
            fits.append((days, -session["session_on"].toordinal(), number))
    return min(fits)[2] if fits else None


def change_of(
    instrument: Instrument, forms: Sequence[tuple[Row, Fraction | None]], course: Course
) -> str:
    """Class of change from first to last valid score."""
    limit = course.attended[-1]["session_on"] + timedelta(days=6)
    valid = sorted(
        (
            (form["answered_at"], form["form_id"], form, score)
            for form, score in forms
            if score is not None
            and (form["answered_on"] <= limit or session_of(form, instrument.kind, course))
        ),
        key=lambda row: row[:2],
    )
    if not valid:
        return "unpaired"
    (first, first_score), (last, last_score) = valid[0][2:], valid[-1][2:]
    second = course.attended[:2][-1]["session_on"]
    number = session_of(first, instrument.kind, course)
    if not (first["answered_on"] <= second or (number or 99) <= 2):
        return "unpaired"
    if first["answered_on"] == last["answered_on"]:
        return "unpaired"
    better = instrument.direction * (last_score - first_score)
    rule = next(
        t for t in instrument.reliable_change if t.is_default and t.scale == instrument.primary
    )
    for sign, word in ((1, "improved"), (-1, "deteriorated")):
        size = sign * better
        if size > rule.value or (rule.op == ">=" and size == rule.value):
            return word
    return "no_reliable_change"


def early_of(ratings: Mapping[int, Fraction]) -> tuple[Fraction | None, Fraction | None]:
    """Mean and slope of the ratings of the first five sessions, by ordinal."""
    points = [(Fraction(number), value) for number, value in ratings.items() if number <= 5]
    n = len(points)
    if n < 2:
        return None, None
    mean_x = sum((x for x, _ in points), Fraction(0)) / n
    mean_y = sum((y for _, y in points), Fraction(0)) / n
    if n < 3:
        return mean_y, None
    spread = sum(((x - mean_x) ** 2 for x, _ in points), Fraction(0))
    return mean_y, sum(((x - mean_x) * (y - mean_y) for x, y in points), Fraction(0)) / spread


def wilson(numerator: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate: the roots of (p - x)^2 = z^2 x (1 - x) / n."""
    p = numerator / n
    a, b, c = 1 + Z * Z / n, -(2 * p + Z * Z / n), p * p
    root = sqrt(max(b * b - 4 * a * c, 0))
    return max((-b - root) / (2 * a), 0.0), min((-b + root) / (2 * a), 1.0)
