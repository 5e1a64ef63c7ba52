"""What is printed of months, quarters, clinics and the service never determines a number that is too small."""

from datetime import date
from fractions import Fraction
from itertools import product
from random import Random

from flows.sql_files import build
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

CLINICS, MONTHS = ("a", "b", "c"), ("m1", "m2", "m3")
CELLS = list(product(CLINICS, MONTHS))


def _is_determined(printed: list[list[int]], cell: list[int]) -> bool:
    """Whether a cell is a combination of what is printed: Gauss over fractions."""
    basis: list[list[Fraction]] = []
    for row in [*printed, cell]:
        left = [Fraction(x) for x in row]
        for known in basis:
            at = next(i for i, x in enumerate(known) if x)
            left = [x - left[at] / known[at] * y for x, y in zip(left, known, strict=True)]
        if not any(left):
            if row is cell:
                return True
            continue
        basis.append(left)
    return False


def test_no_small_number_can_be_worked_out() -> None:
    con = warehouse(date(2026, 11, 22))
    build_stages(con, ("finding", "score", "model", "measure"))
    con.execute("delete from ref.period; delete from ref.definition; delete from measure.unit")
    insert(con, "ref.period", [
        {"period_id": "q", "period_kind": "quarter", "block_id": "fy"},
        {"period_id": "fy", "period_kind": "financial_year"},
        *({"period_id": m, "period_kind": "month", "block_id": "q"} for m in MONTHS),
    ])  # fmt: skip
    insert(con, "measure.unit", [
        {"level": "therapist", "unit_id": f"t{i}{c}", "clinic_id": c, "n_courses_year": 5}
        for i, c in product(range(8), CLINICS)
    ])  # fmt: skip
    draw, tables = Random(1), {}
    for number in range(150):
        usual = draw.choice((2, 6, 12))
        tables[f"x{number}"] = {
            cell: draw.choice((0, usual, usual, draw.randint(1, 15))) for cell in CELLS
        }
    totals = []
    for measure, counts in tables.items():
        for period in (*MONTHS, "q", "fy"):
            months = MONTHS if period in ("q", "fy") else (period,)
            by = {c: sum(counts[c, m] for m in months) for c in CLINICS}
            listed = [("service", "service", None, sum(by.values()))]
            listed += [("clinic", c, c, n) for c, n in by.items()]
            totals += [
                {"level": level, "unit_id": unit, "clinic_id": clinic, "period_id": period, "kind": "count",
                 "measure": measure, "n": n, "n_eligible": n}
                for level, unit, clinic, n in listed
            ]  # fmt: skip
    insert(con, "ref.definition", [
        {"measure": m, "minimum": 5, "section": "endings", "levels": ["service", "clinic"]} for m in tables
    ])  # fmt: skip
    for table in ("total", "estimate"):
        con.execute(f"delete from measure.{table}")
        insert(con, f"measure.{table}", totals)
    build(con, "measure", only=["measure.disclosure", "measure.nested_period", "measure.published"])
    printed = rows(
        con,
        "select measure, level, unit_id, period_id from measure.published where n is not null or withheld = 'nothing'",
    )
    shown: dict[str, list[list[int]]] = {measure: [] for measure in tables}
    for row in printed:
        months = MONTHS if row["period_id"] in ("q", "fy") else (row["period_id"],)
        clinics = CLINICS if row["level"] == "service" else (row["unit_id"],)
        shown[row["measure"]].append([int(c in clinics and m in months) for c, m in CELLS])
    n_months = 0
    for measure, counts in tables.items():
        for cell, n in counts.items():
            if 0 < n < 5:
                only = [int(cell == other) for other in CELLS]
                assert not _is_determined(shown[measure], only), (measure, cell, counts)
        n_months += sum(sum(row) == 1 for row in shown[measure])
    assert n_months > 100
