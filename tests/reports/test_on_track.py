"""The page of who is on track says how the rule is made, how well it foretells, and what it cannot."""

from fixture_tables import make_tables


def section(page, instrument_id):
    """The source from one questionnaire's heading to the next."""
    return page.source.split(f'id="track-{instrument_id}"')[1].split('<section class="track"')[0]


def test_bands_are_drawn_once_for_each_range_of_intake_scores(read):
    phq9, ors = (section(read["on-track.html"], name) for name in ("phq9", "ors"))
    charts = read["on-track.phq9.html"].source
    assert charts.count("<svg role") == 2 and "on-track.ors.html" not in read
    assert "PHQ-9, at intake up to 12" in charts and "PHQ-9, at intake above 12" in charts
    assert 'href="on-track.phq9.html"' in phq9 and "href" not in ors
    assert "500 are needed. Reliable change decides alone." in ors
    assert "There are no closed courses to judge it by yet." in ors


def test_the_table_behind_a_chart_says_what_was_too_small(read):
    phq9 = read["on-track.phq9.html"].source
    assert phq9.count("too few courses</td>") == 2
    for cell in make_tables()["expected_course"]:
        if cell["middle_text"]:
            assert f"<td>{cell['outer_text']}</td><td>{cell['inner_text']}</td>" in phq9


def test_the_figures_of_the_test_stand_beside_the_rule(read):
    phq9 = section(read["on-track.html"], "phq9")
    for row in make_tables()["track_test"]:
        assert row["label"] in phq9 and row["value_text"].replace("<", "&lt;") in phq9
    page = read["on-track.html"].source
    assert "made of those who stayed" in page and "no verdict on a therapist" in page
