"""What is inside a workbook's archive, looked at before its parser sees it.

The parser keeps one cell for every place between the first and the last one used, and unpacks whatever
the archive says: a file of a few kilobytes can ask for all memory. So the parts that are needed are
unpacked under watch into an archive of their own, and the extent of each sheet is measured on the way.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np

from flows.errors import FileRefused
from flows.reading.archive import Archive, blocks, telling

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
KEPT = ("xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels", "[Content_Types].xml")
LARGEST_PLAN = 8 << 20
# The parser keeps all texts and the sheet in memory.
LARGEST_BOOK = 1 << 30
LARGEST_TAG = 64 << 20
# Rows times columns from A1: about a million rows of thirty columns.
MOST_CELLS = 32_000_000
LONGEST_REFERENCE = 12
# A document type, or an entity that XML does not know by itself: the parser would leave it out of a cell.
ENTITY = re.compile(rb"<!DOCTYPE|&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z_][\w.-]{0,40};")
LONGEST_ENTITY = 48
SPACED = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]*)""")
# A cell that points into the list of texts by what is no number: the parser would take the first text.
NO_TEXT = re.compile(rb"""=\s*["']s["'][^<>]*>\s*<v\b[^<>]*>(?![0-9]+<|<)""")
ERROR_CELL = re.compile(rb"""<c\b(?=[^<>]*\bt=["']e["'])[^<>]*?\br=["'][A-Z]+([0-9]+)["']""")
BARE_FORMULA = re.compile(
    rb"""<c\b(?![^<>]*\bt=["']str["'])[^<>]*?\br=["'][A-Z]+([0-9]+)["'][^<>]*>\s*"""
    rb"""(?:<f\b[^<>]*/>|<f\b[^<>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"""
)


@dataclass(frozen=True)
class SheetEntry:
    """One sheet as the workbook lists it."""

    name: str
    member: str
    is_visible: bool


@dataclass(frozen=True)
class BookPlan:
    """The sheets of a workbook, and whether its days are counted from 1904."""

    sheets: tuple[SheetEntry, ...]
    from_1904: bool


@dataclass
class SheetScan:
    """Measures a sheet while it is unpacked.

    Attributes:
        first_line: added to every row of the sheet.
        rows: the last row named.
        columns: the last column named.
        errors: rows of cells that hold an error of the spreadsheet.
        uncomputed: rows of formulas whose result is not in the file.
    """

    first_line: int = 0
    rows: int = 0
    columns: int = 0
    errors: list[int] = field(default_factory=list)
    uncomputed: list[int] = field(default_factory=list)
    rest: bytes = b""

    def see(self, block: bytes) -> None:
        """Look at the next block; what its last tag begins is kept for the one after."""
        part = self.rest + block
        end = max(part.rfind(b"<c "), part.rfind(b"<row "))
        end = part.rfind(b"<") if end <= 0 else end
        if end <= 0:
            if len(part) > LARGEST_TAG:
                raise FileRefused("cell-too-large", highest=LARGEST_TAG >> 20)
            self.rest = part
            return
        self.rest = part[end:]
        self._measure(part[:end])

    def finish(self) -> None:
        """Look at what is left, and refuse a sheet that reaches too far."""
        self._measure(self.rest)
        self.rest = b""
        if self.rows * self.columns > MOST_CELLS:
            spans = f"{self.rows} rows of {self.columns} columns"
            highest = f"{MOST_CELLS // 1_000_000} million"
            raise FileRefused(
                "sheet-too-large", line=self.first_line + 1, counted=spans, highest=highest
            )

    def _measure(self, part: bytes) -> None:
        data = np.frombuffer(part + b" " * LONGEST_REFERENCE, dtype=np.uint8)
        equals = np.flatnonzero(data == ord("="))
        equals = equals[(equals >= 2) & (equals < len(part))]
        before = data[equals - 1]
        named = equals[before == ord("r")]
        named = named[data[named - 2] <= ord(" ")]
        self._extend(data, named + 2)
        if (before <= ord(" ")).any() or (data[named + 1] <= ord(" ")).any():
            for letters, digits in SPACED.findall(part):
                self._extend(np.frombuffer(letters + digits + b" " * 12, dtype=np.uint8), [0])
        if NO_TEXT.search(part):
            raise FileRefused("not-a-workbook")
        if b'="e"' in part or b"='e'" in part:
            self.errors += map(int, ERROR_CELL.findall(part))
        if b"<f" in part:
            self.uncomputed += map(int, BARE_FORMULA.findall(part))

    def _extend(self, data: np.ndarray, at: np.ndarray | list[int]) -> None:
        """Stretch the extent to the references that begin at these bytes, as in `AB12`."""
        at = np.asarray(at, dtype=np.int64)
        if not len(at):
            return
        column = np.zeros(len(at), dtype=np.int64)
        row = np.zeros(len(at), dtype=np.int64)
        for step in range(LONGEST_REFERENCE):
            here = data[at + step].astype(np.int64)
            letter = ((here | 32) >= ord("a")) & ((here | 32) <= ord("z")) & (row == 0)
            digit = (here >= ord("0")) & (here <= ord("9"))
            column = np.where(letter, column * 26 + (here | 32) - ord("a") + 1, column)
            row = np.where(digit, row * 10 + here - ord("0"), row)
            if not (letter | digit).any():
                break
            # Past its last sign a reference must not grow again.
            data_ended = ~(letter | digit)
            at = np.where(data_ended, len(data) - LONGEST_REFERENCE, at)
        self.rows = max(self.rows, int(row.max()))
        self.columns = max(self.columns, int(column.max()))


