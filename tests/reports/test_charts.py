"""Charts: never colour alone, never without words and a table, and the same in every theme."""

import re
from decimal import Decimal
from pathlib import Path

import vl_convert
from fixture_tables import HOSTILE, make_tables
from page_reader import PageReader

import reports
from reports import drawings, look, svg
from reports.render import render
from reports.specs import filled

CSS = (Path(reports.__file__).parent / "templates" / "style.css").read_text()


def test_every_chart_has_a_title_a_description_and_its_table(read):
    for path, page in read.items():
        figures = [e for e in page.all("figure") if "chart" in e.attributes["class"].split()]
        lines = page.all("figure", class_="course")
        drawings = [
            e for e in page.all("svg", role="img") if not any(line in e.ancestors for line in lines)
        ]
        assert len(drawings) == len(figures), path
        for drawing in drawings:
            names = drawing.attributes["aria-labelledby"].split()
            told = [e.text for e in page.elements if e.attributes.get("id") in names]
            assert len(told) == 2, path
            assert all(text.strip() for text in told), path
        for figure in figures:
            tables = [e for e in page.all("table") if figure in e.ancestors]
            assert len(tables) == 1, path
            assert any(e.tag == "details" for e in tables[0].ancestors), path
    assert read["index.html"].all("figure", class_="chart")


def test_the_table_of_a_trend_holds_the_texts_of_its_quarters(read):
    rows = [
        row
        for row in make_tables()["figure"]
        if (row["unit_id"], row["period_kind"]) == ("alder", "quarter")
        and (row["measure"], row["instrument_id"]) == ("reliable_improvement", "phq9")
    ]
    page = read["clinic-alder.over-time.outcome.html"]
    figure = next(
        e for e in page.all("figure") if "Reliable improvement, PHQ-9, by quarter" in e.text
    )
    told = [
        [e.text for e in page.elements if line in e.ancestors and e.tag in {"th", "td"}]
        for line in page.all("tr")
        if figure in line.ancestors
    ]
    assert len(told) == len(rows) + 1 == 9
    for row, cells in zip(sorted(rows, key=lambda r: r["period_start"]), told[1:], strict=True):
        shown = [row["value_text"], row["interval_text"], row["n_text"]]
        assert cells[:-1] == [
            row["period_label"],
            *(shown if row["is_shown"] else [row["note"], "–", "–"]),
        ]


def test_words_of_a_chart_tell_every_quarter_with_interval_and_count(read):
    page = read["clinic-alder.over-time.outcome.html"]
    told = [e.text for e in page.all("desc") if "April to June 2025" in e.text]
    assert told
    for text in told:
        assert len(re.findall(r"\w+ to \w+ \d{4}: This clinic", text)) == 8
        assert "95 % interval" in text
        assert re.search(r"Counted \d+", text)


def test_a_quarter_that_is_not_shown_keeps_its_place_on_the_axis(read):
    page = next(
        e
        for e in read["clinic-alder.over-time.outcome.html"].all("svg", role="img")
        if "too few to show" in e.text and "by quarter" in e.text
    )
    labels = [
        e.text
        for e in read["clinic-alder.over-time.outcome.html"].all("text")
        if page in e.ancestors
    ]
    years = [text[-4:] for text in labels if re.fullmatch(r"[A-Z]\w\w–[A-Z]\w\w\d{4}", text)]
    assert years == ["2024", *["2025"] * 4, *["2026"] * 3]
    assert "not shown" in labels


def test_rates_are_drawn_between_0_and_100_percent(read):
    for page in read.values():
        for text in page.all("text"):
            if re.fullmatch(r"\d+ %", text.text):
                assert int(text.text.split()[0]) <= 100


def test_other_charts_of_a_page_do_not_change_a_chart():
    # The converter counts clip paths over its whole life; a page must not show that.
    source = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1">'
        '<g clip-path="url(#clip{n})"><path d="M0.123456,1"/></g>'
        '<defs><clipPath id="clip{n}"><rect width="1"/></clipPath></defs></svg>'
    )
    first = svg.named(svg.tidy(source.replace("{n}", "51")), "chart-1", "Title", "Words")
    again = svg.named(svg.tidy(source.replace("{n}", "97")), "chart-1", "Title", "Words")
    assert first == again
    assert 'clip-path="url(#chart-1-clip-1)"' in first
    assert 'id="chart-1-clip-1"' in first
    assert "M0.1,1" in first
    assert "http" not in first


