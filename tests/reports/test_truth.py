"""What a page may say: only what report.* says, nothing withheld, nothing hostile."""

import re
from pathlib import Path
from typing import Any

import pytest
from fixture_tables import AS_OF, BOUNDS, HOSTILE, LEAK, TOO_FEW, make_tables
from jinja2 import UndefinedError
from page_reader import NUMBER, PageReader

import reports
from reports.render import render

ROOM = Path(reports.__file__).parent
STRUCTURE = {
    "page", "state", "kind", "level", "unit_id", "clinic_id", "therapist_id", "severity", "better",
    "section", "period_kind", "period_id", "therapist_figures", "instrument_id", "measure",
}  # fmt: skip


def few(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Keeps one clinic and one therapist, to render quickly."""
    tables["clinic"] = tables["clinic"][:1]
    tables["therapist"] = tables["therapist"][:1]
    units = {"service", "alder", tables["therapist"][0]["therapist_id"]}
    tables["figure"] = [row for row in tables["figure"] if row["unit_id"] in units]
    return tables


def numbers_of(tables: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Collects every number that a report row or the rooms' own fixed words hold."""
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]
    texts = [str(cell) for cell in cells if isinstance(cell, str | int)]
    texts += [f"{cell.day} {cell.year}" for cell in cells if hasattr(cell, "year")]
    texts += [path.read_text() for path in [*ROOM.glob("templates/*.j2"), *ROOM.glob("*words.py")]]
    texts += [f"{row['sha256'][:12]}" for row in tables["delivery"]]
    return {number for text in texts for number in NUMBER.findall(text)}


def test_every_number_shown_is_a_text_of_the_report_tables(read):
    known = numbers_of(make_tables())
    for path, page in read.items():
        shown = set(NUMBER.findall(page.words))
        assert len(shown) > (4 if path.startswith("mend-") else 8), path
        assert shown <= known, (path, shown - known)


def test_a_number_that_no_report_row_holds_would_be_noticed():
    known = numbers_of(make_tables())
    assert not {"4812.7", "987654"} & known
    assert set(NUMBER.findall("in all 4812.7 of 987654")) == {"4812.7", "987654"}


def test_a_card_shows_value_interval_count_completeness_and_bounds(read):
    tables = make_tables()
    for row in tables["figure"]:
        if (row["level"], row["period_kind"], row["is_shown"]) != ("clinic", "year", True):
            continue
        page = read[f"clinic-{row['unit_id']}.html"]
        card = next(
            e
            for e in page.all("section", class_="card")
            if e.text.strip().startswith(row["label"] + "\n")
        )
        expected = ("value_text", "interval_text", "n_text", "completeness_text", "bounds_text")
        for column in expected:
            assert (row[column] or "") in card.text, (row["label"], column)
        service = next(
            other
            for other in tables["figure"]
            if (other["level"], other["period_kind"]) == ("service", "year")
            and (other["measure"], other["instrument_id"]) == (row["measure"], row["instrument_id"])
        )
        is_compared = row["service_value"] is not None
        assert (f"{service['value_text']} ({service['interval_text']})" in card.text) == is_compared


def test_a_withheld_figure_shows_its_note_and_nothing_of_its_value(site):
    assert any(TOO_FEW in html.replace("&lt;", "<") for html in site.values())
    assert not any(LEAK in html for html in site.values())


def test_a_figure_that_must_not_be_compared_stands_without_the_service(read):
    drawings = read["clinic-alder.html"].all("figure", class_="chart")
    rates = next(e.text for e in drawings if "Rates beside the whole service" in e.text)
    assert "Reliable improvement, PHQ-9" in rates
    assert "Reliable deterioration, PHQ-9" not in rates


def test_a_figure_withheld_for_incompleteness_keeps_its_bounds(read):
    entries = [e.text for e in read["clinic-cedar.html"].all("li")]
    entry = next(text for text in entries if text.startswith("Reliable deterioration, PHQ-9"))
    assert "fewer than 50 %. Complete: 180 of 400 eligible (45 %). Bounds: " + BOUNDS in entry


def test_a_withheld_figure_leaves_no_trace_in_any_drawing(site):
    tables = make_tables()
    for row in tables["figure"]:
        if not row["is_shown"]:
            kept = STRUCTURE | {"label", "period_label", "period_start", "period_end", "note"}
            kept |= {"completeness_text", "bounds_text", "service_value"}
            row.update(dict.fromkeys(row.keys() - kept - {"figure_order", "is_shown"}))
    assert dict(render("managers", tables)) == site


def test_hostile_words_in_any_cell_stay_words():
    tables = few(make_tables())
    for rows in tables.values():
        for row in rows:
            for name, cell in row.items():
                if name not in STRUCTURE and isinstance(cell, str):
                    row[name] = f"{cell} {HOSTILE}"
    for path, html in render("managers", tables):
        page = PageReader(html)
        assert page.faults == [], path
        n_scripts = 0 if path.startswith("mend-") else 1
        assert len(page.all("script")) == html.count("<script") == n_scripts, path
        assert 'alert("x")' in page.words, path
        assert all("evil" not in link.attributes["href"] for link in page.all("a")), path


