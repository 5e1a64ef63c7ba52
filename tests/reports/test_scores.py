"""The row-level pages of the audit folder."""

from __future__ import annotations

from reports.render import render
from tests.reports.fixture_tables import make_tables


def test_scores_stand_with_file_and_line_and_reasons_where_there_is_none() -> None:
    pages = dict(render("auditors", make_tables()))
    assert set(pages) == {"index.html", "scores.html", "review.html"}
    page = pages["scores.html"]
    assert '<td class="num">17</td><td>moderately_severe</td>' in page
    assert "phq.csv:12" in page
    assert "no score: 2 of 9 items missing" in page
    assert "<script>alert" not in page
    assert 'href="../managers/methods.html#not-to-conclude"' in page


def test_cases_for_review_stand_with_their_age_and_their_lines() -> None:
    page = dict(render("auditors", make_tables()))["review.html"]
    assert "not an alarm system" in page
    assert "phq.csv:7, 31" in page and "held.csv" in page
    assert "self-harm thoughts (9)" in page and "no score: 2 of 9 items missing" in page
    assert '<td class="num">8</td><td class="num">15</td>' in page
    assert "phq.csv:3<br>phq.csv:88" in page
    assert page.count('<td class="num">3</td>') == 2
    assert "<script>alert" not in page


def test_a_service_without_any_case_says_so() -> None:
    empty = {"risk_flag": [], "refused_risk": [], "unread_risk": [], "deterioration": []}
    page = dict(render("auditors", make_tables() | empty))["review.html"]
    assert page.count("<p>None.</p>") == 3
    assert "Not looked at" not in page


def test_no_case_for_review_stands_on_a_page_for_managers() -> None:
    for path, page in render("managers", make_tables()):
        assert "self-harm thoughts" not in page and "phq.csv:88" not in page, path
        assert "answers a risk item" not in page, path
