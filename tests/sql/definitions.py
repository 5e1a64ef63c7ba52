"""Remembers what every SQL file defined under which version, so that none changes under the same one.

`python -m tests.sql.definitions` (make definitions) enters new files and raised versions, and refuses to forget a
definition that changed under its version.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from flows.sql_files import SQL_ROOT, SqlFile, read_sql_files

LOCK = Path(__file__).with_name("definitions.lock")
# What a header says beside prose: it decides what is counted, compared and shown.
DECIDING = ("kind", "minimum", "better", "levels", "frozen")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\w+|\s+|.", re.DOTALL)


class Definition(NamedTuple):
    """Version of a definition and the hash of what it says."""

    version: int
    content: str


def definition_of(file: SqlFile) -> Definition:
    """Version and hash of one file; comments, line breaks and prose do not count."""
    words = file.header.words
    deciding = [f"{key}: {words[key]}" for key in DECIDING if key in words]
    grain = [f"{column.name}{'?' * column.nullable}" for column in file.header.grain]
    text = "\n".join([*deciding, ", ".join(grain), normalised(file.text)])
    return Definition(int(words["version"]), hashlib.sha256(text.encode()).hexdigest()[:16])


def normalised(sql: str) -> str:
    """The SQL without comments, its tokens one space apart; text in quotes stays as it is."""
    tokens = (match[0] for match in _TOKEN.finditer(sql))
    return " ".join(t for t in tokens if not t.startswith(("--", "/*")) and not t.isspace())


def definitions(root: Path = SQL_ROOT) -> dict[str, Definition]:
    """Every file's definition, by path below sql/."""
    files = [file for file in read_sql_files(root) if "*" not in file.path]
    return {f"{file.stage}/{file.table}": definition_of(file) for file in files}


def remembered(text: str) -> dict[str, Definition]:
    """The lines of the lock file."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: Definition(int(version), content) for name, version, content in lines}


def faults(known: Mapping[str, Definition], found: Mapping[str, Definition]) -> list[str]:
    """Definitions that changed under the same version, and versions that went down."""
    return [
        f"sql/{name}.sql: its definition changed and its version is still {known[name].version}"
        if now.version == known[name].version
        else f"sql/{name}.sql: its version went from {known[name].version} down to {now.version}"
        for name, now in sorted(found.items())
        if name in known
        and (
            now.version < known[name].version
            or (now.version == known[name].version and now.content != known[name].content)
        )
    ]


def written(found: Mapping[str, Definition]) -> str:
    """The lock file's text."""
    head = "# Written by `make definitions`: SQL file, version, hash of what it defines.\n"
    return head + "".join(f"{name} {d.version} {d.content}\n" for name, d in sorted(found.items()))


def update(lock: Path, found: Mapping[str, Definition]) -> list[str]:
    """Enter what is new or raised; return the faults, which leave the file as it was."""
    known = remembered(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    if wrong := faults(known, found):
        return wrong
    lock.write_text(written(found), encoding="utf-8")
    return []


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    if wrong := update(LOCK, definitions()):
        _say(
            [
                *wrong,
                "Raise `version` in the header of each, and say in CHANGELOG.md under 'Changes to"
                " numbers' which figure moves and why. Then run this again.",
            ]
        )
        sys.exit(1)
    _say([f"{LOCK.name} is up to date."])
