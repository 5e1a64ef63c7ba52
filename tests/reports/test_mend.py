"""What a clinic is to mend: a page that can be mailed alone, and a table that no spreadsheet runs."""

import csv
import io

import pytest

from reports.attachments import attachments
from tests.reports.fixture_tables import HOSTILE, make_tables


@pytest.fixture(scope="module")
def lists() -> dict[str, list[list[str]]]:
    found = dict(attachments("managers", make_tables()))
    return {
        name: list(csv.reader(io.StringIO(held.decode("utf-8-sig"))))
        for name, held in found.items()
        if name.endswith(".csv")
    }


def test_the_page_says_what_to_mend_where_and_what_it_lifts(read):
    text = read["mend-birch.html"].words
    assert (
        "Mending it lifts outcome known from 82 % to at most 91 % of 60 finished courses." in text
    )
    assert "birch_2026-11-19.csv" in text and "lines 5, 9, 12" in text
    assert "Nothing: no entry of this clinic was refused." in read["mend-alder.html"].words


def test_the_page_stands_alone(read):
    for path in ("mend-birch.html", "mend-alder.html"):
        assert read[path].faults == []
        assert [link.attributes["href"] for link in read[path].all("a")] == ["#main"]


def test_each_clinic_has_its_own_list(lists):
    assert set(lists) == {"mend-alder.csv", "mend-birch.csv"}
    head, *rows = lists["mend-birch.csv"]
    assert head[0] == "Order" and len(lists["mend-alder.csv"]) == 1
    assert [row[:3] for row in rows] == [["1", "reject", "birch_2026-11-19.csv"]]


def test_no_cell_begins_a_formula(lists):
    tables = make_tables()
    tables["fix_list"] = [
        row | {"message": bad, "what_to_do": bad}
        for row in tables["fix_list"]
        if row["clinic_id"] == "birch" and row["severity"] == "reject"
        for bad in ("=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", HOSTILE)
    ]
    held = dict(attachments("managers", tables))["mend-birch.csv"].decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(held)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]
    assert "'=1+1" in cells and HOSTILE in cells
