"""Try files against a mapping without storing anything: `rapport check` and `rapport read`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from flows.errors import (
    FILE_REFUSED,
    ROWS_REFUSED,
    RapportError,
    WorkspaceError,
)
from flows.night import read_instruments
from flows.reading.canonical import Reading, read_canonical, write_reading
from flows.reading.delivery import DeliveryRules, merge_file, open_state, read_delivery
from flows.reading.incoming import Pseudonyms
from flows.validate import EARLIEST, check_clinic, load_mapping
from flows.warehouse import limit_resources
from flows.workspace import Workspace
from schemas.export_format import Mapping


@dataclass
class Checked:
    """What tonight would say of some files."""

    said: list[str] = field(default_factory=list)
    refused_files: int = 0
    refused_rows: int = 0

    @property
    def exit_code(self) -> int:
        """0 when nothing would be refused or held."""
        return FILE_REFUSED if self.refused_files else ROWS_REFUSED if self.refused_rows else 0

    def lines(self) -> Iterator[str]:
        """What to print."""
        yield from self.said


def check_files(
    workspace: Workspace, files: Sequence[Path], clinic: str | None, mapping_path: Path | None
) -> Checked:
    """Read files as tonight would, in memory; nothing in the workspace is touched.

    Raises:
        RapportError: when there is no mapping, or it has faults.
    """
    mapping = _mapping(workspace, clinic, mapping_path)
    today = datetime.now(ZoneInfo(mapping.clinic.timezone)).date()
    rules = DeliveryRules(mapping, read_instruments(workspace), EARLIEST, today, workspace.root)
    rules.check()
    _refuse_absent(files)
    checked = Checked()
    con = duckdb.connect()
    Pseudonyms(None, mapping.clinic.id).install(con)
    state = open_state(with_text=False)
    with tempfile.TemporaryDirectory(prefix="rapport-check-") as folder:
        limit_resources(con, Path(folder))
        for number, path in enumerate(files):
            task = read_delivery(con, path, rules, Path(folder), f"d{number}")
            counts = merge_file(con, task, state, f"d{number}", today, rules)
            reading = task.reading
            refused = reading.refused is not None or reading.held_whole is not None
            checked.refused_files += refused
            lost = (
                sum(n["rejected"] + n["held"] for n in counts.values()) + reading.rejected_records
            )
            checked.refused_rows += lost
            forms = counts["form"]
            verdict = "refused" if reading.refused else "held" if reading.held_whole else "readable"
            checked.said.append(
                f"{path.name}: {verdict}; {reading.records} records = {reading.used} used"
                f" + {reading.dropped} dropped by rule + {reading.rejected_records} rejected;"
                f" {reading.found['form']} forms, {forms['rejected']} rejected, {forms['held']} held"
            )
            checked.said += _finding_lines(path.name, reading.findings.frame())
    con.close()
    return checked


def _finding_lines(name: str, findings: pl.DataFrame) -> list[str]:
    """One line a finding, at most 20 of a rule and column, with the full count."""
    shown = findings.with_columns(
        pl.int_range(pl.len()).over("rule", "column_name").alias("place"),
        pl.len().over("rule", "column_name").alias("times"),
    )
    lines = []
    for row in shown.filter(pl.col("place") < 20).iter_rows(named=True):
        where = ":".join(str(p) for p in (name, row["line"], row["column_name"]) if p is not None)
        lines.append(f"  {row['severity']:<6} {where}: {row['message']} [{row['rule']}]")
        last = row["place"] == min(row["times"], 20) - 1
        if last and row["times"] > 20:
            lines.append(f"         ... {row['times']} of these in all")
        if last and row["severity"] == "reject":
            lines.append(f"         {row['what_to_do']}")
    return lines


def _mapping(workspace: Workspace, clinic: str | None, path: Path | None) -> Mapping:
    if (clinic is None) == (path is None):
        raise RapportError("Name either --clinic ID or --mapping M.toml")
    if path is not None:
        return load_mapping(path)
    known = sorted(p.stem for p in workspace.clinics.glob("*.toml"))
    if clinic not in known:
        raise WorkspaceError(
            f"clinics/{clinic}.toml: missing",
            f"Clinics with a mapping: {', '.join(known) or 'none'}. Is -w the workspace?",
        )
    mapping = load_mapping(workspace.clinics / f"{clinic}.toml")
    check_clinic(mapping, clinic)
    return mapping


def _refuse_absent(files: Sequence[Path]) -> None:
    absent = [f"{path}: there is no such file" for path in files if not path.is_file()]
    if absent:
        raise RapportError(absent)


def read_files(
    workspace: Workspace,
    files: Sequence[Path],
    mapping_path: Path,
    rows: Path | None,
    findings: Path | None,
) -> Reading:
    """Canonical rows and findings of files, written where asked.

    Raises:
        RapportError: when the mapping has faults, or a file is not there.
    """
    mapping = load_mapping(mapping_path)
    instruments = read_instruments(workspace)
    DeliveryRules(mapping, instruments, EARLIEST, None).check()
    _refuse_absent(files)
    with tempfile.TemporaryDirectory(prefix="rapport-read-") as folder:
        reading = read_canonical(files, mapping, instruments, Path(folder), workspace.root)
    try:
        write_reading(reading, rows, findings)
    except OSError as error:
        raise RapportError(f"{error.filename}: cannot be written ({error.strerror})") from None
    return reading
