"""Situations a night must survive, and what it must notice."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.calendar import newest_due, night_of, nights_between
from flows.errors import UnlikelyNight, WorkspaceError
from flows.ledger import release
from flows.nightly import nightly
from flows.warehouse import computing, create_tables, open_warehouse
from flows.workspace import Workspace
from tests.nightly.conftest import (
    MAPPING,
    NEXT,
    NIGHT,
    drop,
    first_forms,
    first_sessions,
    make_service,
    run,
)


def published(
    workspace: Workspace, table: str, columns: str = "*", where: str = "true"
) -> list[tuple]:
    path = workspace.current / "auditors" / f"{table.replace('.', '/')}.parquet"
    return (
        duckdb.connect()
        .execute(f"select {columns} from '{path}' where {where} order by all")
        .fetchall()
    )


def open_forms(workspace: Workspace) -> int:
    return published(workspace, "valid.form_version", "count(*)", "known_to = '9999-12-31'")[0][0]


def as_snapshot(workspace: Workspace) -> None:
    text = MAPPING.format(clinic="north").replace('delivery = "append"', 'delivery = "snapshot"')
    (workspace.clinics / "north.toml").write_text(text, encoding="utf-8")


def test_a_file_under_a_wrong_name_is_read_once_it_has_the_right_one(service: Workspace) -> None:
    (service.inbox / "north" / "sessions_1.csv").rename(service.inbox / "north" / "forms_9.csv")
    run(service)
    assert published(service, "valid.appointment_version", "count(*)", "clinic_id = 'north'") == [
        (0,)
    ]
    drop(service, "north", "sessions_9.csv", first_sessions(0))
    run(service, NEXT)
    assert published(service, "valid.appointment_version", "count(*)", "clinic_id = 'north'") == [
        (24,)
    ]


def test_a_night_ahead_is_refused_and_hides_nothing(service: Workspace) -> None:
    for night in (datetime.now(UTC).date() + timedelta(days=2), date(9999, 12, 31), date(1, 1, 1)):
        with pytest.raises(UnlikelyNight):
            run(service, night)
    run(service)
    assert open_forms(service) == 48


def test_a_night_interrupted_at_a_later_date_does_not_swallow_rows(
    service: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            "flows.nightly.compute", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            run(service, NEXT)
    outcome = run(service, NIGHT)
    assert {rule for _, _, rule in outcome.left} == {"night-past"}
    assert len([p for p in service.inbox.rglob("*") if p.is_file()]) == 4
    run(service, NEXT)
    assert open_forms(service) == 48


def test_a_snapshot_that_returns_to_earlier_bytes_counts_again(service: Workspace) -> None:
    as_snapshot(service)
    whole = first_forms(0)
    run(service)
    drop(service, "north", "forms_2.csv", "\n".join(whole.splitlines()[:-2]) + "\n")
    run(service, NEXT)
    assert open_forms(service) == 46
    drop(service, "north", "forms_3.csv", whole)
    run(service, NEXT + timedelta(days=1))
    assert open_forms(service) == 48
    # And when the rules change afterwards, the same history is read to the same end.
    text = (service.clinics / "north.toml").read_text(encoding="utf-8")
    (service.clinics / "north.toml").write_text(text + "# mended\n", encoding="utf-8")
    run(service, NEXT + timedelta(days=2))
    assert open_forms(service) == 48


def test_another_key_is_noticed_before_anybody_is_counted_twice(begun: Workspace) -> None:
    begun.key_path.write_text("ab" * 32 + "\n", encoding="ascii")
    with pytest.raises(WorkspaceError, match="not the key"):
        run(begun, NEXT)


def test_a_held_file_is_read_after_its_release_and_not_before(service: Workspace) -> None:
    as_snapshot(service)
    run(service)
    few = "\n".join(first_forms(0).splitlines()[:6]) + "\n"
    drop(service, "north", "forms_2.csv", few)
    held = run(service, NEXT)
    assert held.refused == [("north", "forms_2.csv", "file-shrunk")]
    assert open_forms(service) == 48
    with open_warehouse(service, NEXT) as con:
        assert release(con, "forms_2.csv", "the others were tests", NEXT) == "north/forms_2.csv"
    after = run(service, NEXT + timedelta(days=1))
    assert not after.refused
    assert open_forms(service) == 24 + 5
    assert published(service, "landed.release_record", "why") == [("the others were tests",)]
    assert run(service, NEXT + timedelta(days=1)).is_new is False


def test_one_clinic_can_be_run_alone(service: Workspace) -> None:
    nightly(service, NIGHT, only_clinic="north")
    assert {r[0] for r in published(service, "valid.form_version", "clinic_id")} == {"north"}
    assert len(list((service.inbox / "south").iterdir())) == 2
    with pytest.raises(WorkspaceError, match="clinic west"):
        nightly(service, NIGHT, only_clinic="west")


def test_a_missing_inbox_folder_is_said_and_the_others_have_their_night(service: Workspace) -> None:
    for path in (service.inbox / "north").iterdir():
        path.unlink()
    (service.inbox / "north").rmdir()
    outcome = run(service)
    assert "inbox/north: the folder is missing" in outcome.failed["north"]
    assert {r[0] for r in published(service, "valid.form_version", "clinic_id")} == {"south"}


def test_what_editors_and_sync_tools_leave_is_passed_over(service: Workspace) -> None:
    (service.clinics / ".#north.toml").symlink_to("nobody@nowhere.1")
    (service.clinics / "folder.toml").mkdir()
    (service.instruments / ".phq.yaml").symlink_to("nowhere")
    (service.inbox / ".stfolder").mkdir()
    assert not run(service).failed


def test_odd_file_names_cost_that_file(service: Workspace) -> None:
    folder = os.fsencode(service.inbox / "north")
    (Path(os.fsdecode(folder + b"/forms_\xff.csv"))).write_text(first_forms(4), encoding="utf-8")
    drop(service, "north", "forms_" + "x" * 245 + ".csv", first_forms(5))
    drop(service, "north", "forms_o'neil <b>.csv", first_forms(6))
    outcome = run(service)
    assert [(c, rule) for c, _, rule in outcome.left] == [("north", "file-name")]
    assert not outcome.failed
    # Forms 4, 5 and 6 have the same keys as the first file's: they correct it, in name order.
    assert open_forms(service) == 48


def test_a_workspace_whose_path_has_an_apostrophe(tmp_path: Path) -> None:
    workspace = make_service(tmp_path / "o'brien")
    assert run(workspace).is_new


def test_damage_around_the_published_nights_is_said_or_mended(service: Workspace) -> None:
    (service.published / ".building-x").write_text("left behind", encoding="utf-8")
    service.current.symlink_to("nowhere")
    run(service)
    assert service.current.resolve().name == NIGHT.isoformat()
    service.current.unlink()
    service.current.mkdir()
    drop(service, "north", "forms_2.csv", first_forms(3))
    from flows.errors import StreetError

    with pytest.raises(StreetError, match="is a folder"):
        run(service, NEXT)
    service.current.rmdir()
    assert run(service, NEXT).is_new


def test_skipped_nights_are_named_on_the_page(service: Workspace) -> None:
    text = service.settings.read_text(encoding="utf-8").replace(
        '# cron = "0 3 * * *"', 'cron = "0 3 * * 1-5"'
    )
    service.settings.write_text(text, encoding="utf-8")
    run(service, date(2026, 3, 10))
    run(service, date(2026, 3, 17))
    page = (service.current / "managers" / "index.html").read_text(encoding="utf-8")
    for day in ("2026-03-11", "2026-03-12", "2026-03-13", "2026-03-16"):
        assert day in page
    assert "2026-03-14" not in page


class TestCalendar:
    """A night is a local date; clocks that change neither double nor skip one."""

    @pytest.mark.parametrize(
        ("zone", "cron"),
        [
            ("Europe/Berlin", "30 2 * * *"),
            ("Europe/Berlin", "0 3 * * *"),
            ("America/Santiago", "30 0 * * *"),
            ("Asia/Beirut", "0 0 * * *"),
            ("Australia/Lord_Howe", "15 2 * * *"),
            ("UTC", "59 23 * * *"),
        ],
    )
    def test_every_date_of_a_year_has_exactly_one_night(self, zone: str, cron: str) -> None:
        import asyncio

        from prefect.server.schemas.schedules import CronSchedule

        schedule = CronSchedule(cron=cron, timezone=zone)
        starts = asyncio.run(schedule.get_dates(366, start=datetime(2026, 1, 1, 12, tzinfo=UTC)))
        nights = [night_of(start, cron, zone) for start in starts]
        assert nights == [nights[0] + timedelta(days=n) for n in range(366)]

    def test_a_run_started_by_hand_means_its_own_date(self) -> None:
        start = datetime(2026, 3, 10, 23, 53, tzinfo=UTC)
        assert night_of(start, "0 3 * * *", "UTC") == date(2026, 3, 10)
        assert night_of(start + timedelta(minutes=7), "0 3 * * *", "UTC") == date(2026, 3, 11)

    def test_the_newest_night_due(self) -> None:
        at = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
        assert newest_due(at, "0 3 * * *", "Europe/Berlin") == date(2026, 3, 28)
        assert newest_due(at + timedelta(minutes=2), "0 3 * * *", "Europe/Berlin") == date(
            2026, 3, 29
        )

    def test_nights_between_leave_out_both_ends(self) -> None:
        assert nights_between(date(2026, 3, 6), date(2026, 3, 10), "0 3 * * 1-5") == [
            date(2026, 3, 9)
        ]
        assert nights_between(date(2026, 3, 9), date(2026, 3, 10), "0 3 * * *") == []


def test_a_mapping_put_back_to_what_it_was_counts_again(service: Workspace) -> None:
    mapping = service.clinics / "north.toml"
    first = mapping.read_text(encoding="utf-8")
    other = first.replace('"" = "blank"', '"" = "blank"\n"2" = "not_answered"')
    seen = []
    for day, text in enumerate([first, other, first, first, other], start=10):
        mapping.write_text(text, encoding="utf-8")
        run(service, date(2026, 3, day))
        with duckdb.connect(str(service.warehouse), read_only=True) as con:
            seen.append(
                con.execute(
                    "select clinic_id, row_id, answers, missing from valid.form_version"
                    " where known_to = date '9999-12-31' order by all"
                ).fetchall()
            )
    assert seen[0] != seen[1]
    assert (seen[2], seen[3], seen[4]) == (seen[0], seen[0], seen[1])


@pytest.mark.parametrize(("most", "stored"), [(0, "uncompressed"), (-1, "auto")])
def test_what_is_built_is_packed_only_where_there_is_much(
    monkeypatch: pytest.MonkeyPatch, most: int, stored: str
) -> None:
    con = duckdb.connect()
    create_tables(con)
    monkeypatch.setattr("flows.warehouse.MANY_FORMS", most)
    how = "select current_setting('force_compression')"
    with computing(con):
        assert con.execute(how).fetchall() == [(stored,)]
    assert con.execute(how).fetchall() == [("auto",)]
