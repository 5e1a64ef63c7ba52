"""Pages for everyone outside of the service: the service as a whole, rounded, and nothing of anyone."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from reports.pages.shared import Page, shared
from reports.rows import Tables

FRONT: Final = "index.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for the public."""
    yield Page(FRONT, "public.html.j2", partial(shared, tables, "public"), "This service")
