"""Remembers what was defined under which version, in SQL and in data, so that nothing changes under the same one.

`python -m tests.sql.definitions` (make definitions) enters new definitions and raised versions, and refuses to forget
one that changed under its version.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from flows.sql_files import SQL_ROOT, SqlFile, read_sql_files
from tests.sql.data_definitions import Definition, data_definitions, hashed

LOCK = Path(__file__).with_name("definitions.lock")
# What a header says beside prose: it decides what is counted, compared and shown.
DECIDING = ("kind", "minimum", "better", "levels", "frozen")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\w+|\s+|.", re.DOTALL)


def definition_of(file: SqlFile) -> Definition:
    """Version and hash of one file; comments, line breaks and prose do not count."""
    words = file.header.words
    deciding = [f"{key}: {words[key]}" for key in DECIDING if key in words]
    grain = [f"{column.name}{'?' * column.nullable}" for column in file.header.grain]
    text = "\n".join([*deciding, ", ".join(grain), normalised(file.text)])
    return hashed(int(words["version"]), text)


def normalised(sql: str) -> str:
    """The SQL without comments, its tokens one space apart; text in quotes stays as it is."""
    tokens = (match[0] for match in _TOKEN.finditer(sql))
    return " ".join(t for t in tokens if not t.startswith(("--", "/*")) and not t.isspace())


def definitions(root: Path = SQL_ROOT) -> dict[str, Definition]:
    """Every definition: those of SQL by path below sql/, those of data by file and name."""
    files = [file for file in read_sql_files(root) if "*" not in file.path]
    of_sql = {f"{file.stage}/{file.table}": definition_of(file) for file in files}
    return of_sql | data_definitions()


def remembered(text: str) -> dict[str, Definition]:
    """The lines of the lock file."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: Definition(int(version), content) for name, version, content in lines}


def faults(known: Mapping[str, Definition], found: Mapping[str, Definition]) -> list[str]:
    """Definitions that changed under the same version, and versions that went down."""
    return [
        f"{name}: its definition changed and its version is still {known[name].version}"
        if now.version == known[name].version
        else f"{name}: its version went from {known[name].version} down to {now.version}"
        for name, now in sorted(found.items())
        if name in known
        and (
            now.version < known[name].version
            or (now.version == known[name].version and now.content != known[name].content)
        )
    ]


def written(found: Mapping[str, Definition]) -> str:
    """The lock file's text."""
    head = "# Written by `make definitions`: what is defined, version, hash of what it says.\n"
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
                "Raise the `version` of each (`scoring_version` of a questionnaire's file), and say in"
                " CHANGELOG.md under 'Changes to numbers' which figure moves and why. Then run this again.",
            ]
        )
        sys.exit(1)
    _say([f"{LOCK.name} is up to date."])
