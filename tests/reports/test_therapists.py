"""Pages about therapists: no names before a signal, no order by a value, the literature beside it."""

import random
import re
from datetime import date

from fixture_tables import make_tables
from page_reader import PageReader

from flows.sql_files import read_sql_files
from reports import words
from reports.render import render
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

RANKING = re.compile(
    r"\brank(?:ed|ing)? (?:\d|first|last)|league table of|\bbest therapist|\bworst therapist"
)


def clinic_pages(site: dict[str, str]) -> dict[str, str]:
    return {
        path: html
        for path, html in site.items()
        if path.startswith("clinic-") and "over-time" not in path
    }


def funnels_of(html: str) -> str:
    start = html.index('<section aria-labelledby="funnels">')
    return html[start : html.index("</section>", start)]


def test_a_funnel_names_nobody_but_who_gives_a_signal(site: dict[str, str]) -> None:
    tables = make_tables()
    (signal,) = [row["label"] for row in tables["funnel_point"] if row["label"]]
    for html in clinic_pages(site).values():
        section = funnels_of(html)
        named = {row["label"] for row in tables["therapist"] if row["label"] in section}
        assert named == {signal}


def test_a_clinic_page_says_why_there_is_no_funnel(read: dict[str, PageReader]) -> None:
    for path in read:
        if path.startswith("clinic-") and "over-time" not in path:
            assert "No funnel: 12 therapists have courses here" in read[path].words


def test_therapists_and_points_do_not_change_places_with_their_values() -> None:
    """Whatever the values are, everybody stands where they stood: nothing is ordered by a value."""
    before, after = make_tables(), make_tables()
    chance = random.Random(3)
    distances = [row["distance"] for row in after["funnel_point"]]
    chance.shuffle(distances)
    for row, distance in zip(after["funnel_point"], distances, strict=True):
        row["distance"] = distance
    crude = [row["crude_text"] for row in after["comparison"]]
    chance.shuffle(crude)
    for row, text in zip(after["comparison"], crude, strict=True):
        row["crude_text"] = text
    for table in ("funnel_point", "comparison", "therapist", "figure"):
        chance.shuffle(after[table])
    again = dict(render("managers", after))
    for path, html in render("managers", before):
        named = r"Therapist [0-9A-F]{6}|Point \d+"
        assert re.findall(named, again[path]) == re.findall(named, html), path


def test_no_page_ranks_anybody(site: dict[str, str]) -> None:
    for path, html in site.items():
        text = re.sub(r"<[^>]+>", " ", html)
        assert not RANKING.search(text), path


def test_points_are_numbered_by_a_hash_and_not_by_a_value() -> None:
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    (text,) = [file.text for file in read_sql_files() if file.name == "report.funnel_point"]
    numbers = []
    for sign in (1, -1):
        con.execute("delete from measure.funnel")
        insert(con, "measure.funnel", [
            {"unit_id": f"t{i}", "clinic_id": "a", "period_id": "window", "measure": "m", "n": 20 + i,
             "method": "corrected", "z_adjusted": sign * i, "zone": "within"}
            for i in range(40)
        ])  # fmt: skip
        found = rows(con, f"select point, n from ({text}) order by point")
        numbers.append([row["n"] for row in found])
    assert numbers[0] == numbers[1]
    assert numbers[0] not in (sorted(numbers[0]), sorted(numbers[0], reverse=True))
    con.close()


def test_every_page_of_therapists_says_how_little_goes_with_them(site: dict[str, str]) -> None:
    for path, html in site.items():
        if path.startswith("therapist-") or '<section aria-labelledby="funnels">' in html:
            assert words.THERAPIST_SHARE in html, path


def test_crude_and_adjusted_stand_side_by_side(read: dict[str, PageReader]) -> None:
    tables = make_tables()
    for row in tables["comparison"]:
        (therapist,) = [t for t in tables["therapist"] if t["therapist_id"] == row["therapist_id"]]
        text = read[f"{therapist['page']}.html"].words
        assert row["crude_text"] in text and row["drawn_text"] in text
        assert (row["expected_text"] or "no model") in text


def test_what_courses_of_several_therapists_move_is_explained_once() -> None:
    tables = make_tables()
    (first, *_) = tables["comparison"]
    tables["comparison"] += [
        first | {"measure": measure, "label": measure, "shared_text": f"0.0{number} (45 of 1800 courses of the service)"}
        for number, measure in enumerate(("early_alliance_mean", "outcome_change"), start=3)
    ]  # fmt: skip
    (therapist,) = [t for t in tables["therapist"] if t["therapist_id"] == first["therapist_id"]]
    page = dict(render("managers", tables))[f"{therapist['page']}.html"]
    assert page.count("A course with several therapists counts for the one") == 1
    for told in ("early_alliance_mean: 0.03 (45 of 1800", "outcome_change: 0.04 (45 of 1800"):
        assert told in page
    assert page.count("Within what is usual: nothing follows from the place.") == 1


def test_where_figures_of_therapists_are_withheld_there_is_no_funnel() -> None:
    tables = make_tables()
    tables["night"][0]["therapist_figures"] = "withheld"
    for path, html in render("managers", tables):
        assert 'id="funnels"' not in html, path
        assert not path.startswith("therapist-")


def test_a_therapist_page_shows_course_after_course_in_a_line_and_in_words() -> None:
    tables = make_tables()
    pages = dict(render("managers", tables))
    for therapist in (row for row in tables["therapist"] if row["has_page"]):
        page = pages[f"{therapist['page']}.html"]
        assert page.count('points="4.0,36.0 120.0,30.0 236.0,44.0"') == 1
        assert "After 48 courses 4, 1.2 more than expected from who they were at intake." in page
        assert "Neither sum has passed its threshold. Lower is better." in page
    assert "Course after course" not in pages["index.html"]
