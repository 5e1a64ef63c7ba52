"""Which reader a file format has: each makes the same table of text, and all that follows is one path."""

from __future__ import annotations

from collections.abc import Callable

from flows.reading import delimited, statistical, tables, workbook
from flows.reading.archive import is_archive, unwrap
from flows.reading.export import Export, Prepared
from flows.reading.json_table import prepare_json

Reader = Callable[[Export], list[Prepared]]


def _delimited(export: Export) -> list[Prepared]:
    if is_archive(export.path):
        export = unwrap(export)
    read = export.source.read
    if read.format == "tsv":
        read = read.model_copy(update={"delimiter": "\t"})
    table = delimited.prepare(export.path, read, export.text(), export.findings)
    return [Prepared(export.source, table, table.refused)]


def _json(export: Export) -> list[Prepared]:
    if is_archive(export.path):
        export = unwrap(export)
    table = prepare_json(export.path, export.source, export.text(), export.findings)
    return [Prepared(export.source, table)]


READERS: dict[str, Reader] = {
    "csv": _delimited,
    "tsv": _delimited,
    "xlsx": workbook.prepare,
    "sav": statistical.prepare,
    "dta": statistical.prepare,
    "xpt": statistical.prepare,
    "tables": tables.prepare,
    "json": _json,
    "fhir": _json,
}


def prepare(export: Export) -> list[Prepared]:
    """The records of one file as text.

    Raises:
        FileRefused: when the file is not what `read.format` says, or holds no records.
    """
    read = export.source.read
    prepared = READERS[read.format](export)
    if (read.password_env or read.password_file) and not export.asked:
        export.findings.add("password-unused")
    return prepared
