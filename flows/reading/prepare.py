"""Which reader a file format has: each makes the same table of text, and all that follows is one path."""

from __future__ import annotations

from collections.abc import Callable

from flows.reading import delimited
from flows.reading.export import Export, Prepared

Reader = Callable[[Export], list[Prepared]]


def _delimited(export: Export) -> list[Prepared]:
    target = export.text()
    table = delimited.prepare(export.path, export.source.read, target, export.findings)
    return [Prepared(export.source, table)]


READERS: dict[str, Reader] = {
    "csv": _delimited,
}


def prepare(export: Export) -> list[Prepared]:
    """The records of one file as text.

    Raises:
        FileRefused: when the file is not what `read.format` says, or holds no records.
    """
    return READERS[export.source.read.format](export)
