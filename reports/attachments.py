"""Files that stand beside the pages of an audience and are no pages: what people take away."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reports.pages.mend import mend_tables
from reports.rows import Tables
from reports.workbook import figures_workbook

FIGURES: Final = "figures.xlsx"


def _managers(tables: Tables) -> Iterator[tuple[str, bytes]]:
    yield FIGURES, figures_workbook(tables)
    yield from mend_tables(tables)


ATTACHMENTS: Final[Mapping[str, Callable[[Tables], Iterator[tuple[str, bytes]]]]] = {
    "managers": _managers,
}


def attachments(audience: str, tables: Tables) -> Iterator[tuple[str, bytes]]:
    """Yields every such file of an audience as (name in its folder, bytes)."""
    if audience in ATTACHMENTS:
        yield from ATTACHMENTS[audience](tables)
