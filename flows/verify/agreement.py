"""How far the night's figures and their second computations agree: counts by topic, and where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb

from flows.night import internal_fault
from flows.verify import alerts, caseload, outcome_set, sessions, units
from flows.verify.facts import Facts, draw_sample, read_facts, read_rules
from flows.verify.patients import STATED, tell

# Scores are stated with six decimals, intervals with nine; sums of values stated with six.
NEAR = Fraction(2, 10**5)
Figures = Mapping[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Bounds:
    """How much is computed a second time: everything where it is small, else a sample."""

    patients: int
    courses: int
    estimates: int


# In the night the check may cost seconds; an auditor can wait.
NIGHTLY = Bounds(100, 20_000, 2_000)
THOROUGH = Bounds(2_000, 200_000, 50_000)


@dataclass(frozen=True)
class Agreement:
    """One topic: figures compared, those that agree, and the units of those that do not."""

    topic: str
    table: str
    n_checked: int
    n_agree: int
    is_whole: bool
    wrong: tuple[str, ...] = ()
    why_not: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the topic was compared and every figure agrees."""
        return self.why_not is None and self.n_agree == self.n_checked

    def line(self) -> str:
        """The topic in a sentence."""
        if self.why_not is not None:
            return f"{self.topic} ({self.table}): NOT CHECKED, {self.why_not}"
        return f"{self.topic} ({self.table}): {agree(self.n_agree, self.n_checked)}"


def agree(n_agree: int, n_checked: int) -> str:
    """How many figures agree, in words."""
    return f"{n_agree} of {n_checked} figures agree"


@dataclass(frozen=True)
class Verified:
    """Every topic, and what was drawn."""

    topics: list[Agreement]
    n_patients: int
    n_patients_all: int
    seed: int

    @property
    def is_good(self) -> bool:
        """Whether everything was compared and agrees."""
        return all(topic.is_good for topic in self.topics)


def verify(con: duckdb.DuckDBPyConnection, bounds: Bounds, seed: int) -> Verified:
    """Compute the figures of a night a second time and compare; what fails to run is said so."""
    sample = draw_sample(con, bounds.patients, seed)
    checked: list[Agreement] = []
    try:
        facts = read_facts(con, sample)
        told = tell(facts)
    except duckdb.Error:
        raise
    except Exception as error:  # noqa: BLE001 - no verdict is told as such, and stops no night
        reason = internal_fault(error)
        checked += [_unchecked(topic, STATED[topic][0], reason) for topic in STATED]
    else:
        checked += _patients(con, facts, told)
    checked += _units(con, bounds, seed)
    return Verified(checked, len(sample.patients), sample.n_patients, seed)


def _patients(
    con: duckdb.DuckDBPyConnection, facts: Facts, told: Mapping[str, Figures]
) -> Iterator[Agreement]:
    for topic, (table, n_keys, query) in STATED.items():
        found = con.execute(query)
        columns = [column[0] for column in found.description or ()][n_keys:]
        stated = {row[:n_keys]: row[n_keys:] for row in found.fetchall()}
        yield compared(topic, table, columns, stated, told[topic], is_whole=facts.sample.is_whole)


def _units(con: duckdb.DuckDBPyConnection, bounds: Bounds, seed: int) -> Iterator[Agreement]:
    rules = read_rules(con)
    is_whole = units.drawn_units(con, bounds.courses, seed)
    (n,) = con.execute("select count(*) from measure.estimate").fetchone() or (0,)
    counts = ["numerator", "n", "n_eligible", "numerator_low", "numerator_high"]
    topics: list[tuple[str, str, list[str], bool, Callable[[], tuple[Figures, Figures]]]] = [
        (
            "rates of units", "measure.total", counts, is_whole,
            lambda: (
                units.stated_rates(con, is_whole=is_whole),
                units.told_rates(con, rules, is_whole=is_whole),
            ),
        ),
        (
            "means of units", "measure.total", ["n", "n_eligible", "sum_x", "sum_xx"], is_whole,
            lambda: (
                units.stated_means(con, is_whole=is_whole),
                units.told_means(con, rules, is_whole=is_whole),
            ),
        ),
        (
            "sessions, ruptures and changes of units", "measure.total", sessions.COUNTS, is_whole,
            lambda: (
                sessions.stated_sessions(con, is_whole=is_whole),
                sessions.told_sessions(con, is_whole=is_whole),
            ),
        ),
        (
            "NHS Talking Therapies rates", "measure.total", outcome_set.COUNTS, is_whole,
            lambda: (
                outcome_set.stated_outcomes(con) if is_whole else {},
                outcome_set.told_outcomes(con, rules) if is_whole else {},
            ),
        ),
        (
            "courses begun, ended and open", "measure.total", caseload.COUNTS, is_whole,
            lambda: (
                caseload.stated_caseload(con) if is_whole else {},
                caseload.told_caseload(con) if is_whole else {},
            ),
        ),
        (
            "what became of alerts", "measure.total", alerts.COUNTS, is_whole,
            lambda: (
                alerts.stated_alerts(con) if is_whole else {},
                alerts.told_alerts(con, rules) if is_whole else {},
            ),
        ),
        (
            "values and intervals", "measure.estimate", ["value", "low", "high"],
            n <= bounds.estimates,
            lambda: (
                units.stated_intervals(con, bounds.estimates, seed),
                units.told_intervals(con, rules, bounds.estimates, seed),
            ),
        ),
    ]  # fmt: skip
    for topic, table, columns, all_of_it, both in topics:
        try:
            stated, told = both()
        except duckdb.Error:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            yield _unchecked(topic, table, internal_fault(error))
        else:
            yield compared(topic, table, columns, stated, told, is_whole=all_of_it)


def _unchecked(topic: str, table: str, reason: str) -> Agreement:
    return Agreement(topic, table, 0, 0, is_whole=False, why_not=reason)


def compared(
    topic: str, table: str, columns: list[str], stated: Figures, told: Figures, *, is_whole: bool
) -> Agreement:
    """Hold what the SQL states against what was computed again; a row on one side only is wrong."""
    wrong = []
    keys = sorted({*stated, *told}, key=lambda key: tuple(map(str, key)))
    for key in keys:
        unit = " ".join(str(part) for part in key if part is not None)
        if key not in stated:
            wrong.append(f"{unit}: no row")
        elif key not in told:
            wrong.append(f"{unit}: a row too many")
        else:
            pairs = zip(columns, stated[key], told[key], strict=True)
            off = [name for name, a, b in pairs if not _same(a, b)]
            wrong += [f"{unit}: {', '.join(off)}"] if off else []
    n = len(keys)
    return Agreement(topic, table, n, n - len(wrong), is_whole, tuple(wrong))


def _same(stated: Any, told: Any) -> bool:
    if stated is None or told is None or isinstance(stated, bool | str):
        return stated == told
    if hasattr(stated, "isoformat"):
        return stated == told
    difference = abs(Fraction(stated) - Fraction(told))
    return difference <= NEAR * max(1, abs(Fraction(told)) / 1000)