def test_nothing_unknown_is_printed_as_none_or_nan(read):
    for path, page in read.items():
        assert not re.search(r"\b(None|nan|NaN|undefined|null|Undefined)\b", page.words), path


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("night", "state_text"),
        ("clinic", "data_through"),
        ("figure", "n_text"),
        ("fix_list", "what_to_do"),
        ("delivery", "forms_held"),
        ("definition", "denominator"),
        ("instrument", "licence"),
    ],
)
def test_a_missing_column_is_an_error_and_not_an_empty_place(table, column):
    tables = few(make_tables())
    for row in tables[table]:
        del row[column]
    with pytest.raises((UndefinedError, KeyError), match=column):
        list(render("managers", tables))


def test_an_empty_cell_is_a_dash_and_never_a_zero():
    tables = few(make_tables())
    tables["clinic"][0] |= {"n_open": None, "data_through": None}
    page = PageReader(dict(render("managers", tables))["clinic-alder.html"])
    tiles = {e.text.strip().split("\n")[0]: e.text for e in page.all("div") if len(e.text) < 60}
    assert "Open courses–" in tiles
    assert "Data through–" in tiles


def test_the_first_page_names_who_needs_attention_and_how_fresh_each_clinic_is(read):
    words = read["index.html"].all("main")[0].text
    assert "Partly green" in words
    assert "Failed Cedar outpatient unit: The mapping names a column" in words
    assert "17 entries refused" in words
    rows = {e.text.split("\n")[1]: e.text for e in read["index.html"].all("tr") if "\n" in e.text}
    assert "14 Nov 2026" in rows["Cedar outpatient unit"]


def test_therapists_are_in_the_order_of_their_labels_and_small_caseloads_have_no_link(read):
    page = read["clinic-cedar.html"]
    people = page.all("ul", class_="people")[0]
    entries = [e.text.strip() for e in page.all("li") if people in e.ancestors]
    assert entries == sorted(entries)
    small = [e for e in entries if "too few episodes" in e]
    assert small
    links = [e.text for e in page.all("a") if people in e.ancestors]
    assert len(links) == len(entries) - len(small)


def test_a_night_that_withholds_therapist_figures_has_no_therapist_page_and_no_link():
    tables = few(make_tables())
    tables["night"][0] |= {"therapist_figures": "withheld", "therapist_figures_text": "Eight only."}
    pages = dict(render("managers", tables))
    assert not [path for path in pages if path.startswith("therapist")]
    assert not any("therapist-" in html for html in pages.values())
    assert "Eight only." in pages["clinic-alder.html"]


def test_a_therapist_page_leads_with_the_shrunken_estimate_and_keeps_the_crude_value_beside(read):
    tables = make_tables()
    row = next(
        row
        for row in tables["figure"]
        if row["level"] == "therapist" and row["is_shown"] and row["measure"] == "early_ending"
    )
    page_name = next(r["page"] for r in tables["therapist"] if r["therapist_id"] == row["unit_id"])
    page = read[f"{page_name}.html"]
    card = next(e for e in page.all("section", class_="card") if row["label"] in e.text)
    assert card.text.index(row["shrunken_text"]) < card.text.index(row["value_text"] + " (")
    words = page.all("main")[0].text
    assert "More than 90 % of the differences in outcome" in words
    assert not re.search(r"\brank(ed|s)? \d|\bbest\b|\bworst\b", words)


def test_an_early_alliance_level_is_never_on_a_therapist_page_without_its_course(read):
    pages = [page for path, page in read.items() if path.startswith("therapist")]
    for page in pages:
        cards = [e.text for e in page.all("section", class_="card")]
        assert not any("Early alliance, SRS" in card for card in cards)
        has_course = any("Course of the alliance, WAI-SR" in card for card in cards)
        assert any("Early alliance, WAI-SR" in card for card in cards) == has_course
        assert "SRS" not in " ".join(e.text for e in page.all("figure"))
        entries = [e.text for e in page.all("li") if e.text.startswith("Early alliance, SRS: ")]
        assert len(entries) == 1
        assert "is not shown on its own" in entries[0] or TOO_FEW in entries[0]


def test_the_fix_list_puts_refusals_first_and_deliveries_show_both_sums(read):
    page = read["data-quality.html"]
    words = page.all("main")[0].text
    assert words.index("The answer is not one the mapping knows.") < words.index(
        "The form was ente"
    )
    row = next(e for e in page.all("tr") if "birch_2026-11-19.csv" in e.text and "1049" in e.text)
    cells = [e.text for e in page.all("td") if row in e.ancestors][1:]
    assert cells == ["900", "880", "3", "17", "1049", "1020", "0", "12", "17", "0"]
    assert f"{AS_OF.day} Nov {AS_OF.year}" in row.text


def test_the_methods_page_holds_every_definition_with_its_sql(read):
    page = read["methods.html"]
    for row in make_tables()["definition"]:
        section = next(
            e
            for e in page.all("section", class_="definition")
            if e.attributes["aria-labelledby"] == f"measure-{row['measure']}"
        )
        for column in ("label", "numerator", "denominator", "why", "source", "sql_path"):
            assert row[column] in section.text, column
        assert row["sql_text"].strip() in section.text
