"""The names of a table: which row holds them, what stands above, and names that go over several rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from flows.errors import FileRefused
from flows.reading.cells import clean_name
from flows.reading.finding import Findings
from schemas.export_format import Read

HEADER_RECORDS = 200
JOINED = " | "


def tell_preamble(before: Counter[str], line: int, lines: int, findings: Findings) -> None:
    """Say what stands above the header, from `line` on."""
    if before:
        kinds = ", ".join(f"{n} x {kind}" for kind, n in before.items())
        findings.add("preamble", line=line, lines=lines, kinds=kinds)


class Lines(Protocol):
    """Records in file order, and the line on which the last one given out ends."""

    @property
    def line_num(self) -> int: ...  # noqa: D102 - said above

    def __iter__(self) -> Iterator[list[str]]: ...


def search_header(reader: Lines, read: Read) -> tuple[tuple[str, ...], int, Counter[str]]:
    """The header's names, the line before it, and what kinds of lines those before it are.

    Raises:
        FileRefused: when no record near the beginning holds the names looked for.
    """
    wanted = {clean_name(name) for name in read.header.find}
    before: Counter[str] = Counter()
    starts_after = 0
    for record in reader:
        kind = _kind(record)
        names = tuple(clean_name(cell) for cell in record)
        if wanted <= set(names) if wanted else kind == "title line":
            return names, starts_after, before
        before[kind] += 1
        starts_after = reader.line_num
        if before.total() - before["blank line"] >= HEADER_RECORDS:
            break
    if not wanted:
        raise FileRefused("file-empty")
    searched = f"{HEADER_RECORDS} records"
    raise FileRefused("header-not-found", searched=searched, names=", ".join(read.header.find))


def _kind(record: list[str]) -> str:
    if record and record[0].startswith("sep="):
        return "sep= line"
    return "title line" if any(cell.strip() for cell in record) else "blank line"


def joined_names(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names that go over several rows: a name in the first row reaches to the right as far as others lie below.

    A question stands once above the columns of its parts, and above an answer that has no parts.
    """
    width = max(len(row) for row in rows)
    cells = [[clean_name(cell) for cell in (*row, *[""] * (width - len(row)))] for row in rows]
    names, above = [], ""
    for first, *rest in zip(*cells, strict=True):
        above = first or above
        parts = [part for part in rest if part]
        names.append(JOINED.join([above, *parts] if above and parts else [first, *parts]))
    return tuple(name.removeprefix(JOINED) for name in names)
