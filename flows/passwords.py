"""What passwords mean for a clinic's night: part of its rules, and never a reason to lose what was read."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from flows.errors import FileRefused, MappingError
from flows.reading.password import fingerprint
from flows.workspace import Workspace
from schemas.export_format import Mapping
from schemas.finding_rules import finding_rules


def password_part(workspace: Workspace, mapping: Mapping) -> list[bytes]:
    """Part of the rules, so that files are read again once their password is there.

    Raises:
        MappingError: without a password the whole clinic waits, since reading everything anew
            without it would take the clinic's rows away.
    """
    reads = [source.read for source in mapping.source]
    if not any(read.password_env or read.password_file for read in reads):
        return []
    try:
        return [fingerprint(reads, workspace.root, workspace.key())]
    except FileRefused as refusal:
        told = finding_rules()[refusal.rule]
        said = f"{mapping.clinic.id}.toml: source.read: {told.message.format(**refusal.about)}"
        raise MappingError(said, told.what_to_do) from None


def refuse_locked_out(
    con: duckdb.DuckDBPyConnection, clinic_id: str, locked: Sequence[str]
) -> None:
    """See that no file read before is locked now.

    Args:
        con: the warehouse.
        clinic_id: whose files.
        locked: hashes of the files that no password opens tonight.

    Raises:
        MappingError: where one was open before; the clinic's rows stay as they are.
    """
    row = con.execute(
        "select count(distinct sha256) from landed.delivery_record"
        " where clinic_id = $clinic and state = 'read' and list_contains($locked, sha256)",
        {"clinic": clinic_id, "locked": list(locked)},
    ).fetchone()
    if locked and row and row[0]:
        raise MappingError(
            f"{clinic_id}: {row[0]} files read before are no longer opened by any password",
            "Keep a clinic's earlier passwords, one a line, below its new one.",
        )
