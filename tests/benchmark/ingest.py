"""Ingest of wide rows, from inbox to stored forms, against a bare read of the same file."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from flows.init import make_workspace
from flows.land import archive, list_inbox
from flows.reading import file
from flows.reading.export import Export, Prepared
from flows.settings import InboxSettings
from flows.validate import ClinicNight, Pending, clinic_rules, merge_clinic, read_clinic
from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from schemas.instrument import SHIPPED, load_instruments
from tests.benchmark.exports import Shape

CLINIC = "benchmark"
NIGHTS = (date(2040, 1, 1), date(2040, 1, 2))
CHANGED_SHARE = 0.01


@dataclass
class Times:
    """Seconds of the floor, what the floor is, and seconds of each part of ingest of the same file.

    `reader` is what the reader of the format takes of it, before anything is mapped or judged; `fixed`
    what every file takes, however few its rows.
    """

    title: str
    floor: float
    parts: list[tuple[str, float]] = field(default_factory=list)
    of: str = "read_csv into a persistent file"
    reader: float = 0.0
    fixed: float = 0.0

    @property
    def total(self) -> float:
        """Seconds from archive to store."""
        return sum(seconds for _, seconds in self.parts)


def measure_ingest(folder: Path, shape: Shape, *, again: bool) -> list[Times]:
    """Time a file's first ingest and, where wanted, that of its next export as a snapshot.

    Args:
        folder: an empty folder with room for a few hundred bytes a row.
        shape: of the file.
        again: the file restates everything, and comes once more with 1 % of its rows changed.
    """
    workspace = make_service(folder / "service", shape.mapping("snapshot" if again else "append"))
    inbox = workspace.inbox / CLINIC
    name = f"{shape.rows:,} rows: {shape.name}"
    export = shape.write(inbox / "rows_1.csv", seed=1)
    times = [Times(name, timed(lambda: _floor(folder, export)))]
    ingest(workspace, NIGHTS[0], times[0])
    expect(workspace, NIGHTS[0], shape.rows * len(shape.forms), 0)
    if again:
        export.unlink(missing_ok=True)
        export = shape.write_again(inbox / "rows_2.csv", seed=1, share=CHANGED_SHARE)
        times.append(Times(f"{name}, exported again", timed(lambda: _floor(folder, export))))
        ingest(workspace, NIGHTS[1], times[1])
        changed = -(-shape.rows // round(1 / CHANGED_SHARE))
        expect(workspace, NIGHTS[1], shape.rows * len(shape.forms), changed)
    return times


def measure_growth(folder: Path, shape: Shape, history: int) -> list[Times]:
    """Time a night's small file in an empty warehouse, and in one with a long history.

    Args:
        folder: an empty folder.
        shape: of the small file.
        history: rows that the long history holds before it.
    """
    found = []
    for before in (0, history):
        workspace = make_service(folder / f"service_{before}", shape.mapping())
        if before:
            replace(shape, rows=before).write(workspace.inbox / CLINIC / "rows_1.csv", seed=1)
            ingest(workspace, NIGHTS[0], Times("history", 0))
            (workspace.inbox / CLINIC / "rows_1.csv").unlink()
        export = workspace.inbox / CLINIC / "rows_2.csv"
        replace(shape, first=before).write(export, seed=2)
        n_forms = before * len(shape.forms)
        title = f"{shape.rows:,} rows: {shape.name}, after {n_forms:,} forms"
        found.append(Times(title, timed(lambda export=export: _floor(folder, export))))
        ingest(workspace, NIGHTS[1], found[-1])
        expect(workspace, NIGHTS[1], n_forms + shape.rows * len(shape.forms), 0)
    return found


def make_service(root: Path, mapping: str) -> Workspace:
    """A workspace with one clinic of that mapping."""
    workspace = Workspace(root)
    make_workspace(workspace, "benchmark")
    (workspace.clinics / f"{CLINIC}.toml").write_text(mapping, encoding="utf-8")
    (workspace.inbox / CLINIC).mkdir()
    return workspace


def ingest(workspace: Workspace, night: date, times: Times) -> None:
    """Time archive, reading and merging of what lies in the inbox."""
    rules, rules_hash = clinic_rules(workspace, CLINIC, load_instruments([SHIPPED]), night)
    clinic = ClinicNight(CLINIC, rules, rules_hash)
    pending: list[Pending] = []

    def land() -> None:
        for dropped in list_inbox(workspace, CLINIC, InboxSettings(settle_seconds=0)):
            landed = archive(workspace, dropped)
            assert landed is not None
            pending.append(Pending(landed.name, landed.sha256, landed.size, "new"))

    def merge() -> None:
        with open_warehouse(workspace, night) as con:
            merge_clinic(con, clinic, workspace.scratch / f"{CLINIC}.duckdb", night, 1)
            con.execute("checkpoint")

    def prepare(export: Export) -> list[Prepared]:
        start = time.perf_counter()
        prepared = reader(export)
        times.reader += time.perf_counter() - start
        return prepared

    key, reader = workspace.key(), file.prepare
    times.parts.append(("archive", timed(land)))
    file.prepare = prepare
    try:
        times.parts.append(
            ("read, map, judge", timed(lambda: read_clinic(workspace, clinic, pending, key)))
        )
    finally:
        file.prepare = reader
    times.parts.append(("merge", timed(merge)))


def expect(workspace: Workspace, night: date, n_forms: int, n_closed: int) -> None:
    """A benchmark that lost rows would be fast."""
    with open_warehouse(workspace, night) as con:
        forms = con.execute("select count(*) from valid.form").fetchone()
        closed = con.execute(
            "select count(*) from valid.form_version where known_to = valid.night()"
        ).fetchone()
    assert (forms, closed) == ((n_forms,), (n_closed,)), (forms, closed)


def _floor(folder: Path, export: Path) -> None:
    path = folder / "floor.duckdb"
    path.unlink(missing_ok=True)
    con = duckdb.connect(str(path))
    con.execute("set threads = 2")
    con.execute(f"create table floor as select * from read_csv('{export}', all_varchar = true)")
    con.execute("checkpoint")
    con.close()
    path.unlink()


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_megabytes() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
