"""A night from the inbox to the published pages, and the nights after it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from flows.errors import RapportError, SettingsError, WorkspaceBusy, WorkspaceError
from flows.reading.incoming import Pseudonyms
from flows.verify.snapshot import open_snapshot
from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from reports.pages import AUDIENCES
from tests.nightly.conftest import (
    CANARY,
    MAPPING,
    NEXT,
    NIGHT,
    drop,
    first_forms,
    form,
    form_file,
    make_service,
    run,
    tree,
)


def rows(workspace: Workspace, table: str, columns: str = "*", where: str = "true") -> list[tuple]:
    """Rows of the published audit snapshot."""
    path = workspace.current / "auditors" / f"{table.replace('.', '/')}.parquet"
    con = duckdb.connect()
    return con.execute(f"select {columns} from '{path}' where {where} order by all").fetchall()


def page(workspace: Workspace, name: str) -> str:
    return (workspace.current / "managers" / name).read_text(encoding="utf-8")


class TestFirstNight:
    """What stands after the first night."""

    @pytest.fixture(scope="class")
    @staticmethod
    def night(first_night: Workspace) -> Workspace:
        return first_night

    def test_the_inbox_is_empty_and_the_archive_holds_the_bytes(self, night: Workspace) -> None:
        assert [p for p in night.inbox.rglob("*") if p.is_file()] == []
        kept = {p.read_text(encoding="utf-8") for p in night.archive.glob("*/*")}
        assert first_forms(0) in kept and first_forms(1) in kept

    def test_forms_are_scored(self, night: Workspace) -> None:
        scores = rows(
            night,
            "score.scale_score",
            "clinic_id, value, count(*)",
            "scale = 'total' group by 1, 2",
        )
        assert [(c, int(s), n) for c, s, n in scores] == [
            (clinic, score, 8) for clinic in ("north", "south") for score in (0, 9, 18)
        ]

    def test_ids_are_keyed_pseudonyms(self, night: Workspace) -> None:
        pseudonyms = Pseudonyms(night.key(), "north")
        known = {
            r[0] for r in rows(night, "valid.form_version", "patient_id", "clinic_id = 'north'")
        }
        assert known == {pseudonyms.of("patient", f"{CANARY} {p}") for p in range(1, 9)}
        others = {
            r[0] for r in rows(night, "valid.form_version", "patient_id", "clinic_id = 'south'")
        }
        assert not known & others

    def test_no_name_or_remark_of_a_patient_is_published_or_logged(self, night: Workspace) -> None:
        for path in night.published.rglob("*"):
            if path.is_file() and "care_team" not in path.relative_to(night.published).parts:
                assert b"Canary" not in path.read_bytes(), path
        assert b"Canary" not in night.warehouse.read_bytes()
        assert "Canary" not in night.progress.read_text(encoding="utf-8")
        for parquet in night.current.glob("auditors/*/*.parquet"):
            found = duckdb.sql(f"select * from '{parquet}'").fetchall()
            assert "Canary" not in str(found), parquet

    def test_line_and_file_lead_back_to_the_source(self, night: Workspace) -> None:
        line, name = duckdb.sql(
            f"""select f.line, d.file_name from '{night.current}/auditors/valid/form_version.parquet' f
            join '{night.current}/auditors/landed/delivery_record.parquet' d using (delivery_id)
            where f.clinic_id = 'north' and f.session_label = '3'
            order by f.line limit 1"""
        ).fetchall()[0]
        assert (line, name) == (4, "forms_1.csv")

    def test_private_folders_are_the_owners_alone(self, night: Workspace) -> None:
        assert night.key_path.stat().st_mode & 0o777 == 0o600
        for folder in (night.archive, night.published, night.warehouse.parent):
            assert folder.stat().st_mode & 0o077 == 0
        assert {p.name for p in night.current.iterdir() if p.is_dir()} == {*AUDIENCES}
        for folder in (*night.current.iterdir(), *night.current.glob("care_team/*")):
            assert not folder.is_dir() or folder.stat().st_mode & 0o077 == 0

    def test_the_audit_database_opens_from_its_folder(
        self, night: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(night.current / "auditors")
        con = duckdb.connect("audit.duckdb", read_only=True)
        assert con.execute("select count(*) from valid.form_version").fetchone() == (48,)
        views = {
            f"{s}.{t}"
            for s, t in con.execute(
                "select schema_name, view_name from duckdb_views() where not internal"
            ).fetchall()
        }
        assert {"score.scale_score", "finding.finding_record", "landed.delivery_record"} <= views

    def test_every_column_of_every_stage_is_in_the_dictionary(self, night: Workspace) -> None:
        text = (night.current / "auditors" / "dictionary.csv").read_text(encoding="utf-8")
        assert "score,scale_score,value," in text
        assert "valid,form_version,answers," in text

    def test_the_night_says_of_itself_what_it_did(self, night: Workspace) -> None:
        summary = json.loads((night.current / "night.json").read_text(encoding="utf-8"))
        assert summary["night"]["as_of"] == NIGHT.isoformat()
        assert {d["file_name"]: d["n_records"] for d in summary["deliveries"]} == {
            "forms_1.csv": 24,
            "sessions_1.csv": 24,
        }
        assert summary["refused"] == []


def test_the_same_night_again_changes_nothing(begun: Workspace) -> None:
    before = tree(begun.published, without=())
    again = run(begun)
    assert not again.is_new and again.folder.resolve() == begun.current.resolve()
    assert tree(begun.published, without=()) == before


def test_a_night_whose_folders_have_their_older_names_is_still_found(begun: Workspace) -> None:
    (begun.current / "managers").rename(begun.current / "reports")
    (begun.current / "auditors").rename(begun.current / "audit")
    again = run(begun)
    assert not again.is_new and again.front_page.is_file()
    with open_snapshot(again.folder) as con:
        assert con.execute("select count(*) > 0 from score.scale_score").fetchone() == (True,)


def test_a_night_built_again_is_identical_byte_for_byte(begun: Workspace) -> None:
    folder = begun.current.resolve()
    before = tree(folder)
    shutil.rmtree(folder)
    assert run(begun).is_new
    assert tree(folder) == before
    assert any(name.endswith(".html") for name in before)
    assert any(name.endswith(".parquet") for name in before)


def test_another_machine_with_the_same_key_and_files_builds_the_same_bytes(
    begun: Workspace, tmp_path: Path
) -> None:
    other = make_service(tmp_path / "other")
    assert tree(begun.current.resolve()) == tree(run(other).folder)


def test_new_input_for_a_published_night_is_a_numbered_revision(begun: Workspace) -> None:
    first = begun.current.resolve()
    before = tree(first)
    drop(begun, "north", "forms_2.csv", form_file(form(901, "late", 1, "2026-03-01", 1)))
    second = run(begun)
    assert (second.revision, second.folder.name) == (2, f"{NIGHT}.r2")
    assert tree(first) == before
    assert begun.current.resolve() == second.folder.resolve()
    assert "revision 2" in page(begun, "index.html").lower()


def test_known_bytes_are_a_recorded_no_op(begun: Workspace) -> None:
    drop(begun, "north", "forms_1 (1).csv", first_forms(0))
    outcome = run(begun, NEXT)
    arrivals = rows(begun, "landed.arrival_record", "file_name, outcome", f"as_of = '{NEXT}'")
    assert arrivals == [("forms_1 (1).csv", "unchanged")]
    assert not outcome.refused
    assert len(rows(begun, "valid.form_version")) == 48
    assert [p for p in begun.inbox.rglob("*") if p.is_file()] == []


def test_a_correction_closes_the_old_row_and_opens_a_new_one(begun: Workspace) -> None:
    corrected = form(101, f"{CANARY} 1", 1, "2026-02-07", 0)
    drop(begun, "north", "forms_2.csv", form_file(corrected))
    run(begun, NEXT)
    line_2 = "clinic_id = 'north' and line = 2"
    found = rows(begun, "valid.form_version", "known_from, known_to, list_sum(answers)", line_2)
    assert [(a, b.year if b.year == 9999 else b, int(s)) for a, b, s in found] == [
        (NIGHT, NEXT, 18),
        (NEXT, 9999, 0),
    ]
    counts = rows(
        begun,
        "landed.delivery_record",
        "forms_new, forms_superseding, forms_unchanged",
        f"as_of = '{NEXT}'",
    )
    assert counts == [(0, 1, 0)]


def test_a_mended_mapping_reads_again_what_was_landed(service: Workspace) -> None:
    wrong = MAPPING.format(clinic="north").replace('"blank"', '"blank"\n"0" = "not_answered"')
    (service.clinics / "north.toml").write_text(wrong, encoding="utf-8")
    run(service)
    assert rows(
        service, "score.scale_score", "count(value)", "clinic_id = 'north' and scale = 'total'"
    ) == [(16,)]
    (service.clinics / "north.toml").write_text(MAPPING.format(clinic="north"), encoding="utf-8")
    run(service, NEXT)
    assert rows(
        service, "score.scale_score", "count(value)", "clinic_id = 'north' and scale = 'total'"
    ) == [(24,)]
    outcomes = rows(service, "landed.arrival_record", "clinic_id, outcome", f"as_of = '{NEXT}'")
    assert set(outcomes) == {("north", "re-read")}
    changed = rows(
        service, "valid.form_version", "known_to", "clinic_id = 'north' and known_to < '9999-12-31'"
    )
    assert changed == [(NEXT,)] * 8


def test_an_instrument_added_later_reads_its_forms_again(service: Workspace) -> None:
    mapping = MAPPING.format(clinic="north").replace("PHQ-9", "HOME-9")
    (service.clinics / "north.toml").write_text(mapping, encoding="utf-8")
    run(service)
    assert rows(service, "score.scale_score", "count(*)", "clinic_id = 'north'") == [(0,)]
    shipped = Path(__file__).parents[2] / "schemas" / "instruments" / "phq9.yaml"
    text = (
        shipped.read_text(encoding="utf-8")
        .replace("phq9", "home9")
        .replace("PHQ-9", "HOME-9")
        .replace("PHQ9", "HOME9")
    )
    (service.instruments / "home9.yaml").write_text(text, encoding="utf-8")
    run(service, NEXT)
    assert rows(
        service, "score.scale_score", "count(value)", "clinic_id = 'north' and scale = 'total'"
    ) == [(24,)]


def test_a_clinic_with_a_broken_mapping_costs_only_its_own_night(service: Workspace) -> None:
    mapping = (service.clinics / "north.toml").read_text(encoding="utf-8")
    (service.clinics / "north.toml").write_text(
        mapping.replace("delimiter", "x").replace("format =", "fromat ="), encoding="utf-8"
    )
    outcome = run(service)
    assert set(outcome.failed) == {"north"}
    assert "source.1.read.fromat: unknown key" in outcome.failed["north"]
    assert {r[0] for r in rows(service, "valid.form_version", "clinic_id")} == {"south"}
    assert "north" in page(service, "index.html")
    assert sorted(p.name for p in (service.inbox / "north").iterdir()) == [
        "forms_1.csv",
        "sessions_1.csv",
    ]
    (service.clinics / "north.toml").write_text(mapping, encoding="utf-8")
    assert not run(service, NEXT).failed
    assert {r[0] for r in rows(service, "valid.form_version", "clinic_id")} == {"north", "south"}


def test_an_inbox_without_a_mapping_is_named(service: Workspace) -> None:
    drop(service, "west", "forms_1.csv", first_forms())
    outcome = run(service)
    assert "clinics/west.toml: missing" in outcome.failed["west"]
    assert "west" in page(service, "index.html")


def test_a_file_no_source_matches_is_refused_by_name_and_stays(service: Workspace) -> None:
    path = drop(service, "north", "holiday.csv", "a,b\n1,2\n")
    outcome = run(service)
    assert outcome.left == [("north", "holiday.csv", "file-unmatched")]
    assert path.exists()
    assert "holiday.csv" in page(service, "data-quality.html")
    path.unlink()
    run(service, NEXT)
    assert "holiday.csv" not in rows(service, "report.fix_list", "file_name").__str__()


def test_a_link_in_the_inbox_is_not_followed(service: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(first_forms(5), encoding="utf-8")
    (service.inbox / "north" / "forms_9.csv").symlink_to(secret)
    outcome = run(service)
    assert outcome.left == [("north", "forms_9.csv", "file-not-plain")]
    assert len(rows(service, "valid.form_version")) == 48
    assert secret.exists()


def test_a_refused_file_is_landed_and_named_and_the_rest_published(service: Workspace) -> None:
    drop(service, "north", "forms_2.csv", b"\xff\xfe\x00broken")
    drop(service, "north", "forms_3.csv", "")
    outcome = run(service)
    assert {(c, n) for c, n, _ in outcome.refused} == {
        ("north", "forms_2.csv"),
        ("north", "forms_3.csv"),
    }
    assert len(rows(service, "valid.form_version")) == 48
    assert "forms_3.csv" in page(service, "data-quality.html")


def test_two_runs_at_once(service: Workspace, tmp_path: Path) -> None:
    import subprocess
    import sys

    hold = "import sys, duckdb; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(service.warehouse)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusy):
            run(service)
        other.communicate("")
    assert run(service).is_new


def test_every_fault_of_the_settings_is_told_with_its_path(service: Workspace) -> None:
    service.settings.write_text(
        '[service]\nnmae = "x"\ntimezone = "Mars/Olympus"\n[inbox]\nsettle_seconds = -1\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as caught:
        run(service)
    told = "\n".join(caught.value.faults)
    for path in ("service.name", "service.nmae", "service.timezone", "inbox.settle_seconds"):
        assert path in told


def test_a_threshold_that_does_not_exist_is_a_fault(service: Workspace) -> None:
    text = service.settings.read_text(encoding="utf-8")
    service.settings.write_text(text + "\nminimum_shwon = 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="minimum_shwon"):
        run(service)
    assert not service.current.exists()


@pytest.mark.parametrize("folder", ["archive", "published", "clinics"])
def test_a_missing_folder_is_named(service: Workspace, folder: str) -> None:
    shutil.rmtree(service.root / folder)
    with pytest.raises(WorkspaceError, match=folder):
        run(service)


def test_an_archive_that_cannot_be_written_ends_the_night_with_everything_in_the_inbox(
    service: Workspace,
) -> None:
    # /proc refuses new files even to the administrator.
    service.archive.rmdir()
    service.archive.symlink_to("/proc")
    with pytest.raises(RapportError, match="archive"):
        run(service)
    assert len([p for p in service.inbox.rglob("*") if p.is_file()]) == 4
    service.archive.unlink()
    service.archive.mkdir()
    assert run(service).is_new


def test_a_lost_or_open_key_stops_the_night(service: Workspace) -> None:
    service.key_path.chmod(0o644)
    with pytest.raises(WorkspaceError, match="others may read"):
        run(service)
    service.key_path.unlink()
    with pytest.raises(WorkspaceError, match="pseudonymisation key"):
        run(service)


def test_a_past_night_lands_nothing(begun: Workspace) -> None:
    drop(begun, "north", "forms_2.csv", form_file(form(901, "late", 1, "2026-03-01", 1)))
    run(begun, NIGHT - timedelta(days=3))
    assert (begun.inbox / "north" / "forms_2.csv").exists()
    assert begun.current.resolve().name == NIGHT.isoformat()


def test_views_refuse_to_answer_without_a_night(begun: Workspace) -> None:
    con = duckdb.connect(str(begun.warehouse), read_only=True)
    for view in (
        "valid.form",
        "valid.session",
        "valid.clinic",
        "finding.finding",
        "landed.delivery",
    ):
        with pytest.raises(duckdb.Error, match="no night is set"):
            con.execute(f"select count(*) from {view}")


def test_a_damaged_archive_is_noticed_before_it_is_read_again(begun: Workspace) -> None:
    for path in begun.archive.glob("*/*"):
        path.write_bytes(path.read_bytes() + b"x")
    text = (begun.clinics / "north.toml").read_text(encoding="utf-8")
    (begun.clinics / "north.toml").write_text(text + "\n# mended\n", encoding="utf-8")
    outcome = run(begun, NEXT)
    assert "archive is damaged" in outcome.failed["north"]


def test_open_warehouse_leaves_nothing_behind(service: Workspace) -> None:
    with open_warehouse(service, NIGHT) as con:
        assert con.execute("select count(*) from valid.form").fetchone() == (0,)
