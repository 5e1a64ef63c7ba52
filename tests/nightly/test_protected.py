"""A clinic that protects its exports: the night waits for the password, and takes nothing away."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
import pyzipper

from flows.warehouse import open_warehouse
from flows.workspace import Workspace
from tests.nightly.conftest import (
    MAPPING,
    NEXT,
    NIGHT,
    drop,
    first_forms,
    form,
    form_file,
    make_service,
    run,
)


def locked(text: str, password: str) -> bytes:
    held = io.BytesIO()
    with pyzipper.AESZipFile(held, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        archive.writestr("forms.csv", text)
    return held.getvalue()


def open_forms(workspace: Workspace) -> int:
    with open_warehouse(workspace, NEXT) as con:
        row = con.execute(
            "select count(*) from valid.form_version"
            " where known_to = date '9999-12-31' and clinic_id = 'north'"
        ).fetchone()
    return row[0] if row else 0


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_service(tmp_path / "service")
    for path in (made.inbox / "north").iterdir():
        path.unlink()
    mapping = MAPPING.format(clinic="north").replace("forms_*.csv", "forms_*.zip")
    named = mapping.replace(
        '[source.read]\nformat = "csv"\n',
        '[source.read]\nformat = "csv"\npassword_file = "secrets/north"\n',
        1,
    )
    (made.clinics / "north.toml").write_text(named, encoding="utf-8")
    drop(made, "north", "forms_1.zip", locked(first_forms(), "first"))
    return made


def put(workspace: Workspace, *passwords: str) -> None:
    folder = workspace.root / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / "north").write_text("\n".join(passwords), encoding="utf-8")
    (folder / "north").chmod(0o600)


def test_the_clinic_waits_until_its_password_is_there(workspace: Workspace) -> None:
    outcome = run(workspace)
    assert "secrets/north" in outcome.failed["north"]
    assert open_forms(workspace) == 0
    put(workspace, "first")
    assert not run(workspace, NEXT).failed
    assert open_forms(workspace) == 24


def test_a_wrong_password_is_mended_without_a_new_delivery(workspace: Workspace) -> None:
    put(workspace, "other")
    outcome = run(workspace)
    assert [(clinic, rule) for clinic, _, rule in outcome.refused] == [("north", "password-wrong")]
    put(workspace, "other", "first")
    run(workspace, NEXT)
    assert open_forms(workspace) == 24


def test_what_was_read_stays_while_the_password_is_away_or_changes(workspace: Workspace) -> None:
    put(workspace, "first")
    run(workspace, NIGHT)
    (workspace.root / "secrets" / "north").unlink()
    assert "north" in run(workspace, NEXT).failed
    assert open_forms(workspace) == 24
    put(workspace, "second")
    assert "no longer opened" in run(workspace, NEXT).failed["north"]
    assert open_forms(workspace) == 24
    put(workspace, "first", "second")
    later = locked(form_file(form(9001, "Later", 1, "2026-03-01", 1)), "second")
    drop(workspace, "north", "forms_2.zip", later)
    run(workspace, NEXT + timedelta(days=1))
    assert open_forms(workspace) == 25
    assert list(workspace.scratch.iterdir()) == []
