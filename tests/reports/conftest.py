"""The rendered site, once for all tests of this folder."""

from collections.abc import Iterator

import pytest
from fixture_tables import make_tables
from page_reader import PageReader

from reports.drawings import Drawings, keeping
from reports.render import render


@pytest.fixture(scope="session")
def drawn() -> tuple[Drawings, dict[str, str]]:
    """What the pages of the made-up service draw, and the pages."""
    with keeping({}) as drawings:
        return drawings, dict(render("managers", make_tables()))


@pytest.fixture(scope="session")
def site(drawn: tuple[Drawings, dict[str, str]]) -> dict[str, str]:
    """Every page of the made-up service."""
    return drawn[1]


@pytest.fixture(autouse=True)
def drawn_once(drawn: tuple[Drawings, dict[str, str]]) -> Iterator[None]:
    """Tests that render once more draw only what they changed."""
    with keeping(drawn[0].used):
        yield


@pytest.fixture(scope="session")
def read(site: dict[str, str]) -> dict[str, PageReader]:
    """The same pages, parsed."""
    return {path: PageReader(html) for path, html in site.items()}
