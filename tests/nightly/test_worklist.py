"""The worklist over nights: what was shown is kept, actions are read, objections are honoured."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.alerts import keep_alerts
from flows.errors import ObjectionError
from flows.objections import enter_objections
from flows.reading.incoming import Pseudonyms
from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from schemas.objection import HEADER, read_objections
from schemas.private_file import Faults
from tests.nightly.conftest import (
    CANARY,
    MAPPING,
    NEXT,
    NIGHT,
    drop,
    first_sessions,
    make_service,
    run,
)

LOG = """
[[source]]
name = "log"
match = "log_*.csv"
preset = "rapport_actions"
"""
THIRD = date(2026, 3, 12)


def objections(service: Workspace, *lines: str, mode: int = 0o600) -> None:
    service.objections.write_text("\n".join([",".join(HEADER), *lines, ""]), encoding="utf-8")
    service.objections.chmod(mode)


def published(service: Workspace, table: str, columns: str, where: str = "true") -> list[Any]:
    path = service.current / "auditors" / f"{table.replace('.', '/')}.parquet"
    query = f"select {columns} from '{path}' where {where} order by all"
    return duckdb.connect().execute(query).fetchall()


def page(service: Workspace, clinic: str = "north") -> str:
    """The worklist of the clinic's one therapist."""
    names = published(service, "report.worklist_page", "page", f"clinic_id = '{clinic}'")
    folder = service.current / "care_team" / names[0][0]
    return (folder / "worklist.html").read_text(encoding="utf-8")


def everything_but_the_ledger(service: Workspace, word: str) -> list[str]:
    """Tables of patients' estimates and lists that hold a word in any cell."""
    tables = (
        "model.person_session", "model.hazard_row", "model.risk", "model.risk_term", "score.alert",
        "report.worklist", "report.chance_reason",
    )  # fmt: skip
    return [
        table for table in tables if any(word in str(row) for row in published(service, table, "*"))
    ]


def test_alerts_are_kept_acted_on_and_taken_back_by_an_objection(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    mapping = MAPPING.format(clinic="north") + LOG
    (service.clinics / "north.toml").write_text(
        mapping.replace('"seen" = "attended"', '"seen" = "attended", "planned" = "booked"'),
        encoding="utf-8",
    )
    booked = first_sessions() + f"901,{CANARY} 8,Canary Therapist,1,4,2026-03-20,planned\n"
    drop(service, "north", "sessions_1.csv", booked)
    run(service)
    listed = published(
        service, "report.worklist", "episode_id, patient_id, session_id",
        "clinic_id = 'north' and section = 'to_do'",
    )  # fmt: skip
    assert len(listed) == 3
    text = page(service)
    assert "Left out for that: 4. Open courses without any of these facts: 1." in text
    # south exports no bookings: that none is booked is not known there, and nobody is listed for it
    assert "Nothing stands out tonight." in page(service, "south")
    assert published(service, "score.alert", "count(*)") == [(0,)]

    names = Pseudonyms(service.key(), "north")
    numbers = {names.of("patient", f"{CANARY} {n}"): f"{CANARY} {n}" for n in range(1, 9)}
    (gone, who_objects, session), (stays, who_is_called, _), _ = listed
    line = f"north,{numbers[who_objects]},2026-03-10,records office"
    objections(service, line, f"north,{CANARY} 99,2026-03-10,records office")
    with pytest.raises(ObjectionError, match="nobody has delivered") as raised:
        run(service, NEXT)
    assert raised.value.faults == ["objections.csv:3: nobody has delivered this number"]
    assert not (service.published / NEXT.isoformat()).exists()
    objections(service, line)
    drop(
        service, "north", "log_1.csv",
        "patient,therapist,acted_on,action,outcome,remark\n"
        f"{numbers[who_is_called]},Canary Therapist,2026-03-10,call,reached,{CANARY} is fine\n",
    )  # fmt: skip
    run(service, NEXT)
    assert everything_but_the_ledger(service, gone) == []
    assert everything_but_the_ledger(service, session) == []
    text = page(service)
    assert numbers[who_objects] not in text
    assert "object to being estimated, and stand on no list: 1." in text
    assert "stand on no list" not in page(service, "south")
    assert text.index("Acted on since") < text.index(numbers[who_is_called])
    assert "Called, reached" in " ".join(text.split())
    kept = published(
        service,
        "landed.alert_record",
        "as_of, episode_id",
        "clinic_id = 'north' and section = 'to_do'",
    )
    shown = published(service, "landed.alert_record", "as_of, section", f"episode_id = '{stays}'")
    assert shown == [(NIGHT, "to_do"), (NEXT, "acted_on")]
    assert {(NIGHT, gone), (NIGHT, stays)} <= set(kept)
    assert (NEXT, gone) not in kept
    assert (NEXT, stays) not in kept
    # three were listed this week: one of them objects, one is done, so that nobody comes in
    assert len([night for night, _ in kept if night == NEXT]) == 1
    assert published(
        service, "score.alert", "issued_on, days_to_action", "acted_on is not null"
    ) == [(NIGHT, 0)]
    assert published(service, "score.alert", "count(*)", "clinic_id = 'north'") == [(2,)]

    with open_warehouse(service, NIGHT) as con:
        before = con.execute("from landed.alert_record order by all").fetchall()
        # told again, a past night shows nobody anything new
        keep_alerts(con, NIGHT, 2)
        assert con.execute("from landed.alert_record order by all").fetchall() == before
        enter_objections(con, [], service.key(), THIRD)
    with open_warehouse(service, THIRD) as con:
        assert con.execute("select count(*) from valid.objection").fetchall() == [(0,)]
    with open_warehouse(service, NEXT) as con:
        assert con.execute("select count(*) from valid.objection").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["north,17,2026-03-10"], "objections.csv:2: has 3 cells, not 4"),
        (["north,17,,office"], "objections.csv:2: date: is empty"),
        (["north,17,2026-03-10,a", "", "north,17,2026-03-11,b"], "objections.csv:4: line 2 says so already"),
    ],
)  # fmt: skip
def test_faults_of_the_list_are_told_by_line(tmp_path: Path, lines: list[str], fault: str) -> None:
    service = Workspace(tmp_path)
    objections(service, *lines)
    with pytest.raises(Faults) as raised:
        read_objections(service.objections)
    assert raised.value.faults == [fault]


def test_a_list_that_others_may_read_or_of_no_clinic_is_refused(tmp_path: Path) -> None:
    service = make_service(tmp_path / "service")
    objections(service, f"north,{CANARY} 1,2026-03-10,office", mode=0o644)
    with pytest.raises(ObjectionError, match="chmod 600"):
        run(service)
    objections(service, f"nroth,{CANARY} 1,2026-03-10,office")
    with pytest.raises(
        ObjectionError, match=r"objections\.csv:2: clinic: there is none of this id"
    ):
        run(service)
