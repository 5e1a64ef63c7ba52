"""JSON becomes a table of text: one record for each object, cells by dotted path.

What cannot be read as a record is written as a line that does not split, so that it is counted,
told and held like a broken line of any other file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from flows.errors import FileRefused
from flows.reading.cells import clean_name
from flows.reading.columns import carried_names, needed_columns, tell_unused
from flows.reading.delimited import TextTable, index_records
from flows.reading.fhir import ResponseWalk, is_never_referred_to
from flows.reading.finding import Findings
from flows.reading.json_records import JsonRecord, ends_unfinished, scalar
from flows.reading.json_shapes import UNFIT, Shape, Stretch, shapes
from flows.reading.json_stretches import record_of_shape, records_of, stretches
from schemas.export_format import Source
from schemas.shaping import is_reshaped, shaped_source

JSON_FORMATS = ("json", "fhir")


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
            for part in stretches(path):
                walk.index(_others(part))
        table = _write(path, walk, names, source, target)
        walk.tell(findings)
        keys = [clean_name(name) for name in source.key]
        if keys and walk.remarks.responses and not walk.remarks.filled & set(keys):
            raise FileRefused("column-missing", line=1, column=" / ".join(keys), nearest="")
        return table
    rows = FlatRows(names)
    table = _write(path, rows, names, source, target)
    tell_unused(source, tuple(rows.seen), set(names), 1, findings)
    return _without(table, [name for name in names if name not in rows.seen])


def json_columns(source: Source) -> list[str]:
    """Every name that the mapping reads, those of key columns included."""
    plain = source if is_reshaped(source) else shaped_source(source)
    made = {clean_name(name) for name in carried_names(source)}
    names = [name for choice in needed_columns(plain) for name in choice]
    names += [name for name in map(clean_name, source.key) if name not in made]
    if source.read.format == "fhir":
        names.append("status")
    return list(dict.fromkeys(names))


def _others(part: Stretch | Iterable[JsonRecord]) -> Iterator[JsonRecord]:
    """The records of a part of the file that a response may refer to."""
    if not isinstance(part, Stretch):
        yield from part
        return
    alike, odd = shapes(part)
    left = [odd]
    for shape in alike:
        record = record_of_shape(part, shape)
        if record is None or not is_never_referred_to(record.content or {}):
            left.append(shape.rows)
    for row in np.sort(np.concatenate(left)).tolist():
        yield from records_of(part, part.text(row), int(part.lines[row]))


def _without(table: TextTable, absent: list[str]) -> TextTable:
    """The same table where columns that no record has go by names that nothing asks for."""
    columns = tuple(
        f"(column {n})" if name in absent else name for n, name in enumerate(table.columns, start=1)
    )
    return replace(table, columns=columns)


def _write(
    path: Path, rows: RowReader, names: list[str], source: Source, target: Path
) -> TextTable:
    """Write records as they come; one that cannot be read as a line that does not split."""
    lines: list[np.ndarray] = []
    with target.open("wb") as sink:
        for part in stretches(path):
            cells = _cells_of(part, rows, len(names))
            if len(cells):
                lines.append(cells["line"].to_numpy())
                _as_text(cells, source.read.delimiter).write_csv(
                    sink, include_header=False, quote_style="never"
                )
    if not lines:
        raise FileRefused("file-without-records", line=1)
    numbers = np.concatenate(lines)
    return TextTable(
        target, tuple(names), index_records(target), numbers, np.ones_like(numbers), 1,
        ends_unfinished(path), delimiter=source.read.delimiter,
    )  # fmt: skip


def _cells_of(part: Stretch | Iterable[JsonRecord], rows: RowReader, width: int) -> pl.DataFrame:
    """The rows of a part of the file in its order: columns `row`, `line`, `whole`, and c0, c1, ..."""
    if not isinstance(part, Stretch):
        return _one_by_one(((n, record) for n, record in enumerate(part)), rows, width)
    alike, odd = shapes(part)
    frames, left = [], [odd]
    for shape in alike:
        record = record_of_shape(part, shape)
        lines = pl.Series("line", part.lines[shape.rows])
        columns = rows.of_shape(record, shape, lines) if record else None
        if columns is None:
            left.append(shape.rows)
        elif columns:
            places = [pl.Series("row", shape.rows), lines]
            named = [column.alias(f"c{n}") for n, column in enumerate(columns)]
            frame = pl.DataFrame([*places, *named])
            frames.append(frame.insert_column(2, pl.lit(value=True).alias("whole")))
    single = (
        (row, record)
        for row in np.sort(np.concatenate(left)).tolist()
        for record in records_of(part, part.text(row), int(part.lines[row]))
    )
    frames.append(_one_by_one(single, rows, width))
    return pl.concat(frames).sort("row", maintain_order=True)


def _one_by_one(
    records: Iterable[tuple[int, JsonRecord]], rows: RowReader, width: int
) -> pl.DataFrame:
    found = []
    for row, record in records:
        for cells in rows.of_record(record):
            whole = cells is not None and not any(map(UNFIT.search, cells))
            found.append((row, record.line, whole, *(cells if cells and whole else [""] * width)))
    schema = {"row": pl.Int64, "line": pl.Int64, "whole": pl.Boolean}
    schema |= {f"c{n}": pl.String for n in range(width)}
    return pl.DataFrame(found, schema=schema, orient="row")


def _as_text(cells: pl.DataFrame, delimiter: str) -> pl.DataFrame:
    """One line of delimited text a row."""
    width = cells.width - 3
    quoted = [
        pl.format('"{}"', pl.col(f"c{n}").str.replace_all('"', '""', literal=True))
        for n in range(width)
    ]
    broken = pl.lit(delimiter.join(["!"] * (width + 2)))
    text = pl.concat_str(quoted, separator=delimiter)
    return cells.select(pl.when("whole").then(text).otherwise(broken))


class RowReader(Protocol):
    """Makes rows of cells, in the order of the table's names, out of records."""

    def of_record(self, record: JsonRecord) -> Iterable[list[str] | None]:
        """The row of a record; None in its place where it cannot be read, none where it has none."""
        ...

    def of_shape(
        self, record: JsonRecord, shape: Shape, lines: pl.Series
    ) -> list[pl.Series] | None:
        """The columns of all records of a shape, no column where they have no rows.

        None where each is to be read by itself.

        Args:
            record: what they are, with marks as values.
            shape: where the values are.
            lines: of the records.
        """
        ...


@dataclass
class FlatRows:
    """Rows of objects whose scalars go by dotted path.

    Attributes:
        names: columns of the table.
        seen: every path that a record has.
    """

    names: list[str]
    seen: dict[str, None] = field(default_factory=dict)

    def of_record(self, record: JsonRecord) -> Iterable[list[str] | None]:
        """The cells of one object."""
        if record.content is None:
            return [None]
        cells = flat_cells(record.content)
        self.seen.update(dict.fromkeys(cells))
        return [[cells.get(name, "") for name in self.names]]

    def of_shape(
        self, record: JsonRecord, shape: Shape, lines: pl.Series
    ) -> list[pl.Series] | None:
        """The cells of objects that are built alike."""
        (row,) = self.of_record(record)
        return [shape.column(cell) for cell in row] if row else None


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
