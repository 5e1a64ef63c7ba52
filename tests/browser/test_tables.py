"""Longer tables sort by their headings, with mouse and keyboard; every table can be taken along as CSV."""

from __future__ import annotations

import os
import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visits

PAGE = "demo/managers/methods.html"
TABLE = """<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">Share</th>
<th scope="col">Day</th></tr></thead><tbody>
<tr><th scope="row">b</th><td>9 % (2 to 30)</td><td><time datetime="2026-02-01">1 Feb 2026</time></td></tr>
<tr><th scope="row">a</th><td>–</td><td><time datetime="2025-12-31">31 Dec 2025</time></td></tr>
<tr><th scope="row">Ä</th><td>10 %</td><td><time datetime="2026-01-15">15 Jan 2026</time></td></tr>
<tr><th scope="row">c 10</th><td>-0.5</td><td>–</td></tr>
<tr><th scope="row">c 9</th><td>too few to show</td><td><time datetime="2026-03-01">1 Mar 2026</time></td></tr>
<tr><th scope="row">d</th><td>1,200</td><td>–</td></tr>
</tbody></table></div>"""
AS_IT_STOOD = ["b", "a", "Ä", "c 10", "c 9", "d"]


def names(table: Locator) -> list[str]:
    return table.locator("tbody th").all_inner_texts()


def opened(visits: Visits, table: str = TABLE) -> tuple[Page, Locator]:
    """A page of the site with another table in it, its script run as the page's policy lets it."""
    path = visits.sites.path(PAGE)
    text = path.read_text(encoding="utf-8").replace("<h1>", f"{table}<h1>", 1)
    # The folder is shared with the other processes of the run.
    copy = visits.sites.folder / f"sorted-{os.getpid()}.html"
    copy.write_text(text, encoding="utf-8")
    tab = visits.open(copy.name)
    return tab, tab.locator("table").first


def test_a_heading_sorts_up_and_down_and_back(visits: Visits) -> None:
    tab, table = opened(visits)
    share = table.get_by_role("button", name="Share")
    share.click()
    # numbers by size; what is no number after them, what is not known last
    assert names(table) == ["c 10", "b", "Ä", "d", "c 9", "a"]
    expect(table.locator("th", has_text="Share")).to_have_attribute("aria-sort", "ascending")
    share.click()
    assert names(table) == ["d", "Ä", "b", "c 10", "c 9", "a"]
    expect(table.locator("th", has_text="Share")).to_have_attribute("aria-sort", "descending")
    share.click()
    assert names(table) == AS_IT_STOOD
    assert table.locator("[aria-sort]").count() == 0


def test_names_sort_as_people_sort_and_days_by_date_with_the_keyboard(visits: Visits) -> None:
    tab, table = opened(visits)
    table.get_by_role("button", name="Name").focus()
    tab.keyboard.press("Enter")
    assert names(table) == ["a", "Ä", "b", "c 9", "c 10", "d"]
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    assert names(table) == ["a", "Ä", "b", "c 9", "c 10", "d"]
    expect(table.locator("[aria-sort]")).to_have_text("Day")


def test_short_tables_and_pages_without_scripts_have_no_buttons(visits: Visits) -> None:
    short = TABLE.replace("<tbody>", "<tbody hidden>").replace(
        '<tr><th scope="row">d', "</tbody><tr><th>d"
    )
    tab, table = opened(
        visits, short[: short.index('<tr><th scope="row">Ä')] + "</tbody></table></div>"
    )
    assert table.locator("button").count() == 0
    plain = visits.open("demo/auditors/scores.html", java_script_enabled=False)
    assert plain.locator("th button").count() == 0
    assert visits.open("demo/auditors/scores.html").locator("th button").count() > 5


def test_a_table_can_be_taken_along(visits: Visits) -> None:
    tab = visits.open("demo/managers/data-quality.html")
    link = tab.locator("a[download]").first
    href = link.get_attribute("href")
    file = visits.sites.path("demo/managers/" + str(href))
    assert file.read_text(encoding="utf-8-sig").count("\n") > 1
    expect(link).to_have_accessible_name(re.compile(r"^CSV of: \w.+, table$"))
