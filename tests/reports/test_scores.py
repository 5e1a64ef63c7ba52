"""The row-level page of the audit folder."""

from __future__ import annotations

from reports.render import render_audit
from tests.reports.fixture_tables import make_tables


def test_scores_stand_with_file_and_line_and_reasons_where_there_is_none() -> None:
    (path, page), *rest = render_audit(make_tables())
    assert (path, rest) == ("scores.html", [])
    assert '<td class="num">17</td><td>moderately_severe</td>' in page
    assert "phq.csv:12" in page
    assert "no score: 2 of 9 items missing" in page
    assert "<script>" not in page
    assert 'href="../reports/index.html"' in page