def test_an_outline_keeps_its_form_with_fewer_numbers():
    stairs = "M0,5L2,5L4,5L4,9L4,12L6,13L6,13L8,13M9,1L9,2L9,3Z"
    source = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{stairs}"/></svg>'
    assert 'd="M0,5H4V12L6,13H8M9,1V3Z"' in svg.tidy(source).body


def test_the_converter_measures_no_text_and_the_drawing_has_all_of_it():
    rows = [{"period": "Oct–|Dec|2026", "value": 0.5, "low": 0.4, "high": 0.6, "absent": "x"}]
    measured = vl_convert.vega_to_svg(filled("trend_rate", rows), allowed_base_urls=[])
    assert "<text" in measured
    assert not re.search(r"<text[^>]*>[^<]", measured)
    body = drawings.draw("trend_rate", rows, 1).body
    lines = r"<text[^>]*>Oct–<tspan x=[^>]*>Dec</tspan><tspan x=[^>]*>2026</tspan></text>"
    assert re.search(lines, body)
    assert ">60 %</text>" in body


def test_the_numbers_of_an_axis_are_written_as_the_language_writes_them():
    body = '<text x="1.5" y="2.5">-0.5</text><text>1.5 %</text><text>12</text>'
    drawn = svg.Drawing("1", "1", "0 0 1 1", body)
    words = re.findall(r">([^<]+)</text", svg.named(drawn, "chart-1", "T", "1.5", comma=","))
    assert words == ["-0,5", "1,5 %", "12"]


def test_filling_a_chart_leaves_no_rows_behind_for_the_next():
    filled("bars", [{"row": 0, "value": 0.5}])
    assert filled("bars", [])["data"][0]["values"] == []


def test_every_colour_of_a_drawing_has_a_dark_counterpart(site, read):
    used = {
        (name, element.attributes[name])
        for page in read.values()
        for element in page.elements
        for name in ("fill", "stroke")
        if element.attributes.get(name, "none").startswith("#")
    }
    assert len(used) > 5
    for name, colour in used:
        assert f'svg [{name}="{colour}"] {{ {name}: var(--' in CSS, (name, colour)


def test_text_has_enough_contrast_in_both_themes():
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
        for block in re.findall(r":root \{\n  (?:color-scheme[^\n]*\n)?(.*?)\n  ?\}", CSS, re.S)[:2]
    )
    pairs = [(ink, paper) for ink in ("ink", "muted", "link") for paper in ("paper", "wash")]
    pairs += [(tone, f"{tone}-wash") for tone in ("good", "warn", "bad")]
    pairs += [(tone, "paper") for tone in ("good", "warn", "bad")]
    for theme in (light, dark):
        for ink, paper in pairs:
            assert _contrast(theme[ink], theme[paper]) >= 4.5, (ink, paper, theme[ink])
        assert _contrast(theme["own"], theme["paper"]) >= 3
        assert _contrast(theme["service"], theme["paper"]) >= 3
        assert _contrast(theme["concern"], theme["paper"]) >= 3
        assert _contrast(theme["own"], theme["band"]) >= 3


