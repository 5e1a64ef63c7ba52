"""What stands at the edge: names and numbers that no table of the warehouse holds.

Therapists' names, and who supervises whom, come from lists that the service keeps. Patients' own
numbers are put aside when a file is read, one file for each clinic beside the warehouse, and looked up
when the pages of the care team are written. Neither goes into the warehouse, the snapshot, or another
audience's pages.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import NamesError
from flows.land import sync_folder
from flows.night import Night
from flows.reading.cells import literal
from flows.reading.incoming import Pseudonyms
from flows.workspace import Workspace
from schemas.private_file import Faults
from schemas.supervision import Supervision, read_supervision
from schemas.therapist_name import TherapistName, read_therapist_names

Rows = list[dict[str, Any]]


def edge_tables(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, dict[str, Rows]]:
    """For each audience the tables that its pages alone read, and no database holds."""
    agreement = night.settings.governance.therapist_agreement
    asked = con.execute(
        "select distinct patient_id from report.open_course order by all"
    ).fetchall()
    wanted = [patient for (patient,) in asked] if night.settings.privacy.patient_numbers else []
    return {
        "care_team": {
            "therapist_name": therapist_names(night.names, night.key),
            "supervision": supervision(night.supervision, night.key),
            "patient_number": patient_numbers(night.workspace, wanted),
        },
        "public": {
            "notice": [
                {
                    **night.settings.notice.model_dump(),
                    "agreement": agreement.reference
                    if agreement and agreement.date <= night.as_of
                    else None,
                }
            ]
        },
    }


def load_names(workspace: Workspace) -> list[TherapistName]:
    """What therapists are called.

    Raises:
        NamesError: with every fault of the file.
    """
    with _telling_faults():
        return read_therapist_names(workspace.therapist_names)


@contextmanager
def _telling_faults() -> Iterator[None]:
    try:
        yield
    except Faults as faults:
        raise NamesError([f"names/{fault}" for fault in faults.faults]) from None


def therapist_names(names: Sequence[TherapistName], key: bytes) -> Rows:
    """The names by the pseudonyms that the warehouse knows."""
    return [
        {"therapist_id": Pseudonyms(key, row.clinic).of("therapist", row.id), "name": row.name}
        for row in names
    ]


def load_supervision(workspace: Workspace, clinics: Collection[str]) -> list[Supervision]:
    """Who supervises whom.

    Raises:
        NamesError: with every fault of the file.
    """
    with _telling_faults():
        return read_supervision(workspace.supervisors, clinics)


def supervision(listed: Sequence[Supervision], key: bytes) -> Rows:
    """Who supervises whom, in the order of the list, by the pseudonyms that the warehouse knows."""
    return [
        {
            "supervisor": row.supervisor,
            "therapist_id": Pseudonyms(key, row.clinic).of("therapist", row.therapist),
            "list_order": number,
        }
        for number, row in enumerate(listed)
    ]


def put_numbers_aside(workspace: Workspace, clinic_id: str, scratch: Path) -> None:
    """Add the patients' numbers of the files just read to those of the clinic.

    Args:
        workspace: whose.
        clinic_id: whose files.
        scratch: the clinic's scratch database, no longer open anywhere.
    """
    target = workspace.patient_numbers / f"{clinic_id}.parquet"
    with duckdb.connect(str(scratch), read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_tables() where regexp_matches(table_name, '_people[0-9]+$')"
            " order by table_name"
        ).fetchall()
        if not tables:
            return
        read = " union ".join(
            f'select patient_pseudonym as patient_id, of_patient as number from "{name}"'
            " where of_patient is not null"
            for (name,) in tables
        )
        known = f"select * from read_parquet({literal(str(target))})" if target.is_file() else None
        news = f"{read} except {known}" if known else read
        if not (con.execute(f"select count(*) from ({news})").fetchone() or (0,))[0]:
            return
        _write(con, f"{read} union {known}" if known else read, target)


def _write(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Put a private file in its place whole: nobody else ever had the right to open it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    con.execute(
        f"copy (from ({query}) order by all) to {literal(str(partial))} (format parquet, compression zstd, use_tmp_file false)"
    )
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(target)
    sync_folder(target.parent)


def patient_numbers(workspace: Workspace, patients: Sequence[str]) -> Rows:
    """The clinics' own numbers of these patients, as far as they were put aside."""
    files = sorted(workspace.patient_numbers.glob("*.parquet"))
    if not files or not patients:
        return []
    with duckdb.connect() as con:
        con.execute(
            "create table asked as select unnest(?::varchar[]) as patient_id", [list(patients)]
        )
        found = con.execute(
            "select patient_id, min(number) as number from read_parquet(?) join asked using (patient_id)"
            " group by patient_id order by patient_id",
            [[str(path) for path in files]],
        ).fetchall()
    return [{"patient_id": patient_id, "number": number} for patient_id, number in found]
