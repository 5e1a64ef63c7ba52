"""Where things stand in a published night, under today's names or those that older nights have."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MANAGERS: Final = "managers"
AUDITORS: Final = "auditors"
OLDER_NAMES: Final = {MANAGERS: "reports", AUDITORS: "audit"}


def front_page(night: Path) -> Path:
    """The page that a manager opens first."""
    return _folder(night, MANAGERS) / "index.html"


def snapshot_folder(night: Path) -> Path:
    """The folder that holds the tables."""
    return _folder(night, AUDITORS)


def _folder(night: Path, name: str) -> Path:
    older = night / OLDER_NAMES[name]
    return older if older.is_dir() else night / name
