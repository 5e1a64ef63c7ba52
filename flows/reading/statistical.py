"""Files of statistics programs (SPSS, Stata, SAS transport): values become the text people see.

Codes that the file declares missing stay as they are, so that the mapping gives the reason; those it
does not give one for are told.
"""

from __future__ import annotations

import codecs
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyreadstat
from pyreadstat import PyreadstatError, ReadstatError

from flows.errors import FileRefused
from flows.reading.archive import is_archive, refuse_swelling, unwrap
from flows.reading.cell_text import text_column
from flows.reading.cells import clean_name
from flows.reading.export import Export, Prepared
from flows.reading.text_writer import TextWriter

READERS: dict[str, Callable[..., Any]] = {
    "sav": pyreadstat.read_sav,
    "dta": pyreadstat.read_dta,
    "xpt": pyreadstat.read_xport,
}
BATCH_CELLS = 1_000_000
CELL_BYTES = 8
# Where an SPSS file states how many cases it has, and what stands there where it does not know.
COUNT_OFFSET = 80
NO_COUNT = b"\xff\xff\xff\xff"
# A transport file is made of cards of as many bytes.
TRANSPORT_CARD = 80
LETTER = "^([a-z])$"
STATA_MISSING = r"^\.[a-z]$"
BROKEN = (
    PyreadstatError, ReadstatError, OSError, ValueError, OverflowError, KeyError, IndexError,
    TypeError, LookupError, MemoryError, struct.error,
)  # fmt: skip


def prepare(export: Export) -> list[Prepared]:
    """Read a data file in batches of rows; cases count as lines, from 1.

    Raises:
        FileRefused: when the file is damaged or of another kind.
    """
    if is_archive(export.path):
        export = unwrap(export)
    if export.source.read.format == "xpt" and export.path.stat().st_size % TRANSPORT_CARD:
        # It holds no count of its cases: what is cut off would not be missed.
        raise FileRefused("not-a-data-file", kind="xpt")
    columns, about = _batch(export, metadataonly=True)
    names = list(about.column_names)
    if not names:
        raise FileRefused("file-empty")
    if not all(names) or len(set(names)) < len(names):
        raise FileRefused("not-a-data-file", kind=export.source.read.format)
    size = max(1, BATCH_CELLS // len(names))
    writer = TextWriter(export.text())
    told = _Undeclared(export, about)
    done = 0
    while True:
        columns, about = _batch(export, row_limit=size, row_offset=done)
        height = len(next(iter(columns.values()), []))
        if height:
            lines = np.arange(done + 1, done + height + 1, dtype=np.int64)
            frame = _texts(columns, about, export.source.read.decimal)
            told.see(frame, names, lines)
            writer.write(frame, lines)
            done += height
        if height < size:
            break
        refuse_swelling(done * len(names) * CELL_BYTES, export.path.stat().st_size)
    if export.source.read.format == "sav" and _holds_more(export, names[0], done):
        raise FileRefused("not-a-data-file", kind="sav")
    told.tell()
    # The header of such a file stands on no line.
    table = writer.finish([clean_name(name) for name in names], header_line=0)
    return [Prepared(export.source, table)]


def first_cases(export: Export, limit: int) -> list[list[str]]:
    """Names and the first cases as rows of text, for a person to look at."""
    columns, about = _batch(export, row_limit=limit)
    frame = _texts(columns, about, export.source.read.decimal)
    return [list(about.column_names), *map(list, frame.fill_null("").rows())]


def _batch(export: Export, **rows: Any) -> tuple[dict[str, list[object]], Any]:
    """Columns of some rows as lists, and what the file says of itself."""
    read = export.source.read
    if read.format != "xpt":
        rows["user_missing"] = True
    if "encoding" in read.model_fields_set:
        rows["encoding"] = codecs.lookup(read.encoding).name.upper()
    try:
        return READERS[read.format](str(export.path), output_format="dict", **rows)
    except BROKEN:
        raise FileRefused("not-a-data-file", kind=read.format) from None


def _holds_more(export: Export, name: str, cases: int) -> bool:
    """True where an SPSS file holds more cases than it states: the reader stops at what is stated.

    Args:
        export: the file.
        name: of one of its variables.
        cases: as many as were read.
    """
    uncounted = replace(export, path=export.folder / "uncounted")
    shutil.copyfile(export.path, uncounted.path)
    with uncounted.path.open("r+b") as copy:
        copy.seek(COUNT_OFFSET)
        copy.write(NO_COUNT)
    columns, _ = _batch(uncounted, row_offset=cases, row_limit=1, usecols=[name])
    return any(columns.values())


def _texts(columns: dict[str, list[object]], about: Any, decimal: str) -> pl.DataFrame:
    texts = []
    for number, (name, cells) in enumerate(columns.items()):
        column = text_column(cells, decimal)
        if about.missing_user_values.get(name) and about.readstat_variable_types[name] != "string":
            column = column.str.replace(LETTER, ".$1")
        texts.append(column.alias(f"c{number}"))
    return pl.DataFrame(texts)


class _Undeclared:
    """Collects cells that the file declares missing and the mapping does not.

    Args:
        export: the file.
        about: what the file says of its variables.
    """

    def __init__(self, export: Export, about: Any) -> None:
        self.export = export
        self.ranges: dict[str, list[dict[str, Any]]] = about.missing_ranges or {}
        self.lines: dict[str, list[pl.Series]] = {}

    def see(self, frame: pl.DataFrame, names: Sequence[str], lines: np.ndarray) -> None:
        """Look through the next batch of rows."""
        is_stata = self.export.source.read.format == "dta"
        numbered = pl.Series("line", lines)
        for name, text in zip(names, frame.iter_columns(), strict=True):
            if name in self.ranges:
                inside = _within(text, self.ranges[name])
            elif is_stata:
                inside = text.str.contains(STATA_MISSING)
            else:
                continue
            undeclared = inside & ~text.is_in(list(self.export.source.missing))
            hit = numbered.filter(undeclared.fill_null(value=False))
            self.lines.setdefault(name, []).append(hit)

    def tell(self) -> None:
        """Add the findings."""
        for name, found in self.lines.items():
            lines = pl.concat(found)
            self.export.findings.add_lines("missing-undeclared", lines, clean_name(name))


def _within(text: pl.Series, ranges: Sequence[dict[str, Any]]) -> pl.Series:
    """True where a value lies in one of the ranges that the file declares missing."""
    inside = pl.Series("inside", np.zeros(len(text), dtype=bool))
    values = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    for span in ranges:
        low, high = span["lo"], span["hi"]
        same = text == low.rstrip() if isinstance(low, str) else values.is_between(low, high)
        inside |= same.fill_null(value=False)
    return inside
