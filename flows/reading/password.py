"""Passwords of protected files: from the environment, or a file of the workspace. Never from a mapping."""

from __future__ import annotations

import hmac
import stat
from collections.abc import Iterable
from pathlib import Path

from flows.errors import FileRefused
from flows.reading.export import Export
from flows.settings import secret
from schemas.export_format import Read

# Bits of a file's mode that let anybody but its owner in.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
LONGEST = 64 << 10


def passwords_of(export: Export) -> list[str]:
    """The passwords that the mapping names for this source.

    Raises:
        FileRefused: when the mapping names none, or what it names is not there or open to others.
    """
    export.asked.append(export.source.read.format)
    return named_passwords(export.source.read, export.workspace)


def named_passwords(read: Read, workspace: Path | None) -> list[str]:
    """One password a line: a clinic changes its password, and its older files are still read again.

    Raises:
        FileRefused: as `passwords_of`.
    """
    if read.password_env is not None:
        text, place = secret(read.password_env), f"environment variable {read.password_env}"
    elif read.password_file is not None:
        place = f"file {read.password_file} in the workspace"
        text = _from_file(workspace, read.password_file)
    else:
        raise FileRefused("password-needed")
    found = [line for line in (text or "").splitlines() if line]
    if not found:
        raise FileRefused("password-absent", names=place)
    return found


def fingerprint(reads: Iterable[Read], workspace: Path, key: bytes) -> bytes:
    """Changes where a password changes, and tells nothing of it to who has not the key.

    Raises:
        FileRefused: as `passwords_of`.
    """
    named = [read for read in reads if read.password_env or read.password_file]
    held = "\x1f".join("\n".join(named_passwords(read, workspace)) for read in named)
    return hmac.new(key, held.encode(), "sha256").digest() if named else b""


def _from_file(workspace: Path | None, name: str) -> str | None:
    if workspace is None:
        return None
    try:
        with (workspace / name).open("rb") as held:
            if stat.S_IMODE((workspace / name).stat().st_mode) & OTHERS:
                raise FileRefused("password-open", names=name)
            return held.read(LONGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
