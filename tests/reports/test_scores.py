"""The row-level pages of the audit folder."""

from __future__ import annotations

from reports.render import render
from tests.reports.fixture_tables import make_tables


def test_scores_stand_with_file_and_line_and_reasons_where_there_is_none() -> None:
    pages = dict(render("auditors", make_tables()))
    reviews = {f"review.{row['page']}.html" for row in make_tables()["clinic"]}
    assert set(pages) == {"index.html", "scores.html", "review.html"} | reviews
    page = pages["scores.html"]
    assert '<td class="num">17</td><td>moderately_severe</td>' in page
    assert "phq.csv:12" in page
    assert "no score: 2 of 9 items missing" in page
    assert "<script>alert" not in page
    assert 'href="../managers/methods.html#not-to-conclude"' in page


def test_cases_for_review_stand_with_their_age_and_their_lines() -> None:
    tables = make_tables()
    pages = dict(render("auditors", tables))
    front = pages["review.html"]
    assert all("not an alarm system" in page for path, page in pages.items() if "review" in path)
    assert "phq.csv:7, 31" in front and "1 reliable deterioration" in front
    assert "held.csv" in front
    [concerned] = {row["clinic_id"] for row in tables["risk_flag"] + tables["deterioration"]}
    own = {row["clinic_id"]: pages[f"review.{row['page']}.html"] for row in tables["clinic"]}
    page = own.pop(concerned)
    assert all(other.count("<p>None.</p>") == 2 for other in own.values())
    assert "self-harm thoughts (9)" in page and "no score: 2 of 9 items missing" in page
    assert '<td class="num">8</td><td class="num">15</td>' in page
    assert "phq.csv:3<br>phq.csv:88" in page
    assert page.count('<td class="num">3</td>') == 2
    assert "<script>alert" not in page


def test_a_service_without_any_case_says_so() -> None:
    empty = {"risk_flag": [], "refused_risk": [], "unread_risk": [], "deterioration": []}
    pages = dict(render("auditors", make_tables() | empty))
    assert pages["review.html"].count("<p>None.</p>") == 1
    assert pages["review.clinic-alder.html"].count("<p>None.</p>") == 2
    assert "Not looked at" not in pages["review.html"]


def test_no_case_for_review_stands_on_a_page_for_managers() -> None:
    for path, page in render("managers", make_tables()):
        assert "self-harm thoughts" not in page and "phq.csv:88" not in page, path
        assert "answers a risk item" not in page, path
