"""The password of a protected file: from the environment, or a file of the workspace. Never from a mapping."""

from __future__ import annotations

import stat

from flows.errors import FileRefused
from flows.reading.export import Export
from flows.settings import secret

# Bits of a file's mode that let anybody but its owner in.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
LONGEST = 1024


def password_of(export: Export) -> str:
    """The password that the mapping names for this source.

    Raises:
        FileRefused: when the mapping names none, or what it names is not there or open to others.
    """
    read = export.source.read
    export.asked.append(read.format)
    if read.password_env is not None:
        found = secret(read.password_env)
        if found is None:
            raise FileRefused("password-absent", names=f"environment variable {read.password_env}")
        return found
    if read.password_file is None:
        raise FileRefused("password-needed")
    return _from_file(export, read.password_file)


def _from_file(export: Export, name: str) -> str:
    absent = FileRefused("password-absent", names=f"file {name} in the workspace")
    if export.workspace is None:
        raise absent
    path = export.workspace / name
    try:
        if stat.S_IMODE(path.stat().st_mode) & OTHERS:
            raise FileRefused("password-open", names=name)
        with path.open("rb") as held:
            text = held.read(LONGEST).decode("utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise absent from None
    if not text:
        raise absent
    return text
