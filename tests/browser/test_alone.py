"""Every page stands alone: links hold, nothing is fetched, no script runs, nobody is named."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import polars as pl
import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visits
from tests.browser.sites import ALIKE, DEMO, PAGES, SECTION, Sites

ROOT = Path(__file__).parents[2]
ADD_SCRIPT = """() => {
  const script = document.createElement("script");
  script.textContent = "window.hasRun = true";
  document.head.append(script);
  return window.hasRun === true;
}"""
ADD_IMAGE = """() => new Promise(done => {
  const image = new Image();
  image.onerror = () => done("blocked");
  image.onload = () => done("loaded");
  image.src = "http://127.0.0.1:9/pixel.png";
})"""
MOVING = """() => [...document.querySelectorAll("*")].filter(element => {
  const style = getComputedStyle(element);
  return style.animationName !== "none" || style.scrollBehavior !== "auto"
    || style.transitionDuration.split(", ").some(duration => parseFloat(duration) > 0);
}).length + document.getAnimations().length"""


@functools.cache
def ids(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r'\sid="([^"]+)"', path.read_text(encoding="utf-8")))


def test_no_page_of_the_demonstration_is_left_out(sites: Sites) -> None:
    found = {p.relative_to(sites.folder).as_posix() for p in sites.path("demo").rglob("*.html")}
    apart = {page for page in found if page.startswith("demo/care_team/")}
    sections = set(filter(SECTION.fullmatch, found))
    assert found - apart - sections == {*DEMO, *ALIKE} - sections
    assert apart and sections


def test_no_page_of_the_demonstration_weighs_300_kilobytes(sites: Sites) -> None:
    sizes = {path.name: path.stat().st_size for path in sites.path("demo").rglob("*.html")}
    assert max(sizes.values()) < 300_000, sizes


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_place_in_it(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    links = tab.eval_on_selector_all("[href]", "found => found.map(a => a.href)")
    links = [link for link in links if link != "data:,"]
    assert len(links) > 2
    for link in set(links):
        address, place = urldefrag(link)
        assert address.startswith("file://"), link
        path = Path(unquote(urlsplit(address).path))
        assert path.is_file(), link
        assert not place or place in ids(path), link


def test_the_site_can_be_walked_over_http(browser: Browser, sites: Sites) -> None:
    with served(sites.path("demo").resolve()) as origin, browser.new_context() as context:
        asked: list[str] = []
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        starts = ("managers/index", "auditors/index", "public/index")
        waiting, seen = [f"{origin}/{start}.html" for start in starts], set()
        while waiting:
            address = waiting.pop()
            seen.add(address)
            response = tab.goto(address)
            assert response is not None and response.ok, address
            hrefs = tab.eval_on_selector_all(
                "a[href]:not([download])", "found => found.map(a => a.href)"
            )
            nexts = {urldefrag(href)[0] for href in hrefs if ".html" in href}
            waiting += sorted(nexts - seen - set(waiting))
        found = sites.path("demo").resolve().rglob("*.html")
        assert len(seen) == len([path for path in found if "care_team" not in path.parts])
        tab.goto(f"{origin}/managers/index.html")
        tab.get_by_role("link", name="Alder practice").first.click()
        tab.wait_for_url(re.compile(r"/managers/clinic-alder\.html(#\w+)?$"))
        assert tab.get_by_role("heading", level=1).inner_text() == "Alder practice"
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(origin).netloc}


@pytest.mark.parametrize("page", PAGES)
def test_no_script_can_run_and_nothing_can_be_fetched(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    assert visits.complaints == []
    assert tab.locator("meta[http-equiv='Content-Security-Policy']").count() == 1
    assert tab.evaluate(ADD_SCRIPT) is False
    assert tab.evaluate(ADD_IMAGE) == "blocked"
    assert all("Content Security Policy" in said for said in visits.complaints)
    assert len(visits.complaints) >= 2
    visits.complaints.clear()


def test_without_the_policy_the_script_would_run(visits: Visits) -> None:
    assert visits.open(PAGES[0], bypass_csp=True).evaluate(ADD_SCRIPT) is True


@pytest.mark.parametrize("page", PAGES)
def test_nothing_needs_a_script_to_be_read(visits: Visits, page: str) -> None:
    tab = visits.open(page, java_script_enabled=False)
    # A click by the browser itself: scripts of the page are switched off.
    tab.eval_on_selector_all(
        "details:not([open]) > summary", "found => found.forEach(summary => summary.click())"
    )
    assert tab.locator("details:not([open])").count() == 0
    is_hidden = "found => found.filter(table => !table.checkVisibility()).length"
    assert tab.eval_on_selector_all("table, pre", is_hidden) == 0
    assert tab.locator("main").locator("table, pre, .course, li").count() > 0


@pytest.mark.parametrize("page", PAGES)
def test_nothing_moves_for_those_who_want_stillness(visits: Visits, page: str) -> None:
    assert visits.open(page).evaluate(MOVING) == 0


def test_no_patient_is_in_a_page_and_no_pseudonym_in_a_title_or_an_address(
    visits: Visits, sites: Sites
) -> None:
    truth = pl.read_parquet(sites.workspace.root / "truth" / "episode.parquet")
    patients = set(truth["patient_id"].to_list())
    scores = visits.open("demo/auditors/scores.html")
    pseudonyms = set(scores.locator("td code").all_inner_texts())
    assert len(patients) > 20 and len(pseudonyms) > 5
    for page in DEMO:
        text = sites.path(page).read_text(encoding="utf-8")
        assert not patients & set(re.findall(r"[\w-]+", text)), page
        titles = re.findall(r"<title>(.*?)</title>|(?:href|id)=\"(.*?)\"", text)
        told = " ".join([page, *(" ".join(pair) for pair in titles)])
        assert not any(name in told for name in patients | pseudonyms), page


def test_without_chromium_the_tests_say_that_they_did_not_run() -> None:
    told = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/browser/test_alone.py"),
            *("--chromium", "/nowhere/chromium", "-k", "would_run"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "browser tests NOT RUN: no Chromium (/nowhere/chromium); install Debian's" in told
    assert "skipped" in told and "passed" not in told


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder on this machine while the block runs."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
