"""Charts as readers get them: the drawing, the same in words, and the same as a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from reports import drawings, look, specs, svg
from reports.language import _, spoken
from reports.rows import Row

PART_OF_SCALE: Final = "The axis shows only a part of the scale: small differences look large."
NOTHING: Final = "–"
# Rows of a table that stand on one sheet beside their drawing.
LONG_TABLE: Final = 24


@dataclass(frozen=True)
class Chart:
    """One drawing with its title, legend, words and table; `drawing` is safe to inline."""

    title: str
    legend: tuple[tuple[str, str], ...]
    remark: str | None
    drawing: Markup
    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]

    @property
    def is_long(self) -> bool:
        """Whether its table may go on on the next sheet of paper."""
        return len(self.body) > LONG_TABLE


def written(
    chart_id: str,
    kind: str,
    values: Sequence[Row],
    title: str,
    legend: Iterable[tuple[str, str]],
    head: tuple[str, ...],
    body: Sequence[tuple[str, ...]],
    summary: str | None = None,
    ends: Iterable[tuple[str, ...]] | None = None,
    remark: str | None = None,
) -> Chart:
    """Draws a chart and writes its text alternative from its own table, so that both agree.

    A chart of many rows has a summary, or `ends`: what it shows, or the rows at its ends, in place
    of every row of its table. A remark, already in the language of the page, stands under it.
    """
    title, head = _(title), tuple(_(name) for name in head)
    body = [tuple(_(cell) for cell in row) for row in body]
    legend = [(mark, _(name)) for mark, name in legend]
    lines = max((len(row["label"]) for row in values if "row" in row), default=1)
    spoken_rows = body if ends is None else [tuple(_(cell) for cell in row) for row in ends]
    told = summary or " ".join(_sentence(head, row) for row in spoken_rows)
    part = _(PART_OF_SCALE) if kind.endswith("_mean") else None
    said = f"{remark}." if remark else None
    remark = " ".join(text for text in (summary, said, part) if text) or None
    texts = Markup("").join(
        svg.row_text(specs.row_top(kind, row, lines), look.WIDTH, row["label"], row["text"])
        for row in values
        if "row" in row
    )
    drawing = svg.named(
        drawings.draw(kind, values, lines), chart_id, title, told, texts, spoken().comma
    )
    return Chart(title, tuple(legend), remark, drawing, head, tuple(body))


def _sentence(head: Sequence[str], row: Sequence[str]) -> str:
    cells = zip(head[1:], row[1:], strict=True)
    told = [f"{name} {cell}" for name, cell in cells if cell != NOTHING]
    return f"{row[0]}: {'; '.join(told)}."
