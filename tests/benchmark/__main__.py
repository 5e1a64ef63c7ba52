"""`make bench`: prints ratios to a floor measured in the same run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmark.ingest import measure_ingest, peak_megabytes


def main(n_rows: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        times = measure_ingest(Path(folder), n_rows)
    floor = times[0][1]
    table = Table(title=f"Ingest of {n_rows:,} OQ-45 rows, two threads")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    table.add_column("ratio to floor", justify="right")
    for name, seconds in times:
        table.add_row(name, f"{seconds:.2f}", f"{seconds / floor:.2f}")
    total = sum(seconds for _, seconds in times[1:])
    table.add_row("ingest, archive to store", f"{total:.2f}", f"{total / floor:.2f}")
    console = Console()
    console.print(table)
    console.print(f"peak memory of the process: {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
