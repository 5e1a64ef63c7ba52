"""Expected course of treatment and not-on-track once more: slow, one course at a time, from the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

TENTHS = 10
# Tenths and sessions taken together at each step of the ladder.
LADDER = ((1, 1), (2, 1), (5, 1), (5, 2), (5, 5))


@dataclass(frozen=True)
class Rules:
    """The numbers that the rule stands on; see schemas/defaults.toml."""

    from_months: int = 36
    to_months: int = 6
    test_months: int = 12
    courses_needed: int = 500
    cell_needed: int = 100
    sessions: int = 20
    inner: Fraction = Fraction(3, 4)
    outer: Fraction = Fraction(9, 10)
    baseline_session: int = 2


@dataclass(frozen=True)
class Scored:
    """One valid score of a course; `session_no` is None for a form outside every session."""

    form_id: str
    answered: tuple[date, str]  # day, and what orders forms within a day
    session_no: int | None
    value: Fraction


@dataclass
class Course:
    """One course on one questionnaire.

    Attributes:
        sessions: days of the attended sessions, in order.
        forms: every valid score placed in the course.
        by_session: the score that stands for each session with one.
        is_closed: whether the course has ended.
    """

    sessions: Sequence[date]
    forms: Sequence[Scored]
    by_session: dict[int, Scored]
    is_closed: bool = True

    def intake(self, rules: Rules) -> Scored | None:
        """The first score by the second session; earlier sessions before later ones."""
        early = self.sessions[: rules.baseline_session]
        found = []
        for form in self.forms:
            known = form.session_no
            if known is None and early and form.answered[0] <= early[0]:
                known = 1
            elif known is None and early and form.answered[0] <= early[-1]:
                known = rules.baseline_session
            if known is not None and known <= rules.baseline_session:
                found.append((known, form.answered, form.form_id, form))
        return min(found, key=lambda entry: entry[:3])[3] if found else None

    def later(self, rules: Rules) -> dict[int, Fraction]:
        """The scores of its sessions but for the one it started from."""
        start = self.intake(rules)
        return {
            number: form.value
            for number, form in self.by_session.items()
            if start is not None and form.form_id != start.form_id
        }


def months_before(day: date, months: int) -> date:
    """The first of a month, so many months earlier."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def reference_window(as_of: date, rules: Rules) -> tuple[date, date, date]:
    """First day, first day of the held-out part, and the day after the last, of reference starts."""
    quarter = date(as_of.year, (as_of.month - 1) // 3 * 3 + 1, 1)
    return (
        months_before(quarter, rules.from_months),
        months_before(quarter, rules.to_months + rules.test_months),
        months_before(quarter, rules.to_months),
    )


def reference(
    courses: Iterable[Course], as_of: date, rules: Rules, *, without_held_out: bool
) -> list[Course]:
    """The courses that the bands are made of."""
    first, held_out, end = reference_window(as_of, rules)
    last = held_out if without_held_out else end
    return [
        course
        for course in courses
        if course.is_closed and course.sessions and first <= course.sessions[0] < last
        if course.later(rules)
    ]


def percentile(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return next(x for n, x in enumerate(ordered, start=1) if n >= share * len(ordered))


@dataclass
class Bands:
    """The expected course of one questionnaire.

    Attributes:
        edges: upper ends of the first nine tenths of the intake scores.
        cells: by tenth and session: ladder step, courses, percentiles of score, and of change.
    """

    edges: list[Fraction]
    highest: Fraction
    cells: dict[tuple[int, int], tuple[int, int, list[Fraction], list[Fraction]]] = field(
        default_factory=dict
    )

    def band_of(self, intake: Fraction) -> int:
        """The tenth that an intake score lies in; beyond the highest is as the highest."""
        value = min(intake, self.highest)
        return 1 + sum(value > edge for edge in self.edges)


@dataclass(frozen=True)
class KeptBands:
    """Bands as they were kept for the quarter: the limits of their tenths, and their cells."""

    limits: Mapping[int, tuple[Fraction | None, Fraction | None]]
    cells: Mapping[tuple[int, int], tuple[int, int, list[Fraction], list[Fraction]]]

    def band_of(self, intake: Fraction) -> int | None:
        """The tenth that an intake score lies in; None where it has no cell."""
        for band, (above, to) in self.limits.items():
            if (above is None or intake > above) and (to is None or intake <= to):
                return band
        return None


def make_bands(
    courses: Sequence[Course],
    n_closed: int,
    rules: Rules,
    wanted: Collection[tuple[int, int]] | None = None,
) -> Bands | None:
    """The bands of these reference courses; None where all of them together are too few.

    Args:
        courses: what the bands are made of: all reference courses, or those not held out.
        n_closed: how many reference courses there are, held out or not.
        rules: the numbers.
        wanted: tenths and sessions to make cells for; None all.
    """
    if n_closed < rules.courses_needed or not courses:
        return None
    starts = [start.value for course in courses if (start := course.intake(rules))]
    bands = Bands([percentile(starts, Fraction(k, TENTHS)) for k in range(1, TENTHS)], max(starts))
    banded = [
        (bands.band_of(start.value), start.value, course.later(rules))
        for course in courses
        if (start := course.intake(rules))
    ]
    present = sorted({band for band, _, _ in banded})
    grid = [(band, session) for band in present for session in range(1, rules.sessions + 2)]
    for band, session in grid if wanted is None else sorted({*grid} & {*wanted}):
        for step, (tenths, width) in enumerate(LADDER, start=1):
            cell = _cell(banded, band, session, tenths, width, rules)
            if cell is not None:
                bands.cells[band, session] = (step, *cell)
                break
    return bands


def _cell(
    banded: Sequence[tuple[int, Fraction, dict[int, Fraction]]],
    band: int,
    session: int,
    tenths: int,
    width: int,
    rules: Rules,
) -> tuple[int, list[Fraction], list[Fraction]] | None:
    """Courses and percentiles of one merged cell; None where its courses are too few."""
    scores, changes, n_courses = [], [], 0
    for other, start, later in banded:
        if (other - 1) // tenths != (band - 1) // tenths:
            continue
        inside = [
            value
            for number, value in later.items()
            if _block(number, width, rules) == _block(session, width, rules)
        ]
        n_courses += bool(inside)
        scores += inside
        changes += [value - start for value in inside]
    if n_courses < rules.cell_needed:
        return None
    shares = (1 - rules.outer, 1 - rules.inner, Fraction(1, 2), rules.inner, rules.outer)
    return (
        n_courses,
        [percentile(scores, share) for share in shares],
        [percentile(changes, share) for share in shares],
    )


def _block(session: int, width: int, rules: Rules) -> int:
    """The group of sessions taken together; all beyond the last one told apart are their own."""
    return -1 if session > rules.sessions else (session - 1) // width


def colour_of(
    course: Course,
    session: int,
    bands: Bands | KeptBands | None,
    rules: Rules,
    direction: int,
    change: tuple[str, Fraction] | None,
    cutoff: tuple[str, Fraction] | None,
) -> str | None:
    """Colour of a session with a score: red, amber, on_track, white; None where nothing is known.

    `change` and `cutoff` are operator and value of the questionnaire's reliable change and cut-off.
    """
    form, start = course.by_session[session], course.intake(rules)
    if start is None or form.form_id == start.form_id or change is None:
        return None
    better = direction * (form.value - start.value)
    if holds(-better, *change):
        return "red"
    if cutoff is not None and not holds(form.value, *cutoff):
        return "white"
    cell = bands and _cell_for(bands, start.value, min(session, rules.sessions + 1))
    if not cell:
        return "on_track"
    outer_low, inner_low, _, inner_high, outer_high = cell[2]
    beyond_outer = form.value < outer_low if direction == 1 else form.value > outer_high
    beyond_inner = form.value < inner_low if direction == 1 else form.value > inner_high
    if beyond_outer and not holds(better, *change):
        return "red"
    return "amber" if beyond_inner else "on_track"


def _cell_for(
    bands: Bands | KeptBands, intake: Fraction, session: int
) -> tuple[int, int, list[Fraction], list[Fraction]] | None:
    band = bands.band_of(intake)
    return None if band is None else bands.cells.get((band, session))


def holds(value: Fraction, op: str, limit: Fraction) -> bool:
    """Whether a value reaches a published limit by its operator."""
    return {
        ">=": value >= limit, ">": value > limit, "<=": value <= limit, "<": value < limit
    }[op]  # fmt: skip
