"""The worklist as a therapist reads it: few courses, why these, what was done, and what is not on it."""

import re

from markupsafe import escape

from reports.render import render
from tests.reports.fixture_tables import HOSTILE, make_tables
from tests.reports.worklist_tables import LISTED


def page(therapist: str) -> str:
    return dict(render("care_team", make_tables()))[f"therapist-{therapist}/worklist.html"]


def test_what_is_to_do_stands_before_what_was_done_and_the_rest_is_only_counted() -> None:
    found = page("ab12cd")
    assert found.index(LISTED) < found.index("Acted on since") < found.index("33CC44DD")
    assert "BE70BE70" not in found
    assert "Left out for that: 1." in found
    assert "55EE66FF" not in found
    assert HOSTILE not in found
    assert str(escape(HOSTILE)) in found


def test_a_chance_stands_with_its_reasons_and_leads_to_the_model_card() -> None:
    found = page("ab12cd")
    for text in (
        "17 %",
        "the appointment just before the last session was missed",
        "a higher alliance so far",
    ):
        assert text in found, text
    assert 'href="../../managers/model-card.html"' in found
    by_facts = page("99ffee")
    assert "model-card.html" not in by_facts
    assert "Raises it" not in by_facts
    assert "Chances of leaving are not shown: too few." in by_facts


def test_what_was_tried_is_told_with_its_day_and_what_came_of_it() -> None:
    found = " ".join(re.sub("</?time[^>]*>", "", page("ab12cd")).split())
    assert "16 Nov 2026: Called, not reached; 12 Nov 2026: Wrote a letter" in found
    assert "nothing logged" in found


def test_no_patient_of_a_worklist_is_on_a_page_for_others() -> None:
    tables = make_tables()
    for audience in ("managers", "public", "auditors"):
        assert not [path for path, text in render(audience, tables) if LISTED in text]
