"""`make bench`: prints ratios to a floor measured in the same run; each case in a process of its own.

`python -m tests.benchmark [CASE [ROWS]]`
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmark.exports import PHQ9, SHAPES, SIDE_BY_SIDE
from tests.benchmark.formats import FORMATS, measure_format
from tests.benchmark.ingest import Times, measure_growth, measure_ingest, peak_megabytes
from tests.benchmark.pages import measure_pages
from tests.benchmark.scoring import measure_scoring, of_outcomes, total
from tests.benchmark.therapists import measure_therapists

CASES = (
    "oq45",
    "oq45_again",
    "side_by_side",
    "history",
    *FORMATS,
    "scoring",
    "therapists",
    "pages",
)
# Records of the long history, and of the night after it; each carries three forms.
HISTORY = 340_000
NIGHT = 1_000
# A tenth of what a nation's talking therapies hold in a year; `scoring 4600000` is the whole of it.
SESSIONS = 460_000
# Invented services of each kind, in which therapists are compared.
SERVICES = 400
# Therapists with a page of their own.
THERAPISTS = 300


def main(words: list[str]) -> None:
    """Measure one case, or all of them."""
    if not words:
        for case in CASES:
            subprocess.run([sys.executable, "-m", "tests.benchmark", case], check=True)
        return
    case, *rows = words
    if case == "therapists":
        measure_therapists(int(rows[0]) if rows else SERVICES)
        return
    if case == "pages":
        print_pages(int(rows[0]) if rows else THERAPISTS)
        return
    if case == "scoring":
        print_scoring(int(rows[0]) if rows else SESSIONS)
        return
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        for times in measure(Path(folder), case, int(rows[0]) if rows else None):
            print_times(times)
    Console().print(f"peak memory of the process: {peak_megabytes():.0f} MB\n")


def measure(folder: Path, case: str, rows: int | None) -> list[Times]:
    """One case on so many rows, or on as many as it is made for."""
    if case in FORMATS:
        return [measure_format(folder, case, replace(PHQ9, rows=rows or PHQ9.rows))]
    if case == "history":
        return measure_growth(folder, replace(SIDE_BY_SIDE, rows=NIGHT), rows or HISTORY)
    shape = SHAPES[case.removesuffix("_again")]
    shape = replace(shape, rows=rows or shape.rows)
    return measure_ingest(folder, shape, again=case.endswith("_again"))


def print_times(times: Times) -> None:
    """One table: seconds, and ratios to the floor."""
    table = Table(title=times.title, title_justify="left")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    table.add_column("ratio to floor", justify="right")
    table.add_row(f"floor: {times.of}", f"{times.floor:.2f}", "1.00")
    for name, seconds in times.parts:
        table.add_row(name, f"{seconds:.2f}", f"{seconds / times.floor:.2f}")
        if name.startswith("read"):
            of_that = f"{times.reader:.2f}", f"{times.reader / times.floor:.2f}"
            table.add_row("of that, the reader of the format", *of_that)
    rows = [("ingest, archive to store", times.total)]
    if times.fixed:
        rows.append(("of that, what a file of ten rows takes", times.fixed))
        rows.append(("the rest, which grows with the rows", times.total - times.fixed))
    for name, seconds in rows:
        table.add_row(name, f"{seconds:.2f}", f"{seconds / times.floor:.2f}")
    Console().print(table)


def print_pages(n_therapists: int) -> None:
    """One table: a full night, a night with few changes as a ratio to it, and the heaviest page."""
    times = measure_pages(n_therapists)
    table = Table(
        title=f"{times.n_pages} pages, {times.n_therapists} therapists", title_justify="left"
    )
    for name in (
        "night",
        "seconds of one core",
        "pages a second",
        "drawings made",
        "ratio to full",
    ):
        table.add_column(name, justify="left" if name == "night" else "right")
    for name, seconds, drawn in (
        ("everything drawn", times.full, times.n_drawn),
        ("one therapist in a hundred changed", times.changed, times.n_drawn_again),
    ):
        speed = f"{times.n_pages / seconds:.0f}"
        table.add_row(name, f"{seconds:.2f}", speed, str(drawn), f"{seconds / times.full:.2f}")
    Console().print(table)
    Console().print(f"heaviest page: {times.heaviest / 1000:.0f} KB of 300\n")


def print_scoring(sessions: int) -> None:
    """One table: what every table of scores costs, dearest first, as ratios to the floor."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        scoring = measure_scoring(Path(folder), sessions)
    whole = total(scoring.tables)
    table = Table(title=scoring.title, title_justify="left")
    for name in ("table", "seconds", "ratio to floor", "share", "seconds of both cores"):
        table.add_column(name, justify="left" if name == "table" else "right")
    came, nothing = (f"{computed} touched" for computed, _ in scoring.nights)
    steps = [
        ("floor: read_csv into a persistent file", scoring.floor),
        *sorted(scoring.tables, key=lambda row: -row[1].seconds),
        ("all scores of these sessions", whole),
        ("of that, writing: the same tables copied as they are", total(scoring.copied)),
        ("score, change and outcome, with what they are made of", of_outcomes(scoring.tables)),
        ("of that, writing: the same tables copied as they are", of_outcomes(scoring.copied)),
        (f"the night after: {came}", scoring.nights[0][1]),
        (f"a night on which nothing came: {nothing}", scoring.nights[1][1]),
    ]
    for number, (name, cost) in enumerate(steps):
        share = f"{cost.seconds / whole.seconds:.1%}" if number else ""
        ratio = f"{cost.seconds / scoring.floor.seconds:.2f}"
        table.add_row(name, f"{cost.seconds:.2f}", ratio, share, f"{cost.of_cores:.2f}")
    Console().print(table)
    Console().print(f"peak memory of the process: {peak_megabytes():.0f} MB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
