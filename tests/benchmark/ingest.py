"""Ingest of wide rows, from inbox to stored forms, against a bare read of the same file."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from flows.init import make_workspace
from flows.land import archive, list_inbox
from flows.settings import InboxSettings
from flows.synthetic.exports import write_oq45_rows
from flows.validate import ClinicNight, Pending, clinic_rules, merge_clinic, read_clinic
from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from schemas.instrument import SHIPPED, load_instruments

MAPPING = Path(__file__).parents[2] / "flows" / "synthetic" / "mappings" / "oq45_benchmark.toml"
AS_OF = date(2040, 1, 1)


def measure_ingest(folder: Path, n_rows: int) -> list[tuple[str, float]]:
    """Seconds for the floor and for each part of ingest of n_rows OQ-45 forms.

    Args:
        folder: an empty folder with room for a few hundred bytes a row.
        n_rows: rows of the file.
    """
    workspace = Workspace(folder / "service")
    make_workspace(workspace, "benchmark")
    clinic_id = "bench"
    text = MAPPING.read_text(encoding="utf-8")
    clinic_id = next(line for line in text.splitlines() if line.startswith("id")).split('"')[1]
    (workspace.clinics / f"{clinic_id}.toml").write_text(text, encoding="utf-8")
    inbox = workspace.inbox / clinic_id
    inbox.mkdir()
    export = write_oq45_rows(inbox / "oq45_rows.csv", n_rows, seed=1)
    times = [("floor: read_csv into a persistent file", timed(lambda: _floor(folder, export)))]
    instruments = load_instruments([SHIPPED])
    rules, rules_hash = clinic_rules(workspace, clinic_id, instruments, AS_OF)
    night = ClinicNight(clinic_id, rules, rules_hash)
    pending: list[Pending] = []

    def land() -> None:
        for dropped in list_inbox(workspace, clinic_id, InboxSettings(settle_seconds=0)):
            landed = archive(workspace, dropped)
            assert landed is not None
            pending.append(Pending(landed.name, landed.sha256, landed.size, "new"))

    times.append(("archive", timed(land)))
    times.append(
        ("read, map, judge", timed(lambda: read_clinic(workspace, night, pending, workspace.key())))
    )
    scratch = workspace.scratch / f"{clinic_id}.duckdb"

    def merge() -> None:
        with open_warehouse(workspace, AS_OF) as con:
            merge_clinic(con, night, scratch, AS_OF, 1)
            con.execute("checkpoint")
            stored = con.execute("select count(*) from valid.form").fetchone()
        assert stored == (n_rows,), stored

    times.append(("merge", timed(merge)))
    return times


def _floor(folder: Path, export: Path) -> None:
    con = duckdb.connect(str(folder / "floor.duckdb"))
    con.execute("set threads = 2")
    con.execute(f"create table floor as select * from read_csv('{export}', all_varchar = true)")
    con.execute("checkpoint")
    con.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_megabytes() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
