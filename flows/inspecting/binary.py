"""The first records of workbooks and statistics files as rows of text, for a person to look at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from python_calamine import CalamineWorkbook

from flows.errors import RapportError
from flows.reading.archive import is_archive, opened
from flows.reading.cell_text import text_column
from flows.reading.export import Export
from flows.reading.finding import Findings
from flows.reading.statistical import first_cases
from flows.reading.unlock import is_compound
from flows.reading.workbook import STRIDE, parsing
from flows.reading.workbook_package import WORKBOOK, read_plan, repack
from schemas.export_format import Read, Source
from schemas.mapping_read import FileFormat

# How files of statistics programs begin; Stata's older ones with the number of their kind.
STARTS: dict[bytes, FileFormat] = {
    b"$FL2": "sav",
    b"$FL3": "sav",
    b"<stata_dta>": "dta",
    b"HEADER RECORD*******LIBRARY": "xpt",
}
OLD_STATA = range(104, 116)


@dataclass(frozen=True)
class Rows:
    """The first rows of a file that is no text.

    Attributes:
        kind: format of the file.
        sheets: visible sheets by name with their first rows; one without a name for other formats.
    """

    kind: FileFormat
    sheets: dict[str, list[list[str]]]


def binary_rows(path: Path, start: bytes, limit: int) -> Rows | None:
    """The first rows of a workbook or statistics file; None for any other file.

    Raises:
        RapportError: for an archive that is no workbook, and a protected or old workbook.
        FileRefused: when the file is damaged.
    """
    if is_compound(path):
        raise RapportError(
            f"{path}: is a workbook with a password, or of the time before .xlsx:"
            " save a copy as .xlsx without password to look at it"
        )
    kind = _statistics_kind(start)
    with _exported(path, kind or "xlsx") as export:
        if kind is not None:
            return Rows(kind, {"": first_cases(export, limit)})
        return Rows("xlsx", _sheets(export, limit)) if is_archive(path) else None


def _statistics_kind(start: bytes) -> FileFormat | None:
    for mark, kind in STARTS.items():
        if start.startswith(mark):
            return kind
    is_old_stata = start[0] in OLD_STATA and start[1:2] in (b"\x01", b"\x02")
    return "dta" if is_old_stata else None


@contextmanager
def _exported(path: Path, kind: FileFormat) -> Iterator[Export]:
    source = Source.model_construct(name="inspect", read=Read(format=kind))
    with tempfile.TemporaryDirectory() as folder:
        yield Export(path, source, Path(folder), Findings())


def _sheets(export: Export, limit: int) -> dict[str, list[list[str]]]:
    """The first rows of every visible sheet, from the first line on."""
    with opened(export) as archive:
        if WORKBOOK not in archive.members:
            names = ", ".join(Path(name).name for name in list(archive.members)[:20])
            raise RapportError(
                f"{export.path}: is an archive of {len(archive.members)} files: {names}."
                " Unpack it and look at each; docs/mapping.md tells how archives of tables are joined"
            )
        visible = [sheet for sheet in read_plan(archive).sheets if sheet.is_visible]
        plain = export.folder / "workbook.zip"
        repack(archive, visible, plain, STRIDE)
    found = {}
    with parsing():
        book = CalamineWorkbook.from_path(str(plain))
        for entry in visible:
            rows = islice(book.get_sheet_by_name(entry.name).iter_rows(), limit)
            found[entry.name] = [_texts(row) for row in rows]
    return {name: rows for name, rows in found.items() if rows}


def _texts(row: Any) -> list[str]:
    return cast("list[str]", text_column(row, ".").to_list())
