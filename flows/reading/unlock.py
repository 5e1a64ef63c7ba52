"""Workbooks locked with a password: decrypted into the scratch folder, where only its owner may read."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import msoffcrypto
from msoffcrypto.exceptions import (
    DecryptionError,
    FileFormatError,
    ParseError,
)

from flows.errors import FileRefused
from flows.reading.export import Export
from flows.reading.password import passwords_of

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Office writes 100 000 rounds; ten million would take a minute for every try.
MOST_ROUNDS = 1_000_000
BROKEN = (
    DecryptionError, FileFormatError, ParseError, ExpatError, struct.error, EOFError, OSError,
    ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError, AssertionError,
    RecursionError, NotImplementedError,
)  # fmt: skip


def is_compound(path: Path) -> bool:
    """True where the file is of the older kind that holds locked workbooks, and old ones."""
    with path.open("rb") as raw:
        return raw.read(len(COMPOUND)) == COMPOUND


def unlock(export: Export) -> Export:
    """The workbook inside a locked one.

    Raises:
        FileRefused: when it is no locked workbook, or the password does not open it.
    """
    target = export.folder / "unlocked"
    with export.path.open("rb") as raw:
        book = _locked(raw)
        _load_key(book, passwords_of(export))
        try:
            handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w+b") as sink:
                book.decrypt(sink, verify_integrity=True)
        except BROKEN:
            raise FileRefused("password-wrong") from None
    return replace(export, path=target)


def _load_key(book: Any, passwords: list[str]) -> None:
    """Take the first password that opens the workbook."""
    for password in passwords:
        try:
            book.load_key(password=password, verify_password=True)
        except BROKEN:
            continue
        return
    raise FileRefused("password-wrong")


def _locked(raw: Any) -> Any:
    try:
        book = msoffcrypto.OfficeFile(raw)
        is_locked = getattr(book, "format", None) == "ooxml" and book.is_encrypted()
        info = getattr(book, "info", None) or {}
        rounds = int(info.get("spinValue", 0)) if isinstance(info, dict) else 0
    except BROKEN:
        raise FileRefused("not-a-workbook") from None
    if not is_locked or rounds > MOST_ROUNDS:
        raise FileRefused("not-a-workbook")
    return book
