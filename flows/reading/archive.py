"""Archives from outside: their names, sizes and passwords are checked before anything is unpacked."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

import pyzipper

from flows.errors import FileRefused
from flows.reading.export import Export
from flows.reading.password import passwords_of

MOST_MEMBERS = 10_000
LARGEST_UNPACKED = 4 << 30
# Deflate packs repetitions up to 1:1032; text exports stay under 1:100, sheets of empty rows under 1:200.
HIGHEST_RATIO = 250
# Below this nobody is hurt, whatever the ratio.
HARMLESS_BYTES = 64 << 20
BLOCK_BYTES = 1 << 20
MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What operating systems add to archives.
LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
BROKEN = (
    pyzipper.BadZipFile, pyzipper.LargeZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    NotImplementedError, OSError, ValueError, KeyError, IndexError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """An opened archive whose members were found harmless.

    Attributes:
        zip: the archive itself.
        members: what it holds, folders and litter left out, by name.
        is_locked: one of them needs a password.
    """

    zip: pyzipper.AESZipFile
    members: dict[str, pyzipper.ZipInfo]
    is_locked: bool

    def unpack(
        self, name: str, target: Path, watch: Callable[[bytes], object] | None = None
    ) -> Path:
        """Write one member to a file that only its owner may read; `watch` sees each block.

        Raises:
            FileRefused: when it cannot be unpacked, or is larger than it says.
        """
        with telling(self.is_locked), self.zip.open(self.members[name]) as packed:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as sink:
                for block in blocks(packed):
                    sink.write(block)
                    if watch is not None:
                        watch(block)
        return target


def is_archive(path: Path) -> bool:
    """True where the file begins as a zip archive does."""
    with path.open("rb") as raw:
        return raw.read(4) in MAGIC


class _Stream(Protocol):
    def read(self, n: int, /) -> bytes: ...


def blocks(stream: _Stream) -> Iterator[bytes]:
    """The bytes of a stream, a block at a time."""
    while block := stream.read(BLOCK_BYTES):
        yield block


@contextmanager
def telling(is_locked: bool) -> Iterator[None]:
    """Turn what the unpacker raises into a refusal.

    A wrong password of the old kind of encryption is sometimes only seen as damage.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, NotImplementedError) or not is_locked:
            raise FileRefused("archive-unreadable") from None
        raise FileRefused("password-wrong") from None
    except BROKEN:
        raise FileRefused("password-wrong" if is_locked else "archive-unreadable") from None


@contextmanager
def opened(export: Export) -> Iterator[Archive]:
    """Open an archive after looking at its list of members.

    Raises:
        FileRefused: when it is damaged, locked without a password that opens it, or unsafe.
    """
    with telling(is_locked=False):
        archive = pyzipper.AESZipFile(export.path)
    with archive:
        listed = archive.infolist()
        _refuse_unsafe(listed, export.path.stat().st_size)
        members = {i.filename: i for i in listed if not i.is_dir() and not _is_litter(i.filename)}
        is_locked = any(info.flag_bits & 1 for info in members.values())
        if is_locked:
            _unlock(archive, members, passwords_of(export))
        yield Archive(archive, members, is_locked)


def _unlock(
    archive: pyzipper.AESZipFile, members: dict[str, pyzipper.ZipInfo], passwords: list[str]
) -> None:
    """Set the first password that opens the first locked member."""
    locked = next(info for info in members.values() if info.flag_bits & 1)
    for password in passwords:
        archive.setpassword(password.encode())
        try:
            with telling(is_locked=True), archive.open(locked) as packed:
                packed.read(1)
        except FileRefused:
            continue
        return
    raise FileRefused("password-wrong")


def _is_litter(name: str) -> bool:
    return name.startswith(LITTER[0]) or PurePosixPath(name).name in LITTER[1:]


def _refuse_unsafe(listed: list[pyzipper.ZipInfo], packed: int) -> None:
    """Refuse names that lead out of the archive, links, doubled names, and what would swell."""
    if len(listed) > MOST_MEMBERS:
        raise FileRefused("archive-too-large", counted=f"{len(listed)} files")
    names = [info.orig_filename for info in listed]
    climbing = [name for name in names if _climbs(name)]
    if climbing:
        raise FileRefused("archive-unsafe", kind="a name that leads out of the archive")
    if any(stat.S_ISLNK(info.external_attr >> 16) for info in listed):
        raise FileRefused("archive-unsafe", kind="a link in place of a file")
    if len({info.filename for info in listed}) < len(listed):
        raise FileRefused("archive-unsafe", kind="two files of one name")
    unpacked = sum(info.file_size for info in listed)
    if unpacked > LARGEST_UNPACKED:
        raise FileRefused("archive-too-large", counted=f"{unpacked >> 20} MB")
    refuse_swelling(unpacked, packed)


def refuse_swelling(unpacked: int, packed: int) -> None:
    """Refuse a packed file that holds more than packed files of exports do.

    Args:
        unpacked: bytes.
        packed: bytes.

    Raises:
        FileRefused: where it does.
    """
    if unpacked > HARMLESS_BYTES and unpacked > HIGHEST_RATIO * packed:
        raise FileRefused("archive-too-large", counted=f"{unpacked >> 20} MB")


def _climbs(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or "\x00" in name or name[1:2] == ":"


def unwrap(export: Export) -> Export:
    """The one file inside an archive, as the file to be read.

    Raises:
        FileRefused: when there are none or several, or the one is an archive again.
    """
    with opened(export) as archive:
        if len(archive.members) != 1:
            raise FileRefused("archive-not-single", counted=len(archive.members))
        inner = archive.unpack(next(iter(archive.members)), export.folder / "unpacked")
    if is_archive(inner) and export.source.read.format not in ("xlsx",):
        raise FileRefused("archive-unsafe", kind="an archive inside the archive")
    return replace(export, path=inner)
