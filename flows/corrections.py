"""Which corrections a night applies: read, checked against what was delivered, and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import duckdb

from flows.errors import CorrectionError
from flows.reading.correct import Numbered
from flows.workspace import Workspace
from schemas.correction import read_corrections
from schemas.private_file import Faults


def load_corrections(
    con: duckdb.DuckDBPyConnection, workspace: Workspace
) -> dict[str, list[Numbered]]:
    """Corrections by sha-256 of the file.

    Raises:
        CorrectionError: with every fault, also where a file is named that nobody delivered.
    """
    try:
        entries = read_corrections(workspace.corrections)
    except Faults as faults:
        raise CorrectionError(faults.faults) from None
    found: dict[str, list[Numbered]] = {}
    for place, entry in enumerate(entries, start=1):
        found.setdefault(entry.file, []).append(Numbered(place, entry))
    landed = _landed(con)
    unknown = [e.place for file, of_file in found.items() if file not in landed for e in of_file]
    if unknown:
        raise CorrectionError(
            [f"correction.{place}.file: no such file was ever delivered" for place in unknown],
            "The first digits of a file's hash stand beside its name on the data quality page.",
        )
    return found


def corrections_of(
    con: duckdb.DuckDBPyConnection, clinic_id: str, corrections: Mapping[str, Sequence[Numbered]]
) -> dict[str, Sequence[Numbered]]:
    """The corrections of a clinic's files."""
    landed = _landed(con, clinic_id) if corrections else set()
    return {file: entries for file, entries in corrections.items() if file in landed}


def corrections_hash(corrections: Mapping[str, Sequence[Numbered]]) -> str:
    """Hash of what the corrections say, whatever their order in the file."""
    said = sorted(
        e.correction.model_dump_json(exclude_none=True)
        for of_file in corrections.values()
        for e in of_file
    )
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _landed(con: duckdb.DuckDBPyConnection, clinic_id: str | None = None) -> set[str]:
    rows = con.execute(
        "select distinct sha256 from landed.delivery_record"
        " where coalesce(clinic_id = $clinic, true)",
        {"clinic": clinic_id},
    ).fetchall()
    return {str(sha256) for (sha256,) in rows}
