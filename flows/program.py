"""Which program this is: a night's pages depend on it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("flows", "schemas", "sql", "reports")
KINDS = (".py", ".sql", ".toml", ".yaml", ".j2", ".css", ".js")


@cache
def program_version() -> str:
    """The installed version, with the first digits of the program's own hash."""
    try:
        number = version("rapport")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{program_hash()[:8]}"


@cache
def program_hash() -> str:
    """Hash of every file that decides what a page says."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in KINDS:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
