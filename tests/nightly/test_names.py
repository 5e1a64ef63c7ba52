"""Therapists' names and patients' own numbers: in the folder of their therapist, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from flows.edge import patient_numbers
from flows.errors import NamesError
from flows.workspace import Workspace
from tests.nightly.conftest import (
    CANARY,
    NEXT,
    drop,
    first_forms,
    form,
    form_file,
    make_service,
    run,
)

NAME = "Dr Zaphira Quill"
LEAD = "quillion-lead"


def write_names(workspace: Workspace, *lines: str, mode: int = 0o600) -> None:
    path = workspace.therapist_names
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text("\n".join(("clinic,therapist,name", *lines)) + "\n", encoding="utf-8")
    path.chmod(mode)


def write_supervisors(workspace: Workspace, *lines: str) -> None:
    path = workspace.supervisors
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text("\n".join(("supervisor,clinic,therapist", *lines)) + "\n", encoding="utf-8")
    path.chmod(0o600)


def files_with(root: Path, text: str) -> set[str]:
    found = {path for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
    return {
        path.relative_to(root).as_posix() for path in found if text.encode() in path.read_bytes()
    }


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = make_service(tmp_path_factory.mktemp("names") / "service")
    (therapist,) = {line.split(",")[THERAPIST] for line in first_forms(0).splitlines()[1:2]}
    write_names(workspace, f"north,{therapist},{NAME}")
    write_supervisors(workspace, f"{LEAD},north,{therapist}", f"{LEAD},north,nobody")
    run(workspace)
    return workspace


THERAPIST = first_forms(0).splitlines()[0].split(",").index("therapist")


def test_a_name_is_in_the_folders_of_its_therapist_and_their_supervisor_alone(
    service: Workspace,
) -> None:
    found = files_with(service.root, NAME) - {"names/therapists.csv"}
    folders = {re.sub(r"^published/[^/]+/(care_team/[^/]+)/.*", r"\1", path) for path in found}
    supervisor, therapist = sorted(folders)
    assert supervisor == f"care_team/supervisor-{LEAD}"
    assert therapist.startswith("care_team/therapist-")


def test_a_supervisors_folder_is_their_own_and_says_who_has_no_page(service: Workspace) -> None:
    folder = service.current / "care_team" / f"supervisor-{LEAD}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "1 therapist on your list" in (folder / "index.html").read_text(encoding="utf-8")
    assert len(list(folder.glob("therapist-*.worklist.html"))) == 1
    # who supervises whom is at the edge: in the list, these pages, and the sums of the night's files
    found = files_with(service.root, LEAD) - {"names/supervisors.csv"}
    assert {path.split("/")[2] for path in found} == {"care_team", "SHA256SUMS"}


def test_a_number_is_in_the_folder_of_its_therapist_and_in_no_table(service: Workspace) -> None:
    number = f"{CANARY} 1"
    found = files_with(service.published, number)
    assert found and all(re.search(r"/care_team/(therapist|supervisor)-", path) for path in found)
    assert files_with(service.warehouse.parent, CANARY) == set()
    for parquet in service.current.glob("auditors/*/*.parquet"):
        assert CANARY not in str(duckdb.sql(f"from '{parquet}'").fetchall()), parquet
    # which page of which therapist shows it
    titles = [
        re.findall("<title>(.*?)</title>", (service.published / path).read_text(encoding="utf-8"))
        for path in found
    ]
    assert CANARY not in str(titles) and not [path for path in found if "anary" in path]


def test_a_service_that_keeps_no_numbers_has_none(tmp_path: Path) -> None:
    workspace = make_service(tmp_path / "service")
    settings = workspace.settings.read_text(encoding="utf-8")
    settings = settings.replace("# patient_numbers = true", "patient_numbers = false")
    workspace.settings.write_text(settings, encoding="utf-8")
    run(workspace)
    assert not workspace.patient_numbers.exists()
    assert files_with(workspace.published, CANARY) == set()


@pytest.mark.parametrize(
    ("lines", "mode", "fault"),
    [
        (["north,7,Ann"], 0o640, "others may read it"),
        (["north,7"], 0o600, "therapists.csv:2: needs clinic, therapist and name"),
        (["north,7,Ann", "north,7,Bea"], 0o600, "therapists.csv:3: this therapist has a name"),
    ],
)
def test_a_faulty_list_stops_the_night_before_anything_is_read(
    tmp_path: Path, lines: list[str], mode: int, fault: str
) -> None:
    workspace = make_service(tmp_path / "service")
    write_names(workspace, *lines, mode=mode)
    with pytest.raises(NamesError, match=fault) as raised:
        run(workspace)
    assert "Ann" not in str(raised.value.faults) and list(workspace.archive.iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["lead,north"], "supervisors.csv:2: needs supervisor, clinic and therapist"),
        (["../up,north,7"], "supervisors.csv:2: supervisor: a code of small letters"),
        (["lead,nowhere,7"], "supervisors.csv:2: clinic: there is none of this id"),
        (["lead,north,7", "lead,north,7"], "supervisors.csv:3: the same stands in line 2"),
    ],
)
def test_a_faulty_list_of_supervisors_stops_the_night(
    tmp_path: Path, lines: list[str], fault: str
) -> None:
    workspace = make_service(tmp_path / "service")
    write_supervisors(workspace, *lines)
    with pytest.raises(NamesError) as raised:
        run(workspace)
    assert any(fault in told for told in raised.value.faults)
    assert list(workspace.archive.iterdir()) == []


def test_the_next_night_adds_numbers_for_their_owner_alone_and_drops_a_list_taken_away(
    service: Workspace,
) -> None:
    service.supervisors.unlink()
    (kept, _) = sorted(service.patient_numbers.iterdir())
    drop(service, "north", "forms_more.csv", form_file(form(9001, "Canary 99", 1, "2026-03-10", 1)))
    run(service, NEXT)
    assert list(service.current.glob("care_team/supervisor-*")) == []
    assert kept.name == "north.parquet" and kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o077 == 0
    everybody = [row[0] for row in duckdb.sql(f"select patient_id from '{kept}'").fetchall()]
    numbers = {row["number"] for row in patient_numbers(service, everybody)}
    assert numbers == {f"{CANARY} {n}" for n in range(1, 9)} | {"Canary 99"}
