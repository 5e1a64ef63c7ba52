"""The agreement that figures of therapists rest on: read from rapport.toml, refused where it is half."""

from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.init import make_workspace
from flows.settings import read_settings
from flows.workspace import Workspace


def workspace(root: Path, more: str) -> Workspace:
    made = Workspace(root)
    make_workspace(made, "Test", key=b"k" * 32, more_settings=more)
    return made


def test_a_new_workspace_states_no_agreement(tmp_path: Path) -> None:
    settings = read_settings(workspace(tmp_path / "w", ""))
    assert settings.governance.therapist_agreement is None


def test_reference_and_date_are_read(tmp_path: Path) -> None:
    more = '\n[governance]\ntherapist_agreement = { reference = "WA 12", date = 2026-01-31 }\n'
    agreed = read_settings(workspace(tmp_path / "w", more)).governance.therapist_agreement
    assert agreed is not None
    assert (agreed.reference, agreed.date.isoformat()) == ("WA 12", "2026-01-31")


@pytest.mark.parametrize(
    ("half", "path"),
    [
        ('{ reference = "WA 12" }', "governance.therapist_agreement.date"),
        ("{ date = 2026-01-31 }", "governance.therapist_agreement.reference"),
        ('{ reference = "", date = 2026-01-31 }', "governance.therapist_agreement.reference"),
    ],
)
def test_half_an_agreement_is_none(tmp_path: Path, half: str, path: str) -> None:
    more = f"\n[governance]\ntherapist_agreement = {half}\n"
    with pytest.raises(SettingsError, match=path.replace(".", r"\.")):
        read_settings(workspace(tmp_path / "w", more))
