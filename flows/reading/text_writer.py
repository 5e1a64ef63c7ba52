"""Records that a reader has as columns of text, written in the one form the engine reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from flows.errors import FileRefused
from flows.reading.delimited import LONGEST_LINE, RecordIndex, TextTable

REPLACEMENT = "\ufffd".encode()
DELIMITER = ","


class TextWriter:
    """Writes frames of text one after another and keeps where each record came from.

    Args:
        path: where the records go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[np.ndarray] = []
        self.index = RecordIndex(first_line=1)
        path.touch(mode=0o600)

    def write(self, frame: pl.DataFrame, lines: np.ndarray) -> None:
        """Add records.

        Args:
            frame: columns of text only, as many as in every other frame; NULL is an empty cell.
            lines: where each record stands in the delivered file.

        Raises:
            FileRefused: when a cell holds what no text should hold.
        """
        if frame.is_empty():
            return
        part = _delimited(frame)
        if b"\r" in part:
            breaks = pl.all().str.replace_all("\r\n?", "\n")
            part = _delimited(frame.with_columns(breaks))
        starts = self.index.offset
        before = len(self.index.ends)
        self.index.add(part)
        ends = np.concatenate(self.index.ends[before:]) - starts
        _refuse_damaged(part, ends, lines)
        with self.path.open("ab") as sink:
            sink.write(part)
        self.lines.append(lines)

    def finish(self, columns: Sequence[str], header_line: int) -> TextTable:
        """The table of everything written.

        Args:
            columns: cleaned header names; an empty one is called by its place.
            header_line: where the names stand in the delivered file.

        Raises:
            FileRefused: when there is no record.
        """
        if not self.lines:
            raise FileRefused("file-without-records", line=header_line or None)
        starts, _, _ = self.index.finish()
        lines = np.concatenate(self.lines)
        if len(starts) != len(lines):
            raise AssertionError(f"{len(lines)} records, {len(starts)} written")
        named = tuple(name or f"(column {place})" for place, name in enumerate(columns, start=1))
        spans = np.ones(len(lines), dtype=np.int64)
        return TextTable(
            self.path, named, starts, lines, spans, header_line, ends_unfinished=False,
            delimiter=DELIMITER,
        )  # fmt: skip


def _delimited(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    # A record of one empty cell would be a blank line, which is none.
    cells = frame.fill_null("") if frame.width == 1 else frame
    cells.write_csv(sink, include_header=False, separator=DELIMITER, quote_style="necessary")
    return sink.getvalue()


def _refuse_damaged(part: bytes, ends: np.ndarray, lines: np.ndarray) -> None:
    """Control characters, replacement characters, and records longer than the engine takes."""
    data = np.frombuffer(part, dtype=np.uint8)
    low = data < ord(" ")
    low &= (data != ord("\n")) & (data != ord("\t"))
    if low.any():
        at = int(np.argmax(low))
        line = int(lines[np.searchsorted(ends, at)])
        raise FileRefused("cell-control-character", line=line, kind=f"U+{data[at]:04X}")
    if (at := part.find(REPLACEMENT)) >= 0:
        raise FileRefused("cell-damaged", line=int(lines[np.searchsorted(ends, at)]))
    lengths = np.diff(ends, prepend=-1)
    if lengths.max(initial=0) >= LONGEST_LINE:
        line = int(lines[int(np.argmax(lengths))])
        raise FileRefused("cell-too-large", line=line, highest=LONGEST_LINE >> 20)
