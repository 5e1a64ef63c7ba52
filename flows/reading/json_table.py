"""JSON becomes a table of text: one record for each object, cells by dotted path.

What cannot be read as a record is written as a line that does not split, so that it is counted,
told and held like a broken line of any other file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from flows.errors import FileRefused
from flows.reading.cells import clean_name
from flows.reading.columns import carried_names, needed_columns, tell_unused
from flows.reading.delimited import TextTable, index_records
from flows.reading.fhir import ResponseWalk
from flows.reading.finding import Findings
from flows.reading.json_records import JsonRecord, ends_unfinished, read_records
from schemas.export_format import Source
from schemas.shaping import is_reshaped, shaped_source

JSON_FORMATS = ("json", "fhir")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffd]")


def prepare_json(path: Path, source: Source, target: Path, findings: Findings) -> TextTable:
    """Write the records of a JSON file as delimited text.

    Args:
        path: the file as delivered.
        source: the mapping's source; its columns are paths, in FHIR link ids too.
        target: where the records are written.
        findings: takes what is remarkable about the file as a whole.

    Raises:
        FileRefused: when the file is no JSON, is too large or too deep, or has no record.
    """
    names = json_columns(source)
    if source.read.format == "fhir":
        walk = ResponseWalk(source, names)
        if walk.needs_others:
            walk.index(read_records(path))
        table = _write(path, walk.rows(read_records(path)), names, source, target)
        walk.tell(findings)
        keys = [clean_name(name) for name in source.key]
        if keys and walk.remarks.responses and not walk.remarks.filled & set(keys):
            raise FileRefused("column-missing", line=1, column=" / ".join(keys), nearest="")
        return table
    seen: dict[str, None] = {}
    table = _write(path, _flat_rows(read_records(path), names, seen), names, source, target)
    tell_unused(source, tuple(seen), set(names), 1, findings)
    return _without(table, [name for name in names if name not in seen])


def json_columns(source: Source) -> list[str]:
    """Every name that the mapping reads, those of key columns included."""
    plain = source if is_reshaped(source) else shaped_source(source)
    made = {clean_name(name) for name in carried_names(source)}
    names = [name for choice in needed_columns(plain) for name in choice]
    names += [name for name in map(clean_name, source.key) if name not in made]
    if source.read.format == "fhir":
        names.append("status")
    return list(dict.fromkeys(names))


def _without(table: TextTable, absent: list[str]) -> TextTable:
    """The same table where columns that no record has go by names that nothing asks for."""
    columns = tuple(
        f"(column {n})" if name in absent else name for n, name in enumerate(table.columns, start=1)
    )
    return TextTable(
        table.path, columns, table.starts, table.lines, table.spans, table.header_line,
        table.ends_unfinished, delimiter=table.delimiter,
    )  # fmt: skip


def _write(
    path: Path,
    rows: Iterable[tuple[int, list[str] | None]],
    names: list[str],
    source: Source,
    target: Path,
) -> TextTable:
    """Write rows as they come; a row that is None, or has unfit text, as a line that does not split."""
    lines = []
    broken = source.read.delimiter.join(["!"] * (len(names) + 2)) + "\n"
    with target.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(
            sink, delimiter=source.read.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        for line, cells in rows:
            lines.append(line)
            if cells is None or any(UNFIT.search(cell) for cell in cells):
                sink.write(broken)
            else:
                writer.writerow(cells)
    if not lines:
        raise FileRefused("file-without-records", line=1)
    numbers = np.array(lines, dtype=np.int64)
    return TextTable(
        target, tuple(names), index_records(target), numbers, np.ones_like(numbers), 1,
        ends_unfinished(path), delimiter=source.read.delimiter,
    )  # fmt: skip


def _flat_rows(
    records: Iterable[JsonRecord], names: list[str], seen: dict[str, None]
) -> Iterator[tuple[int, list[str] | None]]:
    for record in records:
        if record.content is None:
            yield record.line, None
            continue
        cells = flat_cells(record.content)
        seen.update(dict.fromkeys(cells))
        yield record.line, [cells.get(name, "") for name in names]


def flat_cells(content: dict[str, Any]) -> dict[str, str]:
    """The cells of one object by dotted path."""
    return dict(_flat(content, ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Scalars by dotted path, elements of arrays by number from 0."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in inner:
            name = clean_name(str(key))
            yield from _flat(part, f"{path}.{name}" if path else name)
    else:
        yield path, scalar(value)


def scalar(value: Any) -> str:
    """A JSON value as the text of a cell: null is empty, line breaks are LF."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\r\n", "\n").replace("\r", "\n")
