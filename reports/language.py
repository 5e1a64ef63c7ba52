"""The language of the pages: English as it is written, any other from its catalogue.

A catalogue is a gettext file, `reports/languages/<code>.po`; its ids are the English texts. Texts
of templates are looked up whole. Texts that come with the rows (labels, notes, findings) hold
numbers and names: their ids have `{}` in these places, and a text is matched against them.
"""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel.dates import format_date
from babel.messages.pofile import read_po

ENGLISH: Final = "en"
PLACE: Final = re.compile(r"\{\}")
HOLE: Final = re.compile(r"\{(\d*)\}")
NUMBER: Final = re.compile(r"[-+−–<>≥≤±]?\s?(?:\d*\.)?\d+(?: ?%)?|\d{4}-\d{2}-\d{2}|\d+(?:, \d+)+")
# A name of something that has the same name in every language: WAI-SR, OQ-45.2, the code of a language.
NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(?:[-.]?[A-Z0-9]+)*\d*|[a-z]{2}")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DATE: Final = re.compile(rf"(?:(\d{{1,2}}) )?({'|'.join(MONTHS)})(?: (\d{{4}}))?")
DECIMAL: Final = re.compile(r"([-+−–<>≥≤±]?\s?\d*)\.(\d+)( ?%)?")
# A hyphen before a number is a minus, unless a name, a date or a span goes on there.
MINUS: Final = re.compile(r"(?<![\w.)\]/-])-(?=\d)")
LETTERS: Final = re.compile(r"[^\W\d_]")
# What joins texts that were written one by one: of lists, of sentences, a name in parentheses.
JOINTS: Final = (
    re.compile(r"(; )"),
    re.compile(r"(?<=[.?!])( )(?=[A-Z])"),
    re.compile(r"( \(|\)$)"),
    re.compile(r"(, )"),
    re.compile(r"^([^:]*)(: )"),
)
SIGNS: Final = re.compile(r"[\W_]+")
# With fewer letters than this, a text with places says too little to be told by its words alone.
TELLING: Final = 4
DAY: Final = {"en": "d MMM y"}


@dataclass(frozen=True)
class Template:
    """A text with places: how it is recognised, and how it is said."""

    pattern: re.Pattern[str]
    said: str
    has_words: bool

    def match(self, text: str) -> tuple[str, ...] | None:
        """Returns what stands in the places; None where the text is another one."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        places = found.groups()
        if not self.has_words and not all(map(_is_sign, places)):
            return None
        return places

    def fill(self, places: tuple[str, ...]) -> str:
        """Says it with these in the places: `{}` in turn, or by number from 0."""
        turn = iter(range(len(places)))
        return HOLE.sub(lambda hole: places[int(hole[1] or next(turn))], self.said)


@dataclass(frozen=True)
class Language:
    """One language: its texts, its texts with places, and how it writes numbers and dates."""

    code: str
    texts: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, tuple[Template, ...]] = field(default_factory=dict)
    comma: str = "."
    unknown: set[str] = field(default_factory=set)
    known: dict[str, str | None] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """Returns the text in this language; one that is unknown stays as it is and is noted."""
        said = self._said(text) or self._in_part(text)
        if said is None:
            if LETTERS.search(text):
                self.unknown.add(text)
            return text
        return said

    def _said(self, text: str) -> str | None:
        """Says the whole of a text; None where any piece of it is unknown."""
        if text not in self.known:
            self.known[text] = self._found(text)
        return self.known[text]

    def _found(self, text: str) -> str | None:
        if text in self.texts:
            return self.texts[text]
        if _is_sign(text):
            return self._sign(text)
        for template in self._candidates(text):
            places = template.match(text)
            said = [self._said(place) for place in places] if places is not None else [None]
            if None not in said:
                return template.fill(tuple(place for place in said if place is not None))
        return self._joined(text) or self._sentence(text)

    def _in_part(self, text: str) -> str | None:
        """Says what can be said of a text that has a name in it, or a piece that nobody translated."""
        for joint in JOINTS[:2]:
            parts = [part for part in joint.split(text) if part]
            if len(parts) > 1:
                told = [
                    None if SIGNS.fullmatch(part) else self._said(part) or self._in_part(part)
                    for part in parts
                ]
                if any(told):
                    return "".join(new or old for new, old in zip(told, parts, strict=True))
        for template in self._candidates(text):
            places = template.match(text)
            if places is not None:
                return template.fill(
                    tuple(self._said(place) or self._in_part(place) or place for place in places)
                )
        return None

    def _joined(self, text: str) -> str | None:
        """Says a text that was joined of several, where each of them can be said."""
        for joint in JOINTS:
            parts = [part for part in joint.split(text) if part]
            if len(parts) > 1:
                # out of its place a joint would not match again
                said = [part if SIGNS.fullmatch(part) else self._said(part) for part in parts]
                if None not in said:
                    return "".join(part for part in said if part is not None)
        return None

    def _sentence(self, text: str) -> str | None:
        """Says a text that was made a sentence: a capital in front, a full stop behind."""
        if not (text.endswith(".") and text[:1].isupper()):
            return None
        said = self._said(text[:-1]) or self._said(text[0].lower() + text[1:-1])
        return f"{said[:1].upper()}{said[1:]}." if said else None

    def _sign(self, text: str) -> str:
        """Writes a number, a date or a name."""
        if found := DATE.fullmatch(text):
            day, name, year = found.groups()
            date = datetime.date(int(year or 2000), MONTHS.index(name) + 1, int(day or 1))
            pattern = " ".join(
                part
                for part in ("d." if day else "", "MMMM" if day else "LLLL", "y" if year else "")
                if part
            )
            return format_date(date, pattern, locale=self.code)
        if DECIMAL.fullmatch(text):
            return DECIMAL.sub(rf"\1{self.comma}\2\3", text)
        return text

    def _candidates(self, text: str) -> Iterator[Template]:
        """Texts with places that may be it, the longest first: by first word, then any."""
        yield from self.templates.get(first_word(text), ())
        yield from self.templates.get("", ())

    def day(self, date: datetime.date) -> str:
        """Writes a date as people say it."""
        return format_date(date, DAY.get(self.code, "d. MMM y"), locale=self.code)

    def month(self, date: datetime.date) -> str:
        """Names a date's month in short, without a full stop."""
        return format_date(date, "LLL", locale=self.code).rstrip(".")


