"""FHIR R4 questionnaire responses: one record for each, items found by patterns of link ids.

Nothing is taken from `author`: who keyed a form in is neither its respondent nor the therapist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl

from flows.reading.fhir_findings import Remarks
from flows.reading.fhir_items import Answers, answers_of, item_column, item_text
from flows.reading.json_records import JsonRecord, scalar
from flows.reading.json_shapes import MARK, Shape
from schemas.export_format import Form, Source
from schemas.mapping_parts import Values
from schemas.shaping import link_column

RESPONSE = "QuestionnaireResponse"
SEGMENT = re.compile(r"([^.\[\]]+)(?:\[([^\[\]]*)\])?(?:\.|$)")
MOST_REFERENCES = 8
# Second steps of a path that stay within the response.
OWN_PARTS = ("reference", "type", "display", "lastUpdated", "versionId", "profile", "source")
# They say again what the responses say, and are many.
NEVER_REFERRED_TO = (
    "QuestionnaireResponse",
    "Questionnaire",
    "Observation",
    "ValueSet",
    "CodeSystem",
)


@dataclass(frozen=True)
class LinkedCell:
    """A column that is filled from the answers under some link ids.

    Attributes:
        column: its name in the table.
        pattern: which link ids, as a whole.
        values: the form's answer codes.
        form: the form's place in the mapping.
        is_item: not a stated score or total.
    """

    column: str
    pattern: str
    values: Values | None
    form: int
    is_item: bool

    def fits(self, link: str) -> bool:
        """True where the link id is one of this column's."""
        if link == self.pattern:
            return True
        try:
            return re.fullmatch(self.pattern, link) is not None
        except re.error:
            return False


