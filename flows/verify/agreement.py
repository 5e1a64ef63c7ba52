"""How far the night's figures and their second computations agree: counts by topic, and where not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb

from flows.night import internal_fault
from flows.verify.facts import Facts, Figures, draw_sample, read_facts
from flows.verify.patients import STATED, tell
from flows.verify.topics import Bounds, Topic, topics

# Scores are stated with six decimals, intervals with nine; sums of values stated with six.
NEAR = Fraction(2, 10**5)


# In the night the check may cost seconds; an auditor can wait.
NIGHTLY = Bounds(100, 20_000, 2_000, 20)
THOROUGH = Bounds(2_000, 200_000, 50_000, 1_000)


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
    except Exception as error:  # noqa: BLE001 - no verdict is told as such, and stops no night
        reason = _reason(error)
        checked += [_unchecked(topic, STATED[topic][0], reason) for topic in STATED]
    else:
        checked += _patients(con, facts, told)
    checked += _others(topics(con, sample, bounds, seed))
    return Verified(checked, len(sample.patients), sample.n_patients, seed)


def _patients(
    con: duckdb.DuckDBPyConnection, facts: Facts, told: Mapping[str, Figures]
) -> Iterator[Agreement]:
    for topic, (table, n_keys, query) in STATED.items():
        try:
            found = con.execute(query)
        except duckdb.CatalogException as error:
            yield _unchecked(topic, table, _reason(error))
            continue
        columns = [column[0] for column in found.description or ()][n_keys:]
        stated = {row[:n_keys]: row[n_keys:] for row in found.fetchall()}
        yield compared(topic, table, columns, stated, told[topic], is_whole=facts.sample.is_whole)


def _others(listed: Iterable[Topic]) -> Iterator[Agreement]:
    for topic in listed:
        try:
            stated, told = topic.both()
        except Exception as error:  # noqa: BLE001 - as above
            yield _unchecked(topic.name, topic.table, _reason(error))
        else:
            yield compared(
                topic.name, topic.table, topic.columns, stated, told, is_whole=topic.is_whole
            )


def _reason(error: Exception) -> str:
    """Why there is no verdict; other faults of the engine are no matter of the second computation."""
    if isinstance(error, duckdb.CatalogException):
        return "the night has no such table, or another one that this is computed from"
    if isinstance(error, duckdb.Error):
        raise error
    return internal_fault(error)


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
