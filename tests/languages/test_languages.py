"""Every text has its translation, and no translation loses a number or a name."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.language import _ as said_as
from reports.language import language, languages, speaking, spoken
from reports.render import AUDIENCES, render
from tests.languages.catalogue import catalogues, said
from tests.languages.texts import texts
from tests.reports.fixture_tables import make_tables

PLACES = re.compile(r"%\(\w+\)s|</?\w+>")
PIECES = [
    *("; ", ". ", ", ", ": ", " (", ")", " ", ".", "too few", "3.4", "WAI-SR", "Alder", "in use"),
    *("published", "total", " of ", " to ", "Barkham et al. 2013", "no score", "{}", "\n", "part "),
]
ENGLISH_WORDS = re.compile(r"\b(the|of|and|with|not|from|which)\b")
HOLES = re.compile(r"\{(\d*)\}")


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_every_text_is_translated_and_nothing_else(path):
    """A text that was changed or is new stands without a translation until somebody writes one."""
    found, translations = texts(), said(path)
    assert sorted(text for text in found if not translations.get(text)) == []
    assert sorted(set(translations) - set(found)) == []


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_no_translation_loses_what_only_the_night_knows(path):
    """Named places, tags and holes are the same; holes may change their order by number."""
    for text, translation in said(path).items():
        assert Counter(PLACES.findall(text)) == Counter(PLACES.findall(translation)), text
        holes = HOLES.findall(translation)
        assert len(holes) == text.count("{}"), text
        if any(holes):
            assert sorted(map(int, holes)) == list(range(len(holes))), text


def test_the_texts_of_tables_are_found_with_their_numbers():
    """What a reader would check: the sentence is German, the numbers are where they were."""
    expected = {
        "3.4 to 5.0": "3,4 bis 5,0",
        "12 of 40 eligible (30 %)": "12 von 40 infrage kommenden (30 %)",
        "known for 61 % only: those without a score may differ; "
        "what was expected is inferred from the clinic's own rhythm": "nur für 61 % bekannt: die ohne Wert können anders sein; "
        "was erwartet war, ist aus dem eigenen Rhythmus der Klinik erschlossen",
        "Questionnaires completed (WAI-SR)": "Ausgefüllte Fragebögen (WAI-SR)",
        "None is left out for that. Open courses without any of these facts: 2.": "Keine ist"
        " deshalb ausgelassen. Laufende Behandlungen ohne eine dieser Tatsachen: 2.",
        "12 months to 17 November 2026": "12 Monate bis 17. November 2026",
        "January to March 2026": "Januar bis März 2026",
        "0.49": "0,49",
        "special cause, concern: beyond the lower limit, part of a run of 7 or more below the mean": "besondere"
        " Ursache, Sorge: jenseits der unteren Grenze, Teil einer Folge von 7 oder mehr unter dem Mittelwert",
        "OQ-45.2": "OQ-45.2",
    }
    with speaking("de"):
        assert {text: said_as(text) for text in expected} == expected
        assert spoken().unknown == set()


def test_what_is_unknown_stays_and_is_noted():
    """A clinic's name is no text of ours; a sentence nobody translated must not be half translated."""
    with speaking("de") as here:
        here.unknown.clear()
        assert said_as("Nothing of 3 to tell of Overview") == "Nothing of 3 to tell of Overview"
        assert said_as(None) is None
        assert here.unknown == {"Nothing of 3 to tell of Overview"}
        here.unknown.clear()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join))
def test_any_text_is_said_or_stays(text):
    """Whatever is put together of pieces ends, and what is no English of ours stays a text."""
    with speaking("de") as here:
        assert isinstance(said_as(text), str)
        here.unknown.clear()


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_every_page_is_written_in_the_language(path):
    """Of the words that pages have in common nothing is left in English, and names stay names."""
    tables = make_tables()
    english = {audience: dict(render(audience, tables)) for audience in AUDIENCES}
    with speaking(path.stem) as here:
        for audience, pages in english.items():
            for name, text in render(audience, tables):
                assert f'<html lang="{here.code}">' in text, name
                assert " as_of" not in text and "%(" not in text, name
                assert text != pages[name], name
        foreign = [text for text in here.unknown if ENGLISH_WORDS.search(text)]
        here.unknown.clear()
    # what is made up for the tests stands in no catalogue
    known = texts()
    assert [text for text in foreign if text in known] == []


def test_english_is_what_is_written():
    """Without a catalogue nothing is changed, a decimal point least of all."""
    with speaking("en"):
        assert said_as("12 of 40 eligible (30.5 %)") == "12 of 40 eligible (30.5 %)"
    assert languages()[0] == "en"
    with pytest.raises(KeyError):
        language("xx")
