"""What moved since the night before, as pages say it."""

from reports.render import render
from tests.reports.fixture_tables import make_tables
from tests.reports.page_reader import PageReader


def test_each_figure_stands_with_what_moved_it_and_rounded_stillness_is_left_out(read):
    text = " ".join(read["changed.html"].words.split())
    for told in ("44.0 %", "45.5 %", "+1.5", "New data +1.8", "Passing of time −0.5", "200 → 212"):
        assert told in text, told
    assert "Corrected rows; late pairs +0.2 not told apart" in text
    assert "Late pairs +" not in text and "None" not in text
    assert text.count("45.5 %") == 2


def test_what_moved_a_figure_alone_has_no_number_of_its_own():
    tables = make_tables()
    alone = {"time_text": "+1.5", "new_text": None, "together_text": None, "together_of": None}
    tables["changed"] = [row | alone for row in tables["changed"]]
    page = PageReader(dict(render("managers", tables))["changed.html"])
    told = [" ".join(cell.text.split()) for cell in page.all("td", **{"data-label": "By what"})]
    assert told == ["Passing of time"] * 2


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
