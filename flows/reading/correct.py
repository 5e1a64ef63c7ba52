"""Corrections of single cells, applied to a file's text before anything is read from it."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

import numpy as np

from flows.errors import CorrectionError
from flows.reading.cells import clean_name
from flows.reading.delimited import TextTable, recount
from flows.reading.finding import Findings
from schemas.correction import Correction


@dataclass(frozen=True)
class Numbered:
    """A correction and its place in corrections.toml, counted from 1."""

    place: int
    correction: Correction


def correct(table: TextTable, entries: Sequence[Numbered], findings: Findings) -> TextTable:
    """The same table with the corrected cells; each correction leaves a finding.

    Args:
        table: records as text; its file is written anew.
        entries: corrections of this file.
        findings: takes one finding for each.

    Raises:
        CorrectionError: with every correction that does not fit what was delivered.
    """
    if not entries:
        return table
    if table.is_quoted_oddly:
        table = recount(table)
    records: dict[int, list[Numbered]] = {}
    faults = []
    for entry in entries:
        line = findings.line_in(entry.correction.part, entry.correction.line)
        found = np.flatnonzero(table.lines == line)
        if len(found):
            records.setdefault(int(found[0]), []).append(entry)
        else:
            what = "no record begins on this line" if line else _which_part(findings.places)
            faults.append(_fault(entry, what))
    ends = np.append(table.starts[1:], table.path.stat().st_size)
    texts: dict[int, bytes] = {}
    with table.path.open("rb") as text:
        for record, of_record in sorted(records.items()):
            text.seek(int(table.starts[record]))
            before = text.read(int(ends[record] - table.starts[record]))
            texts[record] = _corrected(before, table, of_record, faults)
    if faults:
        raise CorrectionError(faults)
    for entry in entries:
        about = entry.correction
        line = findings.line_in(about.part, about.line)
        findings.add("cell-corrected", line, about.column, entry=entry.place)
    return _rewritten(table, ends, texts)


def refuse_parts(entries: Sequence[Numbered], places: Sequence[str]) -> None:
    """Refuse corrections of a part that the file does not have.

    Raises:
        CorrectionError: with every one of them.
    """
    left = [entry for entry in entries if entry.correction.part not in places]
    if left:
        raise CorrectionError([_fault(entry, _which_part(places)) for entry in left])


def _which_part(places: Sequence[str]) -> str:
    known = ", ".join(f'"{place}"' for place in places)
    return (
        f"`part` has to be one of {known}" if known else "the file has no parts: leave out `part`"
    )


def _fault(entry: Numbered, what: str) -> str:
    line, column = entry.correction.line, entry.correction.column
    return f"correction.{entry.place}: line {line}, column {column}: {what}"


def _corrected(
    before: bytes, table: TextTable, entries: Sequence[Numbered], faults: list[str]
) -> bytes:
    """The text of one record with its cells replaced; what does not fit goes to `faults`."""
    text = before.decode("utf-8")
    cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=table.delimiter), [])
    for entry in entries:
        correction = entry.correction
        places = [n for n, c in enumerate(table.columns) if c == clean_name(correction.column)]
        if len(places) != 1:
            what = "several columns have this name" if places else "there is no such column"
            faults.append(_fault(entry, what))
        elif places[0] >= len(cells) or cells[places[0]] != correction.old:
            faults.append(_fault(entry, "the cell does not hold what `old` says"))
        else:
            cells[places[0]] = correction.new
    out = io.StringIO()
    csv.writer(out, delimiter=table.delimiter, lineterminator="\n").writerow(cells)
    kept = len(text) - len(text.rstrip("\n"))
    return (out.getvalue().rstrip("\n") + "\n" * kept).encode("utf-8")


def _rewritten(table: TextTable, ends: np.ndarray, texts: dict[int, bytes]) -> TextTable:
    """Writes the file anew around the changed records, and moves the offsets behind them."""
    starts = table.starts.copy()
    target = table.path.with_suffix(".corrected")
    with table.path.open("rb") as before, target.open("wb") as after:
        for record, text in sorted(texts.items()):
            _copy(before, after, int(table.starts[record]) - before.tell())
            after.write(text)
            before.seek(int(ends[record]))
            starts[record + 1 :] += len(text) - int(ends[record] - table.starts[record])
        shutil.copyfileobj(before, after)
    target.replace(table.path)
    return replace(table, starts=starts)


def _copy(before: IO[bytes], after: IO[bytes], size: int) -> None:
    while size > 0:
        part = before.read(min(size, 1 << 20))
        after.write(part)
        size -= len(part)
