"""Enters who objects to being estimated: from tonight on, and until the line is taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from flows.errors import ObjectionError
from flows.reading.incoming import Pseudonyms
from flows.standing import never_delivered, restate
from flows.workspace import Workspace
from schemas.objection import Objection, read_objections
from schemas.private_file import Faults

COLUMNS = "clinic_id, patient_id"


def load_objections(workspace: Workspace, clinics: Sequence[str]) -> list[Objection]:
    """The workspace's objections.

    Raises:
        ObjectionError: with every fault of the file, also where it names a clinic that is none.
    """
    try:
        found = read_objections(workspace.objections)
    except Faults as faults:
        raise ObjectionError(faults.faults) from None
    name = workspace.objections.name
    strange = [o.line for o in found if o.clinic not in clinics]
    if strange:
        raise ObjectionError(
            [f"{name}:{line}: clinic: there is none of this id" for line in strange]
        )
    return found


def enter_objections(
    con: duckdb.DuckDBPyConnection, objections: Sequence[Objection], key: bytes, as_of: date
) -> None:
    """Open and close objections so that from tonight on these hold.

    Raises:
        ObjectionError: where a number was never delivered: misspelt, it would keep nobody off a list.
    """
    rows = [(o.clinic, Pseudonyms(key, o.clinic).of("patient", o.patient)) for o in objections]
    restate(con, "landed.objection_record", COLUMNS, rows, as_of)
    unknown = never_delivered(con, "patient_id", "patient")
    if lines := [o.line for o, row in zip(objections, rows, strict=True) if row[1] in unknown]:
        raise ObjectionError(
            [f"objections.csv:{line}: nobody has delivered this number" for line in lines],
            "Mend the number: misspelt, it keeps nobody off a list. Of somebody who stands in no export"
            " yet, enter it with the first one that names them.",
        )


def standing_objections(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every objection that holds tonight, in order."""
    rows = con.execute("select clinic_id, patient_id from valid.objection order by all").fetchall()
    return [f"objection {clinic_id} {patient_id}" for clinic_id, patient_id in rows]