def _contrast(one: str, other: str) -> float:
    """Computes the WCAG 2.2 contrast ratio of two colours."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_months_with_process_limits_take_the_place_of_quarters_where_there_are_enough(read):
    outcome, endings = (
        read[f"over-time.{name}.html"].all("figure", class_="chart")
        for name in ("outcome", "endings")
    )
    charts = [e.text for e in (*outcome, *endings)]
    assert any("reliable_improvement month, month by month" in text for text in charts)
    assert not any("Reliable improvement, PHQ-9, by quarter" in text for text in charts)
    assert any("Reliable improvement, OQ-45.2, by quarter" in text for text in charts)
    # too few months: quarters
    assert any("Ended early, not agreed, by quarter" in text for text in charts)
    alder = [
        e.text for e in read["clinic-alder.over-time.outcome.html"].all("figure", class_="chart")
    ]
    assert any("Reliable improvement, PHQ-9, by quarter" in text for text in alder)


def test_a_special_cause_has_a_shape_a_word_and_its_rule_in_the_table(read):
    page = read["over-time.outcome.html"]
    figure = next(
        e for e in page.all("figure") if "reliable_improvement month, month by month" in e.text
    )
    table = " ".join(e.text for e in page.all("td") if figure in e.ancestors)
    for row in make_tables()["process_point"]:
        if row["cause_text"]:
            assert row["cause_text"] in table
    for name in ("improvement", "concern", "neither direction is better"):
        assert f"Special cause: {name}" in page.words
    drawn = [e for e in page.elements if figure in e.ancestors]
    shapes = {e.attributes.get(name) for e in drawn for name in ("fill", "stroke")}
    assert {look.OWN, look.CONCERN, look.INK, look.SERVICE} <= shapes
    marks = {e.text for e in page.all("text") if figure in e.ancestors}
    assert {"limit", "trend"} <= marks
    # of 24 months one is not shown: it has no dot and breaks the line; one is a diamond, one a square
    dots = [e.attributes["d"] for e in drawn if "h0" in e.attributes.get("d", "")]
    assert sum(path.count("h0") for path in dots) == 24 - 3
    lines = [
        e.attributes.get("d", "") for e in drawn if e.attributes.get("stroke") == look.OWN_PALE
    ]
    assert [line.count("M") for line in lines] == [2]


def test_the_first_page_of_figures_over_time_names_what_is_special_now(read):
    page = read["over-time.html"]
    listed = [e.text for e in page.all("li")]
    assert not page.all("figure")
    special = [text for text in listed if "October 2026: special cause" in text]
    assert [text.split(" October")[0] for text in special] == [
        "Reliable improvement, PHQ-9",
        "Early alliance, WAI-SR",
    ]
    assert "Reliable improvement, OQ-45.2" in listed


def test_a_target_is_a_line_a_word_and_a_column():
    tables = make_tables()
    tables["target"] += [
        tables["target"][0]
        | {"measure": "reliable_improvement", "instrument_id": "phq9", "value": Decimal("0.5")}
        | {"target_text": "at least 50 %", "direction": "at least"}
    ]
    pages = {path: PageReader(html) for path, html in render("managers", tables)}
    months = "reliable_improvement month, month by month"
    for path, title, text, told in (
        ("outcome", months, "at least 50 %", "it lies between the process limits"),
        ("endings", "Ended early, not agreed, by quarter", "at most 25 %", "Target at most 25 %"),
    ):
        page = pages[f"over-time.{path}.html"]
        figure = next(e for e in page.all("figure") if title in e.text)
        drawn = [e for e in page.elements if figure in e.ancestors]
        dashes = ",".join(str(part) for part in look.TARGET_DASH)
        [line] = [e for e in drawn if e.attributes.get("stroke-dasharray") == dashes]
        # straight from the first to the last of them
        assert re.fullmatch(r"M[\d.]+,[\d.]+H[\d.]+", line.attributes["d"])
        assert [e.text for e in drawn if e.tag == "text"].count("Target") == 1
        assert told in figure.text and f"Set by {HOSTILE}" in figure.text
        rows = [e.text for e in drawn if e.tag == "tr"]
        assert "Target" in rows[0] and all(text in row for row in rows[1:])
        assert "Target" in page.all("div", class_="keys")[0].text
    assert "Target" not in pages["clinic-birch.over-time.outcome.html"].all("main")[0].text


def test_counts_are_no_percentages():
    tables = make_tables()
    for row in tables["process_chart"]:
        row["kind"] = "count"
    pages = dict(render("managers", tables))
    figure = pages["over-time.outcome.html"].split("reliable_improvement month, month by month")[2]
    assert " %</text>" not in figure.split("</figure>")[0]
