"""Tables of a page as CSV files beside it: what they say is read from the page, so that both agree."""

import csv
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePosixPath
from typing import Final

ROW: Final = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
CELL: Final = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
SIGN: Final = re.compile(r'<(\w+)\b[^>]*aria-hidden="true"[^>]*>.*?</\1>', re.DOTALL)
TAG: Final = re.compile(r"<[^>]*>")
# A spreadsheet would take what begins so for a formula; what it may hold in front of that is skipped.
FORMULA: Final = re.compile(r"[\s\x00-\x1f\ufeff\u200b-\u200f\u2060]*[=+\-@＝＋－＠]")
NUMBER: Final = re.compile(r"[+−-]?\d+([.,]\d+)?( %)?")
# So that whoever opens the folder sees pages, and not hundreds of tables.
FOLDER: Final = "tables"
# Tells a spreadsheet that the file is UTF-8.
MARK: Final = "\ufeff"


class Exports:
    """The tables of one page, in the order in which they stand on it, by the names of their files."""

    def __init__(self, path: str) -> None:
        """Takes the page's path; files stand in a folder beside it, named after it and by number."""
        page = PurePosixPath(path)
        self._folder, self._stem = page.parent, page.stem
        self.files: dict[str, str] = {}

    def add(self, table: str) -> str:
        """Takes a table as HTML and returns the name of its file, as a link from the page."""
        link = f"{FOLDER}/{self._stem}.table-{len(self.files) + 1}.csv"
        self.files[str(self._folder / link)] = written(table)
        return link


def written(table: str) -> str:
    """Returns the cells of an HTML table as CSV that a spreadsheet opens and runs nothing of."""
    out = io.StringIO()
    writer = csv.writer(out)
    # Columns that a cell further up still fills, and for how many rows.
    filled: dict[int, int] = {}
    for row in ROW.findall(table):
        cells: list[str] = []
        above, filled = filled, {column: left - 1 for column, left in filled.items() if left > 1}
        for _, attributes, inside in CELL.findall(row):
            while len(cells) in above:
                cells.append("")
            for number in range(_spanned(attributes, "colspan")):
                if (rows := _spanned(attributes, "rowspan")) > 1:
                    filled[len(cells)] = rows - 1
                cells.append("" if number else neutral(plain(inside)))
        writer.writerow(cells)
    return MARK + out.getvalue()


def _spanned(attributes: str, name: str) -> int:
    found = re.search(rf'\b{name}="(\d+)"', attributes)
    return int(found[1]) if found else 1


def plain(inside: str) -> str:
    """Returns the words of a cell, without the signs that only eyes see."""
    return " ".join(html.unescape(TAG.sub(" ", SIGN.sub(" ", inside))).split())


def neutral(cell: str) -> str:
    """Puts an apostrophe before what a spreadsheet would calculate; numbers stay numbers."""
    if NUMBER.fullmatch(cell):
        return cell.replace("−", "-")
    return f"'{cell}" if FORMULA.match(cell) else cell


_OPEN: ContextVar[Exports | None] = ContextVar("open", default=None)


@contextmanager
def exporting(exports: Exports | None) -> Iterator[None]:
    """Takes in the tables of the page that is rendered in the block; None: they have no files."""
    token = _OPEN.set(exports)
    try:
        yield
    finally:
        _OPEN.reset(token)


def export(box: str) -> str | None:
    """Takes in the table in a box of the page that is rendered; returns the name of its file, if any."""
    exports = _OPEN.get()
    return exports.add(box) if exports is not None and "<table" in box else None
