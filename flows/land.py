"""Land: keep the bytes. What was dropped into the inbox is archived by its hash, never edited."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flows.errors import CorruptArchive, WorkspaceError
from flows.settings import InboxSettings
from flows.workspace import Workspace

CHUNK_BYTES = 4 << 20
PARTIAL_SUFFIXES = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Dropped:
    """A file found in a clinic's inbox.

    Attributes:
        path: where it lies.
        name: as the clinic named it.
        problem: rule that keeps it from being landed, with values for its message.
    """

    path: Path
    name: str
    problem: str | None = None
    kind: str = ""


@dataclass(frozen=True)
class Landed:
    """A file whose bytes are safe in the archive."""

    path: Path
    name: str
    sha256: str
    size: int


def inbox_clinics(workspace: Workspace) -> list[str]:
    """Clinics that have an inbox folder."""
    folders = (p for p in workspace.inbox.iterdir() if p.is_dir() and not p.is_symlink())
    return sorted(printable(p.name) for p in folders if not p.name.startswith("."))


def printable(name: str) -> str:
    """A file name that can be stored and printed: bytes that are no text are spelt out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def list_inbox(workspace: Workspace, clinic_id: str, settings: InboxSettings) -> list[Dropped]:
    """The files in a clinic's inbox, in name order, each settled or with the reason why not."""
    folder = workspace.inbox / clinic_id
    if not folder.is_dir():
        return []
    names = sorted(
        p.name for p in folder.iterdir()
        if not p.name.startswith((".", "~$")) and not p.name.endswith((".done", *PARTIAL_SUFFIXES))
    )  # fmt: skip
    found = [_look(folder / name) for name in names]
    plain = [dropped for dropped in found if dropped.problem is None]
    moving = _still_moving([dropped.path for dropped in plain], settings)
    return [
        Dropped(d.path, d.name, "file-changing") if d.path in moving else d
        for d in found
    ]  # fmt: skip


def _look(path: Path) -> Dropped:
    name = printable(path.name)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return Dropped(path, name, "file-changing")
    if name != path.name:
        return Dropped(path, name, "file-name")
    if stat.S_ISREG(mode):
        return Dropped(path, name)
    kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a device"
    return Dropped(path, name, "file-not-plain", kind)


def _still_moving(paths: Sequence[Path], settings: InboxSettings) -> set[Path]:
    """Files whose size or time of change does not stand still, or that lack their marker."""
    unmarked = {
        path for path in paths
        if settings.done_marker and not path.with_name(path.name + ".done").exists()
    }  # fmt: skip
    before = {path: _state(path) for path in paths}
    # A file untouched for long needs no watching; a young one is looked at twice. Clocks may
    # disagree, so a time of change in the future counts as young.
    young = [p for p in paths if not _age(before[p]) > settings.settle_seconds]
    if young and settings.settle_seconds:
        time.sleep(settings.settle_seconds)
    return unmarked | {path for path in young if _state(path) != before[path]}


def _state(path: Path) -> tuple[int, float] | None:
    """Size and time of change; None where the file is gone: uploads are often renamed at the end."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime


def _age(state: tuple[int, float] | None) -> float:
    return 0.0 if state is None else time.time() - state[1]


def archive_path(workspace: Workspace, sha256: str) -> Path:
    """Where the bytes with this hash are kept."""
    return workspace.archive / sha256[:2] / sha256


def archive(workspace: Workspace, dropped: Dropped) -> Landed | None:
    """Copy a file into the archive under its hash; None when it changed while it was read.

    The copy is complete on disk before it gets its name, so a night that is killed leaves either
    no archived file or a whole one.

    Raises:
        WorkspaceError: when the archive cannot be written.
    """
    before = _state(dropped.path)
    partial = workspace.archive / f".landing-{os.getpid()}"
    try:
        source = dropped.path.open("rb")
    except OSError:
        return None
    try:
        with source, partial.open("wb") as target:
            partial.chmod(0o600)
            sha256 = _copy(source, target)
        if before is None or _state(dropped.path) != before:
            return None
        kept = archive_path(workspace, sha256)
        if not kept.parent.is_dir():
            kept.parent.mkdir(mode=0o700)
            sync_folder(workspace.archive)
        partial.replace(kept)
        sync_folder(kept.parent)
    except OSError as error:
        raise WorkspaceError(
            f"{workspace.archive}: cannot be written ({error.strerror})",
            "Free some space or give the account that runs the night the right to write.",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return Landed(dropped.path, dropped.name, sha256, before[0])


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    """Copy all bytes, durably; their SHA-256."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def verified(workspace: Workspace, sha256: str) -> Path:
    """The archived file with this hash, after hashing it again.

    Raises:
        CorruptArchive: when it is gone or its bytes have changed.
    """
    path = archive_path(workspace, sha256)
    try:
        with path.open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        found = "missing"
    if found != sha256:
        raise CorruptArchive(
            f"{path}: the archived file is missing or no longer what was landed",
            "Restore archive/ from your backup.",
        )
    return path


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tidy(workspace: Workspace, landed: Sequence[tuple[str, str, str]]) -> int:
    """Remove published files from the inbox; one whose bytes have changed since stays.

    Args:
        workspace: where the inbox is.
        landed: clinic, file name and sha-256 of files that are archived and published.

    Returns:
        How many were removed.
    """
    removed = 0
    for clinic_id, name, sha256 in landed:
        path = workspace.inbox / clinic_id / name
        if not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as source:
            same = hashlib.file_digest(source, "sha256").hexdigest() == sha256
        if same:
            path.unlink()
            with contextlib.suppress(OSError):
                path.with_name(name + ".done").unlink(missing_ok=True)
            removed += 1
    return removed
