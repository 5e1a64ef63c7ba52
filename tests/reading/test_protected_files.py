"""Archives and protected files: what is opened, with which password, and what is refused unopened."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import pyzipper
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from flows.reading.canonical import read_canonical
from schemas.export_format import Mapping
from schemas.mapping_faults import MappingFaults
from tests.reading.conftest import HEADER, REGISTRY, SAMPLES, Read, phq_mapping, row

CSV = f"{HEADER}\n{row('a')}\n{row('b')}\n".encode()
PASSWORD = "correct horse"


def by(**changes: Any) -> Mapping:
    return phq_mapping(**changes)


def read(path: Path, mapping: Mapping, workspace: Path | None = None) -> Read:
    with tempfile.TemporaryDirectory() as scratch:
        reading = read_canonical([path], mapping, REGISTRY, Path(scratch), workspace)
        assert not list(Path(scratch).iterdir()), "decrypted bytes are left behind"
    return Read(reading)


def aes(path: Path, content: bytes = CSV, name: str = "export.csv") -> Path:
    with pyzipper.AESZipFile(
        path, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(PASSWORD.encode())
        archive.writestr(name, content)
    return path


def workbook() -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as made:
        sheet = made.add_worksheet("S")
        for place, line in enumerate(CSV.decode().splitlines()):
            sheet.write_row(place, 0, line.split(","))
    return held.getvalue()


def locked_workbook(path: Path) -> Path:
    with path.open("wb") as sink:
        OOXMLFile(io.BytesIO(workbook())).encrypt(PASSWORD, sink)
    return path


MADE: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "aes zip of csv": (aes, {}),
    "aes zip of xlsx": (lambda p: aes(p, workbook(), "b.xlsx"), {"read__format": "xlsx"}),
    "locked xlsx": (locked_workbook, {"read__format": "xlsx"}),
}


@pytest.fixture(params=MADE)
def protected(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    make, changes = MADE[request.param]
    return make(tmp_path / "protected"), changes


def test_the_password_of_the_environment_opens_it(
    protected: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, changes = protected
    monkeypatch.setenv("NORTH_PASSWORD", PASSWORD)
    result = read(path, by(**changes, read__password_env="NORTH_PASSWORD"))
    assert result.forms == 2
    assert not result.rules("reject")


def test_the_password_may_lie_in_a_file_that_is_its_owners_alone(
    protected: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    path, changes = protected
    held = tmp_path / "secrets" / "north"
    held.parent.mkdir()
    held.write_text(PASSWORD + "\n", encoding="utf-8")
    held.chmod(0o600)
    mapping = by(**changes, read__password_file="secrets/north")
    assert read(path, mapping, tmp_path).forms == 2
    held.chmod(0o640)
    assert read(path, mapping, tmp_path).rules() == {"password-open"}
    held.unlink()
    assert read(path, mapping, tmp_path).rules() == {"password-absent"}
    assert read(path, mapping).rules() == {"password-absent"}


def test_without_a_right_password_it_is_refused_and_says_what_to_do(
    protected: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, changes = protected
    monkeypatch.delenv("NORTH_PASSWORD", raising=False)
    assert read(path, by(**changes)).rules() == {"password-needed"}
    named = by(**changes, read__password_env="NORTH_PASSWORD")
    absent = read(path, named)
    assert absent.rules() == {"password-absent"}
    assert "NORTH_PASSWORD" in absent.reading.findings["message"][0]
    monkeypatch.setenv("NORTH_PASSWORD", "battery staple")
    wrong = read(path, named)
    assert wrong.rules() == {"password-wrong"}
    assert "battery" not in str(wrong.reading.findings.to_dicts())


def test_of_several_passwords_the_one_that_fits_is_taken(
    protected: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, changes = protected
    monkeypatch.setenv("NORTH_PASSWORD", f"the next one\n{PASSWORD}\n")
    assert read(path, by(**changes, read__password_env="NORTH_PASSWORD")).forms == 2


def test_the_protected_sample_needs_its_password() -> None:
    assert read(SAMPLES / "mess" / "pw01_aes.zip", by()).rules() == {"password-needed"}


def test_a_file_that_should_be_protected_and_is_not_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(CSV)
    result = read(path, by(read__password_env="NORTH_PASSWORD"))
    assert result.forms == 2
    assert result.rules("warn") == {"password-unused"}


@pytest.mark.parametrize("damaged", [0.02, 0.3, 0.8])
def test_damage_of_a_protected_file_is_refused(
    protected: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, damaged: float
) -> None:
    path, changes = protected
    monkeypatch.setenv("NORTH_PASSWORD", PASSWORD)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * damaged)])
    result = read(path, by(**changes, read__password_env="NORTH_PASSWORD"))
    assert result.rules("reject")
    assert result.rows == []


@pytest.mark.parametrize("read_", [{"password_env": "a b"}, {"password_file": "../key"},
    {"password_file": "/etc/key"}, {"password_env": "A", "password_file": "b"}])  # fmt: skip
def test_a_password_is_named_and_never_written_or_looked_for_outside(read_: dict[str, str]) -> None:
    with pytest.raises(MappingFaults):
        by(**{f"read__{key}": value for key, value in read_.items()})


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("export.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_an_archive_of_one_file_is_that_file(tmp_path: Path) -> None:
    members = [("out/", b""), ("out/export.csv", CSV), ("__MACOSX/out/._export.csv", b"\x00")]
    path = zipped(tmp_path / "z", *members)
    result = read(path, by())
    assert result.forms == 2
    assert read(zipped(tmp_path / "x", ("b.xlsx", workbook())), by(read__format="xlsx")).forms == 2


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ([("../export.csv", CSV)], "archive-unsafe"),
        ([("a/../../export.csv", CSV)], "archive-unsafe"),
        ([("/etc/export.csv", CSV)], "archive-unsafe"),
        ([("C:\\export.csv", CSV)], "archive-unsafe"),
        ([("..\\export.csv", CSV)], "archive-unsafe"),
        ([(link(), b"/etc/passwd")], "archive-unsafe"),
        ([("export.csv", b"0" * (80 << 20))], "archive-too-large"),
        ([(f"f{n}", b"") for n in range(10_001)], "archive-too-large"),
        ([("a.csv", CSV), ("b.csv", CSV)], "archive-not-single"),
        ([], "archive-not-single"),
        ([("folder/", b"")], "archive-not-single"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "sav"])
def test_an_archive_that_no_exporting_system_makes_is_refused(
    tmp_path: Path, members: list[tuple[Any, bytes]], rule: str, form: str
) -> None:
    result = read(zipped(tmp_path / "z", *members), by(read__format=form))
    assert result.rules() == {rule}
    assert {path.name for path in tmp_path.iterdir()} == {"z"}


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", ("export.csv", CSV)).read_bytes()
    result = read(zipped(tmp_path / "z", ("inner.zip", inner)), by())
    assert result.rules() == {"archive-unsafe"}
    twice = zipped(tmp_path / "y", ("inner.zip", inner))
    assert read(twice, by(read__format="xlsx")).rules() == {"not-a-workbook"}


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "z", ("export.csv", CSV), ("export.csv", CSV))
    assert read(path, by()).rules() == {"archive-unsafe"}


def test_what_is_unpacked_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.reading import delimited

    modes = []
    whole = delimited.prepare

    def looking(source: Path, *rest: Any) -> Any:
        modes.extend([source.stat().st_mode, source.parent.stat().st_mode])
        return whole(source, *rest)

    monkeypatch.setattr(delimited, "prepare", looking)
    monkeypatch.setenv("NORTH_PASSWORD", PASSWORD)
    assert read(aes(tmp_path / "z"), by(read__password_env="NORTH_PASSWORD")).forms == 2
    assert [stat.S_IMODE(mode) for mode in modes] == [0o600, 0o700]


def test_tables_may_be_protected_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.reading.test_tables import TABLES, mapping

    path = tmp_path / "z"
    with pyzipper.AESZipFile(path, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(PASSWORD.encode())
        for name, text in TABLES.items():
            archive.writestr(name, text)
    monkeypatch.setenv("NORTH_PASSWORD", PASSWORD)
    locked = mapping(read={"format": "tables", "password_env": "NORTH_PASSWORD"})
    assert read(path, locked).forms == 2
    assert isinstance(read(path, locked).reading.rows, pl.DataFrame)
