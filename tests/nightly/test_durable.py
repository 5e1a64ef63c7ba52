"""What a power cut would leave: nothing is put in its place before the disk has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.workspace import Workspace
from tests.nightly.conftest import NEXT, drop, form, form_file, run


def test_files_and_nights_are_on_the_disk_before_they_are_put_in_place(
    begun: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    unsynced: dict[str, list[str]] = {}
    shown_since_sync: set[Path] = set()
    rename, replace, mkdir = Path.rename, Path.replace, Path.mkdir

    def sync(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        shown_since_sync.difference_update(
            [p for p in shown_since_sync if p.parent.stat().st_ino == os.fstat(handle).st_ino]
        )

    def watched(path: Path, target: Path) -> None:
        if (
            path.is_symlink()
            or begun.archive in target.parents
            or begun.published in target.parents
        ):
            parts = [] if path.is_symlink() else [path, *path.rglob("*")]
            unsynced[target.name] = [p.name for p in parts if p.lstat().st_ino not in synced]
            shown_since_sync.add(target)

    def watched_rename(path: Path, target: Path) -> Path:
        watched(path, Path(target))
        return rename(path, target)

    def watched_replace(path: Path, target: Path) -> Path:
        watched(path, Path(target))
        return replace(path, target)

    def watched_mkdir(
        path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False
    ) -> None:
        if path.parent == begun.archive and not path.exists():
            shown_since_sync.add(path)
        mkdir(path, mode, parents=parents, exist_ok=exist_ok)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "mkdir", watched_mkdir)
    monkeypatch.setattr(Path, "rename", watched_rename)
    monkeypatch.setattr(Path, "replace", watched_replace)
    drop(begun, "north", "forms_2.csv", form_file(form(9001, "Late Patient", 1, "2026-03-01", 2)))
    outcome = run(begun, NEXT)
    assert outcome.folder.name in unsynced
    assert len(unsynced) >= 3  # the file that came, the night, the link to it
    assert {name: parts for name, parts in unsynced.items() if parts} == {}
    assert shown_since_sync == set()
