"""Each audience's folder: what stands in it, and what of the others does not."""

import posixpath
import re

from markupsafe import escape
from page_reader import PageReader

from reports.pages import AUDIENCES
from reports.render import render
from tests.reports.fixture_tables import HOSTILE, make_tables

NAME, NUMBER = "Dr Ann Ärmel", "A-117"
PUBLIC_TABLES = ("night", "public_figure", "notice", "instrument")
# From which folder a page may lead into which other.
LEADS = {"managers": (), "public": (), "auditors": ("managers",), "care_team": ("managers",)}


def links(audience: str, path: str, html: str) -> set[str]:
    """Where the links of a page lead, from the night's folder."""
    here = posixpath.join(audience, posixpath.dirname(path))
    hrefs = [a.attributes.get("href", "").partition("#")[0] for a in PageReader(html).all("a")]
    return {posixpath.normpath(posixpath.join(here, href)) for href in hrefs if href}


def test_links_stay_in_the_folder_or_lead_into_a_wider_one() -> None:
    tables = make_tables()
    for audience, wider in LEADS.items():
        for path, html in render(audience, tables):
            own = f"{audience}/{path.partition('/')[0]}" if audience == "care_team" else audience
            for link in links(audience, path, html):
                assert link.startswith((f"{own}/", *(f"{name}/" for name in wider))), (path, link)
    assert set(LEADS) == set(AUDIENCES)


def test_public_pages_need_no_table_of_clinics_therapists_or_patients() -> None:
    tables = make_tables()
    pages = dict(render("public", {name: tables[name] for name in PUBLIC_TABLES}))
    assert pages == dict(render("public", tables))
    front, notice = pages["index.html"], pages["notice.html"]
    assert "52 %" in front and "about 340" in front and "fewer than 8 people" in front
    assert "12 months to 31 October 2026" in front and "As of" not in front
    assert "10 years after the end of treatment" in notice
    assert "Figures of single therapists are not published" in notice
    assert notice.count("Your clinic will tell you.") == 1
    assert str(escape(HOSTILE)) in notice and HOSTILE not in notice + front


def test_the_notice_names_the_agreement_that_figures_of_therapists_rest_on() -> None:
    tables = make_tables()
    tables["notice"][0]["agreement"] = "Works agreement 12/2026"
    notice = dict(render("public", tables))["notice.html"]
    assert "under an agreement. (Works agreement 12/2026)" in notice
    assert "Figures of single therapists are not" not in notice


def test_names_and_numbers_stand_in_the_folder_of_their_therapist_alone() -> None:
    tables = make_tables()
    found = {
        f"{audience}/{path}"
        for audience in AUDIENCES
        for path, html in render(audience, tables)
        if NAME in html or NUMBER in html
    }
    own, theirs = "care_team/therapist-99ffee", "care_team/supervisor-lead"
    assert found == {
        *(f"{own}/{page}.html" for page in ("index", "worklist", "open-courses")),
        f"{theirs}/index.html",
        *(f"{theirs}/therapist-99ffee.{page}.html" for page in ("worklist", "open-courses")),
    }
    page = dict(render("care_team", tables))["therapist-99ffee/open-courses.html"]
    assert f"Patient {NUMBER}" in page and NAME in page and HOSTILE not in page
    titles = re.findall(r"<title>(.*?)</title>", page)
    assert NUMBER not in titles[0]


def test_managers_cannot_ask_for_a_name_or_a_number() -> None:
    tables = make_tables()
    edge = {"therapist_name", "patient_number", "notice", "supervision"}
    assert dict(render("managers", tables)) == dict(
        render("managers", {name: rows for name, rows in tables.items() if name not in edge})
    )


def test_a_folder_of_the_care_team_has_nothing_of_another_therapist() -> None:
    tables = make_tables()
    shown = [row for row in tables["therapist"] if row["has_page"]] + tables["open_course"]
    stems = {row["therapist_id"]: row["page"] for row in shown}
    belong = {stem: {stem} for stem in stems.values()}
    for row in tables["supervision"]:
        if row["therapist_id"] in stems:
            folder = belong.setdefault(f"supervisor-{row['supervisor']}", set())
            folder.add(stems[row["therapist_id"]])
    pages = dict(render("care_team", tables))
    assert {path.partition("/")[0] for path in pages} == set(belong)
    for path, html in pages.items():
        own = belong[path.partition("/")[0]]
        others = {row["label"] for row in shown if row["page"] not in own}
        words = set(re.findall(r"Therapist \w+", html))
        assert not words & (others - {row["label"] for row in shown if row["page"] in own}), path
        patients = {row["patient"] for row in tables["open_course"] if row["page"] not in own}
        patients |= {NUMBER} if "therapist-99ffee" not in own else set()
        assert not [patient for patient in patients if patient in html], path


def test_a_supervisor_finds_whom_they_oversee_in_the_order_of_the_list() -> None:
    tables = make_tables()
    pages = dict(render("care_team", tables))
    front = PageReader(pages["supervisor-lead/index.html"])
    names = [e.text for e in front.all("h2")]
    assert names[0].startswith(NAME) and names[1] == "Therapist AB12CD"
    links = [a.attributes["href"] for a in front.all("a") if "therapist-" in a.attributes["href"]]
    assert links == [
        "therapist-99ffee.worklist.html",
        "therapist-99ffee.open-courses.html",
        *(f"therapist-ab12cd.{page}.html" for page in ("worklist", "open-courses", "figures")),
    ]
    said = front.all("main")[0].text
    assert f"Patient {NUMBER}" not in said and "Patient 55EE66FF" in said
    assert "1 therapist on your list has no page tonight" in said
    # nothing but what the therapist sees
    for link in links:
        stem, _, page = link.partition(".")
        theirs, own = (
            PageReader(pages[path]).all("main")[0].text.partition("passed on.")[2]
            for path in (f"supervisor-lead/{link}", f"{stem}/{page}")
        )
        assert theirs and (theirs == own or page == "figures.html"), link
    assert "your supervisor (lead)" in pages["therapist-99ffee/index.html"]
    assert "your supervisor" not in pages["supervisor-lead/therapist-99ffee.worklist.html"]


def test_what_a_therapist_may_not_be_shown_their_supervisor_is_not_shown() -> None:
    tables = make_tables()
    tables["night"][0]["therapist_figures"] = "needs an agreement"
    paths = [path for path, _ in render("care_team", tables)]
    assert any(path.startswith("supervisor-lead/") for path in paths)
    assert not [path for path in paths if "figures" in path]
