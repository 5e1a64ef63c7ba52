"""Records with far too many cells, made harmless before the engine sees them.

The engine notes every surplus cell of a record together with the whole line: a line with a hundred
thousand of them would take gigabytes. So the surplus delimiters are blanked where they stand. The
record keeps its place, its length and one cell too many, and is refused like any other of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

# Delimiters beyond what the records of a file need that are left to the engine.
FEW = 1000
BLOCK_BYTES = 8 << 20


class SurplusCells:
    """Counts delimiters while the text is written; afterwards blanks those that are too many.

    Args:
        path: the text written for the engine.
        delimiter: between cells.
        width: how many columns the header has.
    """

    def __init__(self, path: Path, delimiter: str, width: int) -> None:
        self.path = path
        self.delimiter = delimiter.encode("utf-8")
        self.width = width
        self.counted = 0

    def count(self, part: bytes) -> None:
        """Add the delimiters of one piece of the text, those in quotes included."""
        if len(self.delimiter) == 1:
            data = np.frombuffer(part, dtype=np.uint8)
            self.counted += int(np.count_nonzero(data == self.delimiter[0]))
        else:
            self.counted += part.count(self.delimiter)

    def tame(self, starts: np.ndarray, spans: np.ndarray) -> None:
        """Blank surplus delimiters of the file, where there are many.

        Args:
            starts: byte offset of each record.
            spans: physical lines of each record; over several lines quotes may mislead, so that
                only what is far too wide is touched.
        """
        if self.counted <= len(starts) * (self.width - 1) + FEW:
            return
        data = np.memmap(self.path, dtype=np.uint8, mode="r+")
        allowed = np.where(spans == 1, self.width, 2 * self.width + FEW)
        for some, block in _blocks(data, starts):
            self._tame_block(block, starts[some] - starts[some.start], allowed[some])
        data.flush()

    def blank_cells(self, starts: np.ndarray) -> np.ndarray:
        """How many empty cells each record has beyond the last column, where it has no others there.

        Args:
            starts: byte offset of each record.
        """
        surplus = np.zeros(len(starts), dtype=np.int64)
        if self.counted == len(starts) * (self.width - 1):
            return surplus
        data = np.memmap(self.path, dtype=np.uint8, mode="r")
        for some, block in _blocks(data, starts):
            places = self._delimiters(block)
            begins = np.searchsorted(places, starts[some] - starts[some.start])
            beyond = np.diff(np.append(begins, len(places))) - (self.width - 1)
            surplus[some] = np.where(self._ends_blank(block, places, begins), beyond, 0)
        return surplus

    def take_out(self, starts: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Write the text anew without some of its records.

        Args:
            starts: byte offset of each record.
            which: True for those to be taken out.

        Returns:
            Byte offset of each record that stays.
        """
        data = np.memmap(self.path, dtype=np.uint8, mode="r")
        lengths = np.diff(np.append(starts, len(data)))
        target = self.path.with_suffix(".kept")
        with target.open("wb") as sink:
            sink.write(data[: starts[0]].tobytes())
            for some, block in _blocks(data, starts):
                sink.write(block[np.repeat(~which[some], lengths[some])].tobytes())
        target.replace(self.path)
        taken = np.cumsum(np.where(which, lengths, 0)) - np.where(which, lengths, 0)
        return (starts - taken)[~which]

    def _delimiters(self, block: np.ndarray) -> np.ndarray:
        """Where delimiters outside quotes stand in a block that begins with a record."""
        found = block == self.delimiter[-1]
        for back, byte in enumerate(reversed(self.delimiter[:-1]), start=1):
            found[back:] &= block[:-back] == byte
        places = np.flatnonzero(found)
        quotes = np.flatnonzero(block == ord('"'))
        return places[np.searchsorted(quotes, places) % 2 == 0]

    def _ends_blank(self, block: np.ndarray, places: np.ndarray, first: np.ndarray) -> np.ndarray:
        """True for records whose surplus cells are all empty: these the engine leaves out itself."""
        after = np.append(first[1:], len(places))
        is_wide = after - first >= self.width
        if not is_wide.any():
            return is_wide
        begin = places[np.where(is_wide, first + self.width - 1, 0)]
        end = places[np.where(is_wide, after - 1, 0)]
        next_byte = np.append(block, ord("\n"))[np.minimum(end + 1, len(block))]
        is_run = (end - begin) == (after - first - self.width) * len(self.delimiter)
        return is_wide & is_run & (next_byte == ord("\n"))

    def _tame_block(self, block: np.ndarray, starts: np.ndarray, allowed: np.ndarray) -> None:
        places = self._delimiters(block)
        record = np.searchsorted(starts, places, side="right") - 1
        first = np.searchsorted(places, starts)
        rank = np.arange(len(places)) - first[record]
        allowed = np.where(self._ends_blank(block, places, first), len(places), allowed)
        surplus = places[rank >= allowed[record]]
        for back in range(len(self.delimiter)):
            block[surplus - back] = ord(" ")


def _blocks(data: np.ndarray, starts: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some records after one another, and their bytes: a block's worth, but at least one record."""
    ends = np.append(starts[1:], len(data))
    first = 0
    while first < len(starts):
        last = int(np.searchsorted(ends, starts[first] + BLOCK_BYTES, side="right"))
        last = max(last, first + 1)
        yield slice(first, last), data[starts[first] : ends[last - 1]]
        first = last
