"""Which nights and deliveries a calendar means, and what is said of a delivery that does not come."""

from __future__ import annotations

import json
from datetime import date, time

import pytest

from flows.calendar import days_due, night_after
from flows.errors import SettingsError
from flows.settings import read_settings
from flows.workspace import Workspace
from tests.nightly.conftest import NIGHT, drop, first_forms, make_service, run


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_service(tmp_path_factory.mktemp("calendar") / "service")


def state(workspace: Workspace, text: str) -> None:
    """Add tables to rapport.toml."""
    with workspace.settings.open("a", encoding="utf-8") as settings:
        settings.write(text)


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (["mon", "thu"], ["2026-02-23", "2026-02-26", "2026-03-02"]),
        ([1], ["2026-03-01"]),
        # February has no 31st, nor a 30th: its last day is meant, once
        ([30, 31], ["2026-02-28"]),
        (["mon", 23], ["2026-02-23", "2026-03-02"]),
    ],
)
def test_days_due(days: list[str | int], due: list[str]) -> None:
    found = days_due(days, date(2026, 2, 22), date(2026, 3, 3))
    assert [day.isoformat() for day in found] == due


@pytest.mark.parametrize(
    ("latest", "cron", "night"),
    [
        (time(2, 0), "0 3 * * *", date(2026, 2, 23)),
        (time(3, 0), "0 3 * * *", date(2026, 2, 23)),
        (time(3, 1), "0 3 * * *", date(2026, 2, 24)),
        (None, "0 3 * * *", date(2026, 2, 24)),
        (None, "30 23 * * *", date(2026, 2, 24)),
        # nights of working days alone: Friday's delivery is looked for on Monday
        (None, "0 3 * * 2-4", date(2026, 2, 24)),
        (time(2, 0), None, date(2026, 2, 24)),
    ],
)
def test_a_delivery_is_looked_for_in_the_first_night_after_its_hour(
    latest: time | None, cron: str | None, night: date
) -> None:
    assert night_after(date(2026, 2, 23), latest, cron) == night


def test_a_delivery_that_does_not_come_is_named_wherever_it_is_looked_for(
    service: Workspace,
) -> None:
    # 10 March 2026 is a Tuesday.
    assert date(2026, 3, 10) == NIGHT
    state(service, '\n[[calendar]]\nclinic = "north"\ndays = ["mon", "wed"]\n')
    first = run(service)
    assert not clinics(first.folder)["north"]["is_late"]
    drop(service, "south", "forms_2.csv", first_forms(500))
    outcome = run(service, date(2026, 3, 12))
    missed = clinics(outcome.folder)["north"]
    assert missed["is_late"]
    assert missed["state_text"].endswith("the delivery due on 11 March 2026 has not come")
    overview = (outcome.folder / "managers" / "index.html").read_text(encoding="utf-8")
    assert "the delivery due on 11 March 2026 has not come" in overview
    quality = (outcome.folder / "managers" / "data-quality.html").read_text(encoding="utf-8")
    assert "1 deliveries of the clinic&#39;s calendar did not come" in quality
    drop(service, "north", "forms_2.csv", first_forms(600))
    assert not clinics(run(service, date(2026, 3, 13)).folder)["north"]["is_late"]


def clinics(folder) -> dict:  # noqa: ANN001
    summary = json.loads((folder / "night.json").read_text(encoding="utf-8"))
    return {clinic["clinic_id"]: clinic for clinic in summary["clinics"]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[[calendar]]\nclinic = "north"\ndays = ["monday"]\n', "calendar.1.days.1"),
        ('[[calendar]]\nclinic = "north"\ndays = [32]\n', "calendar.1.days.1"),
        ('[[calendar]]\nclinic = "north"\ndays = []\n', "calendar.1.days"),
        ('[[calendar]]\nclinic = "north"\ndays = [1]\nlatest = "25:00"\n', "calendar.1.latest"),
        (
            '[[calendar]]\nclinic = "north"\ndays = [1]\n[[calendar]]\nclinic = "north"\ndays = [2]\n',
            "more than one for north",
        ),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(
    service: Workspace, text: str, fault: str
) -> None:
    state(service, "\n" + text)
    with pytest.raises(SettingsError) as told:
        read_settings(service)
    assert any(fault in said for said in told.value.faults)


def test_a_calendar_of_a_clinic_that_is_not_there_is_refused(service: Workspace) -> None:
    state(service, '\n[[calendar]]\nclinic = "nroth"\ndays = [1]\n')
    with pytest.raises(SettingsError, match="no clinic 'nroth'"):
        run(service)