def read_plan(archive: Archive) -> BookPlan:
    """The workbook's own list of its sheets.

    Raises:
        FileRefused: when it has none that can be read.
    """
    book, relations = (_tree(archive, name) for name in (WORKBOOK, RELATIONS))
    targets = {
        relation.get("Id", ""): _member(relation.get("Target", ""))
        for relation in relations.iter()
        if relation.get("Type", "").endswith("/worksheet")
    }
    sheets = []
    for sheet in book.findall("{*}sheets/{*}sheet"):
        relation = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
        if relation in targets:
            visible = sheet.get("state", "visible") == "visible"
            sheets.append(SheetEntry(sheet.get("name", ""), targets[relation], visible))
    properties = book.find("{*}workbookPr")
    epoch = properties.get("date1904", "0") if properties is not None else "0"
    return BookPlan(tuple(sheets), epoch in ("1", "true"))


def _tree(archive: Archive, name: str) -> ElementTree.Element:
    info = archive.members.get(name)
    if info is None or info.file_size > LARGEST_PLAN:
        raise FileRefused("not-a-workbook")
    with telling(archive.is_locked):
        content = archive.zip.read(info)
    # Entities can swell a small text without end; a workbook has none.
    if b"<!" in content.replace(b"<!--", b""):
        raise FileRefused("not-a-workbook")
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - no declarations, no entities
    except (ElementTree.ParseError, ValueError, LookupError):
        raise FileRefused("not-a-workbook") from None


def _member(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def repack(
    archive: Archive, chosen: list[SheetEntry], target: Path, stride: int
) -> list[SheetScan]:
    """Unpack what the chosen sheets need into a plain archive that only its owner may read.

    Args:
        archive: the workbook.
        chosen: sheets to be read.
        target: where the plain archive goes.
        stride: from the lines of one sheet to those of the next.

    Raises:
        FileRefused: when a sheet is absent, damaged or reaches too far.
    """
    scans = []
    needed = {sheet.member for sheet in chosen} | {*KEPT, WORKBOOK, RELATIONS}
    size = sum(info.file_size for name, info in archive.members.items() if name in needed)
    if size > LARGEST_BOOK:
        raise FileRefused("archive-too-large", counted=f"{size >> 20} MB")
    target.touch(mode=0o600)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as plain:
        for place, sheet in enumerate(chosen):
            if sheet.member not in archive.members or sheet.member in plain.namelist():
                raise FileRefused("not-a-workbook")
            scans.append(SheetScan(first_line=place * stride))
            _copy(archive, sheet.member, plain, scans[-1].see)
            scans[-1].finish()
        for name in (WORKBOOK, RELATIONS, *KEPT):
            if name in archive.members and name not in plain.namelist():
                _copy(archive, name, plain)
    return scans


def _copy(
    archive: Archive,
    name: str,
    plain: zipfile.ZipFile,
    watch: Callable[[bytes], None] | None = None,
) -> None:
    with (
        telling(archive.is_locked),
        archive.zip.open(archive.members[name]) as packed,
        plain.open(name, "w", force_zip64=True) as sink,
    ):
        before = b""
        for block in blocks(packed):
            seen = before + block
            # Most parts hold neither sign, and looking for two signs is quicker than for a pattern.
            if (b"&" in seen or b"<!" in seen) and ENTITY.search(seen):
                raise FileRefused("not-a-workbook")
            before = block[-LONGEST_ENTITY:]
            sink.write(block)
            if watch is not None:
                watch(block)
