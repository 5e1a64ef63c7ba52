"""The long version of the invented services: shares of false flags, cover of intervals, spread found,
and shares of the variance of the alliance where clinics are of unequal size.

`python -m tests.benchmark therapists [SERVICES]`
"""

from statistics import fmean, stdev

from rich.console import Console
from rich.table import Table

from tests.modelling.unequal import covered
from tests.modelling.worlds import Chain, Worlds, worlds

# Kind, therapists, courses each, true standard deviation between therapists.
CASES = (
    ("rate", 60, 40, 0.0),
    ("mean", 60, 40, 0.0),
    ("rate", 60, 40, 0.05),
    ("mean", 60, 40, 0.1),
    ("rate", 60, 40, 0.11),
    ("mean", 60, 40, 0.23),
    ("rate", 35, 40, 0.11),
    ("rate", 20, 40, 0.11),
    ("rate", 12, 25, 0.11),
)

# Clinics, and the true standard deviations between them, their therapists and their patients.
SHARES = (
    (12, (0.0, 0.25, 1.0)),
    (12, (0.4, 0.25, 1.0)),
    (40, (0.4, 0.25, 1.0)),
)


def measure_therapists(n_services: int = 400) -> None:
    """Print one line for each kind of service."""
    table = Table(title=f"{n_services} invented services of each kind", title_justify="left")
    for name in ("service", "95 % flags", "99.8 % flags", "as published", "interval covers",
                 "true variance", "found (SE)"):  # fmt: skip
        table.add_column(name, justify="right")
    chain = Chain()
    for number, (kind, j, n, tau) in enumerate(CASES):
        world = worlds(100 + number, n_services, j, n, tau, kind)
        chain.build(world.totals, icc_min_therapists=1000)
        found = [
            float(r["v"]) for r in chain.rows("select variance_between as v from measure.spread")
        ]
        error = stdev(found) / len(found) ** 0.5
        table.add_row(
            f"{j} therapists, {n} courses, {kind}", _share(chain, "corrected", "zone <> 'within'"),
            _share(chain, "corrected", "zone like '%99.8'"),
            _share(chain, "published", "zone like '%99.8'"),
            f"{100 * _cover(chain, world):.1f} %", f"{tau**2:.4f}", f"{fmean(found):.4f} ({error:.4f})",
        )  # fmt: skip
    Console(width=140).print(table)
    measure_shares(n_services)


def measure_shares(n_services: int) -> None:
    """Print one line for each level of each kind of service."""
    table = Table(title=f"shares of variance in {n_services} services", title_justify="left")
    for name in ("service", "between", "true", "found (SE)", "interval covers"):
        table.add_column(name, justify="right")
    for n_clinics, sds in SHARES:
        found = covered(range(n_services), n_clinics, sds)
        for place, level in enumerate(("clinics", "therapists", "patients", "sessions")):
            table.add_row(
                f"{n_clinics} clinics", level, f"{found.truth[place]:.4f}",
                f"{found.mean[place]:.4f} ({found.error[place]:.4f})",
                f"{100 * found.cover[place]:.1f} %",
            )  # fmt: skip
    Console(width=140).print(table)


def _share(chain: Chain, method: str, zones: str) -> str:
    (row,) = chain.rows(
        f"select count(*) filter (where {zones}) as n, count(*) as of_all from measure.funnel"
        f" where method = '{method}'"
    )
    return f"{100 * row['n'] / row['of_all']:.2f} %" if row["of_all"] else "no funnel"


def _cover(chain: Chain, world: Worlds) -> float:
    return fmean(
        abs(float(row["difference"]) - world.truth[row["instrument_id"], row["unit_id"]])
        <= 1.959964 * float(row["difference_sd"])
        for row in chain.rows("select * from measure.shrunken")
    )
