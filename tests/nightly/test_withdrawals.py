"""What was withdrawn stays withdrawn in the warehouse, whatever comes later, and when all is read again."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from flows.init import make_workspace
from flows.land import archive, list_inbox
from flows.settings import InboxSettings
from flows.validate import ClinicNight, Pending, clinic_rules, merge_clinic, read_clinic
from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from schemas.instrument import SHIPPED, load_instruments

NIGHT = date(2026, 3, 10)
MAPPING = """
mapping = 1
[clinic]
id = "north"
timezone = "Europe/Berlin"
[[source]]
name = "responses"
match = "r*.ndjson"
delivery = "append"
key = ["id"]
version = "meta.lastUpdated"
[source.read]
format = "fhir"
[source.fields]
patient = { column = "subject.reference" }
answered_at = { column = "authored", formats = ["iso"] }
[source.missing]
"" = "blank"
[[source.form]]
instrument = "PHQ-9"
respondent = "patient"
items = { links = ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"] }
"""


def response(day: int, status: str) -> str:
    return json.dumps(
        {
            "resourceType": "QuestionnaireResponse",
            "id": "r1",
            "status": status,
            "meta": {"lastUpdated": f"2026-03-0{day}T10:00:00Z"},
            "subject": {"reference": "Patient/1"},
            "authored": "2026-03-01",
            "item": [
                {"linkId": f"p{n}", "answer": [{"valueInteger": day % 4}]} for n in range(1, 10)
            ],
        }
    )


class Street:
    """A clinic whose files are read one a night."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        make_workspace(self.workspace, "withdrawals")
        (self.workspace.clinics / "north.toml").write_text(MAPPING)
        (self.workspace.inbox / "north").mkdir()
        self.files: list[Pending] = []

    def night(self, *responses: str, again: bool = False) -> list[tuple[object, ...]]:
        """Read a file, or all of them again; the first answers of the forms that count then."""
        number = len(self.files) + 1
        if responses:
            drop = self.workspace.inbox / "north" / f"r{number}.ndjson"
            drop.write_text("\n".join(responses) + "\n")
            for dropped in list_inbox(self.workspace, "north", InboxSettings(settle_seconds=0)):
                landed = archive(self.workspace, dropped)
                assert landed is not None
                self.files.append(Pending(landed.name, landed.sha256, landed.size, "new"))
            drop.unlink(missing_ok=True)
        as_of = NIGHT + timedelta(days=number + again)
        rules = clinic_rules(self.workspace, "north", load_instruments([SHIPPED]), as_of)
        clinic = ClinicNight("north", *rules, is_replay=again)
        files = self.files if again else self.files[-1:]
        scratch = read_clinic(self.workspace, clinic, files, self.workspace.key())
        with open_warehouse(self.workspace, as_of) as con:
            merge_clinic(con, clinic, scratch, as_of, 1)
            return con.execute("select answers[1]::integer from valid.form").fetchall()


def test_an_older_version_that_comes_after_the_withdrawal_does_not_count(tmp_path: Path) -> None:
    street = Street(tmp_path / "service")
    assert street.night(response(3, "entered-in-error")) == []
    assert street.night(response(2, "completed")) == []
    assert street.night(again=True) == []
    assert street.night(response(1, "completed")) == []
    assert street.night(response(4, "completed")) == [(0,)]
    assert street.night(again=True) == [(0,)]
