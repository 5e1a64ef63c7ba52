"""The page of the alliance, and the care team's pages: what they show, and what stays on them."""

import re

from markupsafe import escape

from reports.render import render
from tests.reports.alliance_tables import PATIENT
from tests.reports.fixture_tables import HOSTILE, make_tables


def test_the_page_of_the_alliance_shows_values_counts_and_reasons() -> None:
    page = dict(render("managers", make_tables()))["alliance.html"]
    for text in (
        "r 0.49 (0.41 to 0.57)", "152 courses, of 1591 with any", "not shown: too few: 12",
        "−0.14 (−0.16 to −0.12)", "91 % (830 of 912)", "fewer than 5", "1528 of 1578 courses",
    ):  # fmt: skip
        assert str(escape(text)) in page, text
    assert HOSTILE not in page
    assert str(escape(HOSTILE)) in page


def test_each_therapist_has_a_page_with_their_own_open_courses() -> None:
    pages = dict(render("care_team", make_tables()))
    folders = {path.partition("/")[0] for path in pages if path.endswith("/open-courses.html")}
    assert folders == {"therapist-99ffee", "therapist-ab12cd"}
    assert all(f"{folder}/index.html" in pages for folder in folders)
    assert all(f"{folder}/worklist.html" in pages for folder in folders)
    page = pages["therapist-ab12cd/open-courses.html"]
    assert "Patient e2e2e2e2" in page
    assert "e3e3e3e3" not in page
    assert HOSTILE not in page
    # those with something to speak about stand first
    assert (
        page.index(PATIENT) < page.index("When something has come between you") < page.index("e2e2")
    )
    assert "Symptoms: nothing scored" in page


def test_a_line_is_told_in_words_with_its_ruptures_and_gaps() -> None:
    page = dict(render("care_team", make_tables()))["therapist-ab12cd/open-courses.html"]
    assert page.count("By session 1: 4.2, 2: 4.3, 3: missing, 4: 3.3") == 3
    assert page.count('class="course-line"') == 2
    assert len(re.findall(r'class="course-onset" cx="158', page)) == 2
    assert 'd="M120.0 38V46"' in page


def test_no_patient_of_the_care_team_is_on_a_managers_page() -> None:
    tables = make_tables()
    assert not [path for path, text in render("managers", tables) if PATIENT in text]
    assert not [path for path, text in render("auditors", tables) if PATIENT in text]
    assert not [path for path, _ in render("care_team", tables) if PATIENT.lower() in path]
