"""What people meet: contrast, narrow windows, the keyboard, paper, and the first five seconds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.sites import PAGES, THERAPIST

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A theme changes colours alone; the rest is asked once for each width.
ASKED = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
# The rows of a long table are alike: the first twenty stand for the others.
RUN_AXE = """async only => {
  const parts = {include: [["html"]], exclude: [["tbody tr:nth-child(n + 21)"]]};
  const found = await axe.run(parts, {runOnly: only, resultTypes: ["violations"]});
  return found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""
OPEN_ALL = "() => document.querySelectorAll('details').forEach(part => { part.open = true; })"
CHART_ROWS = """() => [...document.querySelectorAll("figure.chart")].map(figure =>
  [...figure.querySelectorAll("table tbody tr")].filter(row => row.checkVisibility()).length)"""
# What is wider than its own box, though nothing lets the reader scroll there.
SPILLED = """() => [document.documentElement, ...document.querySelectorAll("body, body *")]
  .filter(box => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0)
  .filter(box => getComputedStyle(box).display !== "inline" && !box.closest(".scroll, .unseen, svg"))
  .filter(box => getComputedStyle(box).clipPath === "none")
  .map(box => `${box.tagName} ${box.className}: ${box.scrollWidth} in ${box.clientWidth}`)"""
REACHABLE = "a[href], summary, button, [tabindex='0']"
LISTEN = """wanted => {
  const all = [...document.querySelectorAll(wanted)].filter(part => part.checkVisibility());
  window.reached = [];
  document.addEventListener("focusin", ({target}) => {
    const {outlineStyle, outlineWidth} = getComputedStyle(target);
    const {width, height, bottom, top} = target.getBoundingClientRect();
    window.reached.push({
      place: all.indexOf(target),
      name: target.outerHTML.slice(0, 80),
      isMarked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
      isSeen: width > 0 && height > 0 && bottom > 0 && top < window.innerHeight,
    });
  });
  return all.length;
}"""
PRINTED_WIDTH, PRINTED_HEIGHT = 703, 1031  # A4 less its margins of 12 mm, in pixels
SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desk": (1280, 900)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ONE_OF_EACH = (*PAGES[:2], *PAGES[4:7], THERAPIST)


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_in_either_theme_at_any_width(visits: Visits, page: str) -> None:
    tab = visits.open(page, bypass_csp=True)
    tab.add_script_tag(path=AXE)
    found = []
    for width in (1280, 360):
        tab.set_viewport_size({"width": width, "height": 900})
        if width == 360:
            tab.evaluate(OPEN_ALL)
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme)
            run = tab.evaluate(RUN_AXE, ASKED[theme])
            found += [f"{width} {theme} {fault}" for fault in run]
    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_spills_out_of_its_box_at_any_width(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    # 640 is a window of 1280 at 200 %.
    for width in (1280, 640, 320):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate(SPILLED) == [], width


@pytest.mark.parametrize("page", PAGES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    n_reachable = tab.evaluate(LISTEN, REACHABLE)
    for _ in range(n_reachable):
        tab.keyboard.press("Tab")
    reached = tab.evaluate("window.reached")
    assert "Skip to the content" in reached[0]["name"]
    assert [step["place"] for step in reached] == list(range(n_reachable))
    assert [step["name"] for step in reached if not step["isMarked"]] == []
    assert [step["name"] for step in reached if not step["isSeen"]] == []


@pytest.mark.parametrize("page", ONE_OF_EACH)
def test_the_skip_link_skips(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    skip = tab.get_by_role("link", name="Skip to the content")
    expect(skip).not_to_be_in_viewport()
    tab.keyboard.press("Tab")
    expect(skip).to_be_in_viewport(ratio=1)
    tab.keyboard.press("Enter")
    expect(tab.locator("main")).to_be_focused()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("page", PAGES)
def test_every_drawing_has_a_name_and_its_table(visits: Visits, page: str) -> None:
    tab = visits.open(page)
    assert tab.locator("svg:not([aria-hidden]):not([role=img])").count() == 0
    for line in tab.locator("figure.course").all():
        # drawn small and many: each is told in words where it stands
        expect(line.get_by_role("img")).to_have_accessible_name(re.compile(r"\w+.*\d"))
    charts = tab.locator("figure.chart").all()
    for chart in charts:
        title = chart.locator(".chart-title").inner_text()
        expect(chart.get_by_role("img")).to_have_accessible_name(re.compile(re.escape(title)))
    assert tab.evaluate(CHART_ROWS) == [0] * len(charts)
    tab.evaluate(OPEN_ALL)
    assert all(rows > 0 for rows in tab.evaluate(CHART_ROWS))


@pytest.mark.parametrize("page", PAGES)
def test_paper_holds_whole_charts_with_their_tables(visits: Visits, page: str) -> None:
    tab = visits.open(page, PRINTED_WIDTH, PRINTED_HEIGHT)
    tab.emulate_media(media="print")
    expect(tab.locator(".skip")).to_be_hidden()
    charts = tab.locator(".chart, .card").evaluate_all(
        """found => found.map(part => ({
          inside: getComputedStyle(part).breakInside,
          height: part.getBoundingClientRect().height,
          isLong: part.classList.contains("chart-long"),
          drawn: part.querySelector("figure > svg, svg")?.getBoundingClientRect().height ?? 0,
          tables: [...part.querySelectorAll("table")].every(table => table.checkVisibility()),
          svgs: [...part.querySelectorAll("figure > svg")].every(drawn =>
            drawn.getBoundingClientRect().right <= part.getBoundingClientRect().right + 1),
        }))"""
    )
    for chart in charts:
        # a table of many rows may go on on the next page, its drawing may not
        assert chart["inside"] == ("auto" if chart["isLong"] else "avoid")
        assert chart["drawn" if chart["isLong"] else "height"] < PRINTED_HEIGHT
        assert chart["tables"] and chart["svgs"]
    assert tab.evaluate("document.documentElement.scrollWidth") <= PRINTED_WIDTH


@pytest.mark.parametrize("page", ONE_OF_EACH)
def test_a_page_becomes_a_pdf(visits: Visits, page: str) -> None:
    pdf = visits.open(page).pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1


@pytest.mark.parametrize("page", ["demo/managers/index.html", "made-up/managers/index.html"])
def test_five_seconds_tell_green_or_not_what_needs_attention_and_how_complete(
    visits: Visits, page: str
) -> None:
    tab = visits.open(page, 1280, 900)
    verdict = tab.locator(".night .verdict .badge")
    assert verdict.inner_text().split()[-1].lower() == "green"
    shares = tab.locator("section[aria-labelledby=complete] svg text[font-weight=bold]")
    assert shares.count() >= 3
    answers = [
        verdict,
        tab.get_by_role("heading", name="What needs attention"),
        *tab.locator(".attention li").all(),
        tab.get_by_role("heading", name="How complete the data is"),
        *shares.all(),
    ]
    for answer in answers:
        expect(answer).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_the_first_screen_answers_all_four_questions(visits: Visits, size: tuple[int, int]) -> None:
    tab = visits.open("demo/managers/index.html", *size)
    known = tab.locator(".tiles > div", has_text="Outcome known")
    assert re.search(r"\d+ %\s+\d+ of \d+", known.inner_text())
    for answer in (
        tab.locator(".night .verdict .badge"),
        known,
        *tab.locator(".attention li").all(),
        tab.get_by_role("heading", name="What changed"),
    ):
        expect(answer).to_be_in_viewport(ratio=1)


def test_screenshots(visits: Visits, pytestconfig: pytest.Config) -> None:
    """Puts pictures of one page of each kind into build/screenshots/."""
    if not pytestconfig.getoption("--screenshots"):
        pytest.skip("asked for with --screenshots")
    folder = pytestconfig.rootpath / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        tab = visits.open(page)
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme)
            for name, size in SIZES.items():
                stem = page.removesuffix(".html").replace("/", "-")
                _picture(tab, size, folder / f"{stem}-{theme}-{name}.png")


def _picture(tab: Page, size: tuple[int, int], path: Path) -> None:
    width, height = size
    tab.set_viewport_size({"width": width, "height": height})
    whole: Any = tab.evaluate("document.documentElement.scrollHeight")
    tab.screenshot(
        path=path,
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": min(whole, 4000)},
    )