@dataclass
class ResponseWalk:
    """Walks the resources of one file.

    Args:
        source: the mapping's source.
        names: columns of the table, in order.

    Attributes:
        others: resources of the file that a response may refer to, by type and id, and by url.
        stand_for: what the references at some marks are, while a path is followed.
        met: marks of references that a path met.
    """

    source: Source
    names: list[str]
    remarks: Remarks = field(init=False)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    stand_for: dict[str, str] = field(default_factory=dict)
    met: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cells = [cell for n, form in enumerate(self.source.form) for cell in _linked(form, n)]
        self.values = {cell.column: cell.values for cell in self.cells}
        self.remarks = Remarks(self.source, self.cells, self.names)
        self.of_link = cache(self._columns_of)

    @property
    def needs_others(self) -> bool:
        """True where a path leads on from a reference into another resource."""
        linked = {cell.column for cell in self.cells}
        paths = [name.split(".") for name in self.names if name not in linked]
        return any(
            "[" in "".join(path) or len(path) > 2 or (len(path) == 2 and path[1] not in OWN_PARTS)
            for path in paths
        )

    def index(self, records: Iterable[JsonRecord]) -> None:
        """Keep the resources that a response may refer to."""
        for record in records:
            content = record.content
            if content is None or is_never_referred_to(content):
                continue
            self.others[f"{content.get('resourceType')}/{content.get('id')}"] = content
            if record.full_url:
                self.others[record.full_url] = content

    def of_record(self, record: JsonRecord) -> list[list[str] | None]:
        """The cells of a response; None where it is none that can be read."""
        if record.content is None:
            return [None]
        if record.content.get("resourceType") != RESPONSE:
            self._count_other(record.content, 1)
            return []
        try:
            return [self._cells(record.content, record.line)]
        except (TypeError, ValueError):
            return [None]

    def of_shape(
        self, record: JsonRecord, shape: Shape, lines: pl.Series
    ) -> list[pl.Series] | None:
        """The columns of responses that are built alike; None where none of them can be read."""
        response = record.content or {}
        if response.get("resourceType") != RESPONSE:
            self._count_other(response, len(lines))
            return []
        try:
            answers, filled = self._answers(response)
        except (TypeError, ValueError):
            return None
        self.remarks.see_responses(response, shape, lines)
        columns = []
        for name in self.names:
            if name in self.values:
                columns.append(item_column(filled.get(name, []), self.values[name], shape))
                continue
            column = self._column_at(response, name, shape)
            if name in answers:
                column = column.zip_with(column != "", item_column(answers[name], None, shape))
            self.remarks.see_path(name, str(column.max() or ""), name in answers)
            columns.append(column)
        return columns

    def tell(self, findings: Any) -> None:
        """Everything remarkable about the file's responses as a whole."""
        self.remarks.tell(findings)

    def _count_other(self, resource: dict[str, Any], times: int) -> None:
        self.remarks.other_kinds[str(resource.get("resourceType", "none"))[:40]] += times

    def _answers(self, response: dict[str, Any]) -> tuple[dict[str, Answers], dict[str, Answers]]:
        """The answers of a response by link id, and by the columns that they fill."""
        answers = answers_of(response)
        filled: dict[str, Answers] = {}
        for link, given in answers.items():
            columns = self.of_link(link)
            self.remarks.see_link(link, columns, given)
            for cell in columns:
                filled.setdefault(cell.column, []).extend(given)
        return answers, filled

    def _cells(self, response: dict[str, Any], line: int) -> list[str]:
        answers, filled = self._answers(response)
        self.remarks.see_response(response, line)
        texts = []
        for name in self.names:
            if name in self.values:
                texts.append(item_text(filled.get(name, []), self.values[name]))
                continue
            text = self._at(response, name) or item_text(answers.get(name, []), None)
            self.remarks.see_path(name, text, name in answers)
            texts.append(text)
        return texts

    def _column_at(self, response: dict[str, Any], name: str, shape: Shape) -> pl.Series:
        """What stands at a path in each response of a shape, whatever its references lead to."""

        def text_at(stand_for: dict[str, str]) -> str:
            self.stand_for = stand_for
            return self._at(response, name)

        asked: list[str] = []
        while True:
            self.met.clear()
            column = shape.mapped(asked, text_at)
            self.stand_for = {}
            if self.met.keys() <= set(asked):
                return column
            asked = list(dict.fromkeys([*asked, *self.met]))

    def _columns_of(self, link: str) -> tuple[LinkedCell, ...]:
        return tuple(cell for cell in self.cells if cell.fits(link))

    def _at(self, response: dict[str, Any], path: str) -> str:
        if path.strip() == "" or "".join(m[0] for m in SEGMENT.finditer(path)) != path:
            return ""
        segments = [(found[1], found[2]) for found in SEGMENT.finditer(path)]
        return self._follow(response, response, segments, MOST_REFERENCES)

    def _follow(
        self, whole: dict[str, Any], value: Any, path: list[tuple[str, str | None]], left: int
    ) -> str:
        """The first text at a path; a reference on the way leads into the resource it names."""
        if isinstance(value, list):
            texts = (self._follow(whole, part, path, left) for part in value)
            return next(filter(None, texts), "")
        if not path:
            return "" if isinstance(value, dict) else scalar(value)
        if not isinstance(value, dict):
            return ""
        (name, system), *rest = path
        found = value.get(name)
        if system is not None:
            parts = found if isinstance(found, list) else [found]
            found = [p for p in parts if isinstance(p, dict) and p.get("system") == system]
            rest = rest or [("value", None)]
        text = self._follow(whole, found, rest, left) if found else ""
        if not text and isinstance(value.get("reference"), str) and left:
            target = self._resource(whole, value["reference"])
            text = self._follow(whole, target, path, left - 1) if target else ""
        return text

    def _resource(self, whole: dict[str, Any], reference: str) -> dict[str, Any] | None:
        """The resource that a reference names: contained, in this file by url, or by type and id."""
        reference = self._said(reference)
        if reference.startswith("#"):
            contained = whole.get("contained", [])
            parts = contained if isinstance(contained, list) else []
            inner = (part for part in parts if isinstance(part, dict))
            return next((p for p in inner if self._said(p.get("id")) == reference[1:]), None)
        plain = reference.split("/_history/")[0]
        return self.others.get(plain) or self.others.get("/".join(plain.split("/")[-2:]))

    def _said(self, text: Any) -> Any:
        """A text, or what stands at the mark that it is; what a path leads to depends on it."""
        if not isinstance(text, str) or not text.startswith(MARK):
            return text
        self.met[text] = None
        return self.stand_for.get(text, "")


def is_never_referred_to(resource: dict[str, Any]) -> bool:
    """True for kinds of resources that no path of a response leads to."""
    return resource.get("resourceType") in NEVER_REFERRED_TO


def _linked(form: Form, number: int) -> Iterator[LinkedCell]:
    links = form.items.links if form.items else ()
    for place, pattern in enumerate(links, start=1):
        column = link_column(form.instrument, place)
        yield LinkedCell(column, pattern, form.values, number, is_item=True)
    for name in (*form.scores.values(), *form.totals.values()):
        yield LinkedCell(name, name, None, number, is_item=False)
