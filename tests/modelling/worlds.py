"""Services of invented therapists, as totals of the one measure shape: what is true of each is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np

from flows.sql_files import read_sql_files
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

CHAIN = (
    "spread",
    "deviation",
    "shrunken",
    "funnel_point",
    "overdispersion",
    "funnel",
    "review",
    "icc",
)
SUMS = (
    "n",
    "numerator",
    "sum_x",
    "sum_xx",
    "n_eligible",
    "expected",
    "expected_variance",
    "sum_rr",
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Worlds:
    """Totals of many services, each under an instrument of its own, and the true deviations."""

    totals: Sequence[Row]
    truth: dict[tuple[str, str], float]


def worlds(
    seed: int, n_worlds: int, j: int, n: int, tau: float, kind: str = "rate", odds: float = 0.0
) -> Worlds:
    """So many services of j therapists with about n courses; tau is the true spread between them."""
    chance = np.random.default_rng(seed)
    totals: list[Row] = []
    truth: dict[tuple[str, str], float] = {}
    measure = "reliable_improvement" if kind == "rate" else "outcome_change"
    for number in range(n_worlds):
        each = {"period_id": "window", "measure": measure, "kind": kind,
                "instrument_id": f"w{number:03}"}  # fmt: skip
        own = [
            {**each, "level": "therapist", "clinic_id": "a", "unit_id": f"t{i:03}", **total}
            for i, (total, effect) in enumerate(_therapists(chance, j, n, tau, kind, odds))
            if not truth.update({(each["instrument_id"], f"t{i:03}"): effect})
        ]
        whole = {
            name: None if own[0][name] is None else sum(row[name] for row in own) for name in SUMS
        }
        totals += [*own, {**each, "level": "service", "unit_id": "service", **whole}]
    return Worlds(totals, truth)


def _therapists(
    chance: np.random.Generator, j: int, n: int, tau: float, kind: str, odds: float
) -> list[tuple[Row, float]]:
    found = []
    for _ in range(j):
        size, effect = int(chance.poisson(n - 5)) + 5, float(chance.normal(0, tau))
        mix = chance.normal(0, 0.5, size)
        if kind == "rate":
            expected = 1 / (1 + np.exp(-(odds + mix)))
            y = (chance.random(size) < np.clip(expected + effect, 0.001, 0.999)).astype(float)
            variance = round(float((expected * (1 - expected)).sum()), 12)
        else:
            expected, variance = mix, None
            y = mix + effect + chance.normal(0, 1, size)
        y = np.round(y, 6)
        found.append((
            {
                "n": size, "n_eligible": size, "numerator": int(y.sum()) if kind == "rate" else None,
                "sum_x": round(float(y.sum()), 6), "sum_xx": round(float((y * y).sum()), 6),
                "expected": round(float(expected.sum()), 12), "expected_variance": variance,
                "sum_rr": round(float(((y - expected) ** 2).sum()), 12),
            },
            effect,
        ))  # fmt: skip
    return found


class Chain:
    """The tables from totals to funnels, built by the SQL of the project."""

    def __init__(self) -> None:
        self.con: duckdb.DuckDBPyConnection = warehouse(date(2026, 11, 22))
        build_stages(self.con)
        self._sql = {file.name: file.text for file in read_sql_files()}

    def build(self, totals: Sequence[Row], **settings: float) -> None:
        """Put these totals in place of the service's and build what follows from them."""
        for name, value in settings.items():
            self.con.execute("update ref.setting set value = ? where name = ?", [value, name])
        self.con.execute("delete from measure.total")
        insert(self.con, "measure.total", totals)
        self.con.execute("delete from measure.disclosure")
        self.con.execute(
            "insert into measure.disclosure by name select level, unit_id, period_id, measure,"
            " instrument_id, true as is_shown, true as is_compared from measure.total"
        )
        for table in CHAIN:
            self.con.execute(f"delete from measure.{table}")
            self.con.execute(f"insert into measure.{table} by name {self._sql[f'measure.{table}']}")

    def rows(self, query: str) -> list[Row]:
        """Rows of a query."""
        return rows(self.con, query)
