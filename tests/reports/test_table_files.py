"""Every table stands beside its page as CSV: the same cells, and nothing that a spreadsheet would run."""

import csv
import io
import re

import pytest
from fixture_tables import LEAK, make_tables
from page_reader import PageReader

from reports.exports import MARK, neutral, written
from reports.render import render


def rendered(audience):
    files: dict[str, str] = {}
    pages = dict(render(audience, make_tables(), keep=files.__setitem__))
    return pages, files


def cells(page, table):
    """The cells of a table as a reader meets them, row by row; those of two rows stand on the left."""
    above = 0
    for row in (e for e in page.all("tr") if table in e.ancestors):
        found = [e for e in page.elements if e.ancestors[-1:] == [row]]
        line: list[str] = []
        if above:
            line += [""] * above
        above = sum(int(e.attributes.get("rowspan", 1)) > 1 for e in found)
        for cell in found:
            unseen = [
                e.text
                for e in page.elements
                if cell in e.ancestors and e.attributes.get("aria-hidden") == "true"
            ]
            text = cell.text
            for sign in unseen:
                text = text.replace(sign, " ", 1)
            line += [re.sub(r"\s+", "", text), *[""] * (int(cell.attributes.get("colspan", 1)) - 1)]
        yield line


def hyphens(rows):
    return [[cell.replace("−", "-") for cell in row] for row in rows]


@pytest.mark.parametrize("audience", ["managers", "auditors", "public"])
def test_a_file_holds_the_cells_of_its_table_in_their_order(audience):
    pages, files = rendered(audience)
    linked = []
    for path, html in pages.items():
        page = PageReader(html)
        links = [e.attributes["href"] for e in page.all("a") if "download" in e.attributes]
        tables = page.all("table")
        assert len(links) == len(tables), path
        linked += links
        for link, table in zip(links, tables, strict=True):
            content = files[link]
            assert content.startswith(MARK)
            read = list(csv.reader(io.StringIO(content.removeprefix(MARK))))
            plain = [[re.sub(r"\s+", "", c.removeprefix("'")) for c in row] for row in read]
            # a spreadsheet knows a number by its hyphen
            assert hyphens(plain) == hyphens(cells(page, table)), link
            assert len(plain) > 1, link
    assert sorted(linked) == sorted(files)
    assert (len(files) > 50) == (audience == "managers")


def test_what_is_told_of_single_patients_has_no_file():
    pages, files = rendered("care_team")
    assert pages and not files
    assert all(" download" not in html for html in pages.values())


def test_names_say_nothing_and_what_is_withheld_is_in_no_file():
    _, files = rendered("managers")
    for name, content in files.items():
        assert re.fullmatch(r"tables/[a-z0-9.-]+\.table-\d+\.csv", name)
        assert LEAK not in content


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("@cmd", "'@cmd"),
        ("\t=1", "'\t=1"),
        ("\u200b=1", "'\u200b=1"),
        ("＝1", "'＝1"),
        ("-0.5", "-0.5"),
        ("−0.5", "-0.5"),
        ("−0.5 (−0.8 to −0.1)", "−0.5 (−0.8 to −0.1)"),
        ("-12 %", "-12 %"),
        ("-0,5", "-0,5"),
        ("–", "–"),
        ("3.9", "3.9"),
        ("Ann = Bob", "Ann = Bob"),
    ],
)
def test_a_spreadsheet_calculates_nothing(cell, safe):
    assert neutral(cell) == safe


def test_quotes_breaks_and_marks_of_html_come_through_as_they_were_meant():
    table = (
        '<table><tr><th scope="col">A &lt;b&gt; &amp; "c", d</th><th>B</th></tr>'
        '<tr><td colspan="2"><span aria-hidden="true">✓</span> one<br>\ntwo</td></tr></table>'
    )
    read = list(csv.reader(io.StringIO(written(table).removeprefix(MARK))))
    assert read == [['A <b> & "c", d', "B"], ["one two", ""]]
