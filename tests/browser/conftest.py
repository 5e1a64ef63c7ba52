"""One browser for each worker; every visit counts what leaves and what is complained of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.browser.sites import Sites, build_sites

HERE = Path(__file__).parent
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visits:
    """Opens pages without a network, and remembers what they asked for and complained of."""

    browser: Browser
    sites: Sites
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, page: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        """Opens a page of `PAGES` in a context of its own; options are those of `new_context`."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            **{"reduced_motion": "reduce", **options},
        )
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        context.route("**/*", self._answer)
        context.set_offline(True)
        tab = context.new_page()
        tab.on("console", self._hear)
        tab.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        tab.goto(self.sites.path(page).as_uri())
        return tab

    def close(self) -> None:
        """Closes every page."""
        for context in self._contexts:
            context.close()

    def _answer(self, route: Route) -> None:
        if route.request.url.startswith("file://"):
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.complaints.append(f"{message.type}: {message.text}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chromium = str(config.getoption("--chromium"))
    if Path(chromium).is_file():
        return
    for item in items:
        if HERE in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=f"no Chromium ({chromium})"))


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Both sites, built once for all workers."""
    own = tmp_path_factory.getbasetemp()
    is_worker = own.name.startswith("popen-")
    return build_sites(own.parent if is_worker else own)


@pytest.fixture(scope="package")
def browser(sites: Sites, pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Chromium; closed before other folders' tests, because it keeps an event loop running."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=pytestconfig.getoption("--chromium"), args=ARGUMENTS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visits(browser: Browser, sites: Sites) -> Iterator[Visits]:
    """Visits of one test, which must ask for nothing and hear no complaint."""
    visits = Visits(browser, sites)
    yield visits
    visits.close()
    assert visits.requests == [], "a page asked for something outside"
    assert visits.complaints == [], "the browser complained"
