"""What every page promises: it stands alone, its links hold, and it reads in order."""

import base64
import hashlib
import re
from itertools import pairwise

import pytest
from fixture_tables import make_tables
from page_reader import PageReader

from reports.attachments import attachments
from reports.render import count_pages, render

# Mail programs refuse pages with scripts, so the pages that are mailed have none.
MAILED = "mend-"
POLICY_WITHOUT_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'; img-src data:"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def test_the_site_has_every_page_once(site):
    tables = make_tables()
    sections = {row["section"] for row in tables["figure"]}
    over_time = {"over-time", *(f"over-time.{name}" for name in sections)}
    clinics = {
        f"{row['page']}{kind}.html"
        for row in tables["clinic"]
        for kind in ("", *(f".{name}" for name in over_time))
    }
    therapists = {f"{row['page']}.html" for row in tables["therapist"] if row["has_page"]}
    fixed = {
        "index.html",
        "changed.html",
        *(f"{name}.html" for name in over_time),
        "alliance.html",
        "on-track.html",
        "on-track.phq9.html",
        "endings.html",
        "model-card.html",
        "data-quality.html",
        "methods.html",
    }
    mended = {f"{row['page']}.html" for row in tables["fix_clinic"]}
    assert set(site) == fixed | mended | clinics | therapists


def test_every_link_leads_to_a_page_and_a_place_in_it(read):
    beside = {name for name, _ in attachments("managers", make_tables())}
    for path, page in read.items():
        for link in page.all("a"):
            if "download" in link.attributes:
                continue
            target, _, place = link.attributes["href"].partition("#")
            if target in beside:
                continue
            assert (target or path) in read, (path, link.attributes["href"])
            ids = {e.attributes.get("id") for e in read[target or path].elements}
            assert not place or place in ids, (path, link.attributes["href"])


def test_no_page_asks_for_anything_from_outside(site, read):
    for path, page in read.items():
        scripts = page.all("script")
        assert len(scripts) == (0 if path.startswith(MAILED) else 1), path
        policy = POLICY_WITHOUT_SCRIPT
        for script in scripts:
            assert script.attributes == {}, path
            digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
            policy = POLICY.format(digest)
        assert page.all("meta", content=policy), path
        for element in page.elements:
            assert element.tag not in {"iframe", "object", "embed", "img", "form"}, path
            for name, value in element.attributes.items():
                assert not name.startswith("on"), (path, element)
                if name not in {"title", "aria-label"}:
                    assert "//" not in value, (path, element)
        assert "@import" not in site[path]
        assert not re.search(r"url\((?!#)", site[path]), path


def test_pages_are_well_nested_and_ids_are_unique(read):
    for path, page in read.items():
        assert page.faults == [], path
        ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids)), path
        known = set(ids)
        for element in page.elements:
            named_by = element.attributes.get("aria-labelledby", "").split()
            assert set(named_by) <= known, (path, named_by)


def test_headings_step_down_one_at_a_time_and_landmarks_are_there(read):
    for path, page in read.items():
        levels = [int(e.tag[1]) for e in page.elements if e.tag in HEADINGS]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), path
        assert all(e.text.strip() for e in page.elements if e.tag in HEADINGS), path
        assert page.all("html", lang="en"), path
        for landmark in ("header", "main", "footer"):
            assert len(page.all(landmark)) == 1, path
        assert all(nav.attributes.get("aria-label") for nav in page.all("nav")), path
        assert page.all("a", class_="skip", href="#main"), path


def test_wide_tables_scroll_in_a_box_that_can_be_focused(read):
    for path, page in read.items():
        for table in page.all("table"):
            boxes = [e for e in table.ancestors if e.attributes.get("class") == "scroll"]
            assert boxes, path
            assert boxes[0].attributes["role"] == "region"
            assert boxes[0].attributes["tabindex"] == "0"
            assert boxes[0].attributes["aria-label"].strip(), path
            heads = [e for e in page.all("th") if table in e.ancestors]
            assert heads
            assert all(e.attributes.get("scope") for e in heads)


def test_every_page_says_when_it_is_for_and_who_reads_it(read):
    for path, page in read.items():
        foot = page.all("footer")[0].text
        assert "As of 20 Nov 2026, revision 1 · Rapport 0.1.0" in foot, path
        assert "do not prove a cause" in foot, path
        assert re.search(r"\bFor \w+", foot), path


def test_a_clinic_that_failed_is_named_on_every_page_that_misses_it(read):
    tables = make_tables()
    clinic_of = {
        row["page"]: row["clinic_id"]
        for row in tables["therapist"] + tables["clinic"] + tables["fix_clinic"]
    }
    said = "Cedar outpatient unit: The mapping names a column that the file does not have"
    for path, page in read.items():
        clinic = clinic_of.get(path.removesuffix(".html").partition(".over-time")[0])
        is_named = said in page.all("main")[0].text.replace(" ,", ",")
        assert is_named == (clinic in (None, "cedar") and path != "clinic-cedar.html"), path
    own = read["clinic-cedar.html"].all("main")[0].text
    assert "The mapping names a column that the file does not have" in own


def test_pages_weigh_less_than_300_kilobytes(site):
    assert max(len(html.encode()) for html in site.values()) < 300_000


def test_two_renders_are_equal_byte_for_byte_whatever_the_order_of_rows(site):
    shuffled = {name: rows[::-1] for name, rows in make_tables().items()}
    assert dict(render("managers", shuffled)) == site


def test_progress_is_told_of_every_page():
    tables = make_tables()
    tables["therapist"] = tables["therapist"][:2]
    tables["figure"] = []
    ticks: list[int] = []
    paths = [path for path, _ in render("managers", tables, lambda: ticks.append(1))]
    assert len(ticks) == len(paths) == count_pages("managers", tables) > 5


@pytest.mark.parametrize("page", ["../secret", "", None, "a/b", "a..b", ".hidden", "Clinic A"])
def test_a_page_name_that_could_leave_the_folder_is_refused(page):
    tables = make_tables()
    tables["clinic"][0]["page"] = page
    with pytest.raises(ValueError, match="page name"):
        list(render("managers", tables))


def test_a_service_without_any_row_still_gets_its_pages():
    kept = {name: make_tables()[name] for name in ("night", "change_night")}
    tables = {name: [] for name in make_tables()} | kept
    pages = {path: PageReader(html) for path, html in render("managers", tables)}
    assert set(pages) == {
        "index.html",
        "changed.html",
        "over-time.html",
        "alliance.html",
        "on-track.html",
        "endings.html",
        "model-card.html",
        "data-quality.html",
        "methods.html",
    }
    assert "There are no figures for this period yet." in pages["index.html"].source
    assert "Nothing was refused." in pages["data-quality.html"].source
    assert all(page.faults == [] for page in pages.values())


@pytest.mark.parametrize("page", ["methods.html", "data-quality.html"])
def test_figures_that_disagree_with_their_second_computation_are_loud(site, page):
    text = site[page]
    assert "Figures disagree" in text and "4,120 of 4,121 figures agree" in text
    assert "Do not rely on the figures named below" in text and "<details open>" in text
    assert "Not checked" in text and "an unforeseen fault" in text
