"""Reads a page the way a strict reader would: nesting, links, ids, headings, visible words."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
SHAPES = {"path", "line", "rect", "circle", "polyline"}
# Inside a drawing only the title and the description are read: ticks belong to the axis.
UNREAD = {"style", "script", "text"}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(eq=False)
class Element:
    """One element with its attributes, its words and the elements around it."""

    tag: str
    attributes: dict[str, str]
    ancestors: list["Element"] = field(repr=False)
    pieces: list[str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """All words inside, in order."""
        return "".join(self.pieces)


@dataclass(eq=False)
class PageReader(HTMLParser):
    """Parses one page; `faults` tells of every element closed out of order or left open."""

    source: str = field(repr=False)
    elements: list[Element] = field(default_factory=list, repr=False)
    faults: list[str] = field(default_factory=list)
    _said: list[str] = field(default_factory=list, repr=False)
    _open: list[Element] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        self.faults += [f"<{element.tag}> is never closed" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> repeats an attribute")
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID | SHAPES:
            self.faults.append(f"<{tag}/> closes itself")
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes nothing")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(element.tag in UNREAD for element in self._open):
            self._said.append(data)
        for element in self._open:
            element.pieces.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Lists the elements of one tag whose attributes have these values (class_ for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    @property
    def words(self) -> str:
        """What a person reads: everything but style sheet, script and what stands in drawings."""
        return " ".join(self._said)
