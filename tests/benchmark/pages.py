"""Pages of therapists: how many a second, what the heaviest weighs, and what a night costs that changes one in a hundred.

`python -m tests.benchmark pages [THERAPISTS]`
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reports.drawings import keeping
from reports.render import render
from tests.reports.fixture_tables import make_tables

ONE_IN = 100
Tables = dict[str, list[dict[str, Any]]]
# What a therapist's page is made of.
OWN = ("therapist", "figure", "comparison", "running_sum")


@dataclass(frozen=True)
class PageTimes:
    """Seconds of one core and drawings of a full night, of one that changed little, and the heaviest page."""

    n_therapists: int
    n_pages: int
    full: float
    n_drawn: int
    changed: float
    n_drawn_again: int
    heaviest: int


def measure_pages(n_therapists: int) -> PageTimes:
    """Renders the pages of a service with so many therapists twice, the second time with few changes."""
    tables = service_of(n_therapists)
    first_pages: dict[str, str] = {}
    with keeping({}) as first:
        full = timed(lambda: first_pages.update(render("managers", tables)))
    with_page = [row["therapist_id"] for row in tables["therapist"] if row["has_page"]]
    changed_ids = set(with_page[::ONE_IN])
    for row in tables["figure"]:
        if row["unit_id"] in changed_ids and row["value"] is not None:
            row["value"] += Decimal("0.001")
    with keeping(first.used) as second:
        changed = timed(lambda: list(render("managers", tables)))
    weights = [len(text.encode()) for text in first_pages.values()]
    return PageTimes(
        n_therapists, len(weights), full, first.n_made, changed, second.n_made, max(weights)
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time that a piece of work takes: other work on the machine does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def service_of(n_therapists: int) -> Tables:
    """The made-up service of the tests, its therapists copied until there are as many, none like another."""
    tables: Tables = make_tables()
    model = [row for row in tables["therapist"] if row["has_page"]]
    own: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in OWN:
        for row in tables[name]:
            unit = row.get("therapist_id") or row["unit_id"]
            own.setdefault(unit, {}).setdefault(name, []).append(row)
    chance = random.Random(1)
    for number in range(n_therapists - len(model)):
        unit = f"{number:032x}"
        for name, rows in own[model[number % len(model)]["therapist_id"]].items():
            tables[name] += [_copied(row, unit, chance) for row in rows]
    return tables


def _copied(row: dict[str, Any], unit: str, chance: random.Random) -> dict[str, Any]:
    copy = dict(row)
    for name, cell in row.items():
        if name in {"therapist_id", "unit_id"}:
            copy[name] = unit
        elif name == "page":
            copy[name] = f"therapist-{unit}"
        elif name in {"value", "low", "high", "shrunken"} and isinstance(cell, Decimal):
            copy[name] = cell + Decimal(chance.randrange(1000)) / 100_000
    return copy
