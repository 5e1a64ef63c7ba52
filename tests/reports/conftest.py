"""The rendered site, once for all tests of this folder."""

import pytest
from fixture_tables import make_tables
from page_reader import PageReader

from reports.render import render


@pytest.fixture(scope="session")
def site() -> dict[str, str]:
    """Every page of the made-up service."""
    return dict(render("managers", make_tables()))


@pytest.fixture(scope="session")
def read(site: dict[str, str]) -> dict[str, PageReader]:
    """The same pages, parsed."""
    return {path: PageReader(html) for path, html in site.items()}