def _is_sign(text: str) -> bool:
    """Says whether a text is a number, a date or a name: nothing that has a translation of its own."""
    return any(kind.fullmatch(text) for kind in (NUMBER, DATE, NAME))


def first_word(text: str) -> str:
    """Returns the word a text begins with; empty where it begins with a place."""
    word = text.split(" ", 1)[0]
    return "" if PLACE.search(word) else word


def languages() -> list[str]:
    """Lists the languages pages can be written in, English first."""
    found = (path.name for path in files("reports").joinpath("languages").iterdir())
    return [ENGLISH, *sorted(name.removesuffix(".po") for name in found if name.endswith(".po"))]


@cache
def language(code: str) -> Language:
    """Reads a language; KeyError where there is no catalogue of it."""
    if code == ENGLISH:
        return Language(ENGLISH)
    if code not in languages():
        raise KeyError(code)
    with files("reports").joinpath("languages", f"{code}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=code)
    texts: dict[str, str] = {}
    templates: dict[str, list[Template]] = {}
    for message in catalogue:
        for text, words in zip(_forms(message.id), _forms(message.string), strict=False):
            if not text or not words or message.fuzzy:
                continue
            if PLACE.search(text):
                templates.setdefault(first_word(text), []).append(_template(text, words))
            else:
                texts[text] = words
    ordered = {
        word: tuple(sorted(found, key=lambda template: -len(template.pattern.pattern)))
        for word, found in templates.items()
    }
    return Language(code, texts, ordered, comma=",")


def _forms(text: Sequence[str] | None) -> Sequence[str]:
    """Returns the singular and the plural of a message that has both; otherwise its one text."""
    return (text,) if isinstance(text, str) else text or ()


def _template(text: str, said: str) -> Template:
    words = PLACE.split(text)
    pattern = re.compile("(.+?)".join(re.escape(part) for part in words), re.DOTALL)
    return Template(pattern, said, len(LETTERS.findall("".join(words))) >= TELLING)


SPOKEN: ContextVar[Language | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Writes pages in this language until the end of the block."""
    token = SPOKEN.set(language(code))
    try:
        yield spoken()
    finally:
        SPOKEN.reset(token)


def spoken() -> Language:
    """Returns the language pages are being written in."""
    return SPOKEN.get() or language(ENGLISH)


def _(text: Any) -> Any:
    """Says a text in the language of the page; what is no text is returned as it is."""
    if type(text) is not str:
        return text
    here = spoken()
    return MINUS.sub("−", here.say(text) if here.code != ENGLISH else text)


def counted(one: str, many: str, number: int) -> str:
    """Says the form of a text that goes with a number."""
    text = one if number == 1 else many
    return _(text)
