"""What moved since the night before, as pages say it."""

from reports.render import render
from tests.reports.fixture_tables import make_tables
from tests.reports.page_reader import PageReader


def test_each_figure_stands_with_what_moved_it_and_rounded_stillness_is_left_out(read):
    text = read["changed.html"].words
    for told in ("44.0 %", "45.5 %", "+1.5", "New data +1.8", "Passing of time -0.5", "200 → 212"):
        assert told in text, told
    assert "Together +0.2" in text and "corrected rows; late pairs" in text
    assert "Late pairs +" not in text and "None" not in text
    assert text.count("45.5 %") == 2


def test_the_first_page_shows_the_service_and_leads_to_the_rest(site):
    text = site["index.html"]
    assert "45.5 %" in text and 'href="changed.html"' in text and "Rules changed." in text
    assert text.count("45.5 %") == 1


def test_a_first_night_says_that_there_is_nothing_to_compare_with():
    tables = make_tables()
    first = tables["change_night"][0] | {"why_not": "no night was published before", "before": None}
    tables |= {"change_night": [first], "changed": [], "rule_change": []}
    pages = dict(render("managers", tables))
    for path in ("index.html", "changed.html"):
        assert "no night was published before" in pages[path]
        assert PageReader(pages[path]).faults == []
