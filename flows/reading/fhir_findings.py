"""What is remarkable about a file of questionnaire responses; told once for the file."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.reading.fhir_items import Answers
from flows.reading.finding import Findings
from flows.reading.json_shapes import Shape
from schemas.export_format import Source

if TYPE_CHECKING:
    from flows.reading.fhir import LinkedCell

STATES = {
    "entered-in-error": "response-withdrawn",
    "amended": "response-amended",
    "in-progress": "response-unfinished",
    "stopped": "response-unfinished",
}


@dataclass
class Remarks:
    """Counts what the walk sees, and turns it into findings.

    Args:
        source: the mapping's source.
        cells: the columns filled by link ids.
        names: all columns of the table.
    """

    source: Source
    cells: list[LinkedCell]
    names: list[str]
    other_kinds: Counter[str] = field(default_factory=Counter)
    links: dict[str, dict[str, None]] = field(default_factory=dict)
    kinds: dict[int, dict[str, None]] = field(default_factory=dict)
    unused: dict[str, None] = field(default_factory=dict)
    states: dict[str, list[pl.Series]] = field(default_factory=dict)
    keyed_by_others: list[pl.Series] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    responses: int = 0

    def see_link(self, link: str, columns: tuple[LinkedCell, ...], given: Answers) -> None:
        """Note one link id of a response."""
        for cell in columns:
            self.links.setdefault(cell.column, {})[link] = None
            if cell.is_item:
                kinds = self.kinds.setdefault(cell.form, {})
                kinds.update(dict.fromkeys(answer.kind for answer in given))
        if not columns and given:
            self.unused[link] = None

    def see_path(self, name: str, text: str, is_link: bool) -> None:
        """Note whether any response has something under a name."""
        if text:
            self.filled.add(name)
        if is_link:
            self.unused.pop(name, None)

    def see_response(self, response: dict[str, Any], line: int) -> None:
        """Note the state of a response, and who keyed it in."""
        self.responses += 1
        state = str(response.get("status", ""))
        at = pl.Series("line", [line])
        if state in STATES:
            self.states.setdefault(STATES[state], []).append(at)
        author, own = _who(response)
        if author and author != own:
            self.keyed_by_others.append(at)

    def see_responses(self, response: dict[str, Any], shape: Shape, lines: pl.Series) -> None:
        """The same of responses that are built alike, one of which has marks as values."""
        self.responses += len(lines)
        state = shape.column(str(response.get("status", "")))
        for word, rule in STATES.items():
            self.states.setdefault(rule, []).append(lines.filter(state == word))
        author, own = map(shape.column, _who(response))
        self.keyed_by_others.append(lines.filter((author != "") & (author != own)))

    def tell(self, findings: Findings) -> None:
        """Add the findings."""
        self._tell_links(findings)
        for rule, lines in self.states.items():
            findings.add_lines(rule, pl.concat(lines), "status", self.responses)
        keyed = pl.concat([pl.Series("line", [], dtype=pl.Int64), *self.keyed_by_others])
        findings.add_lines("author-differs", keyed, "author", self.responses)
        fields = self.source.fields
        if fields.therapist is None and len(keyed):
            findings.add("therapist-not-asserted", 1)
        session = fields.session
        if session is not None and session.extract and "reference" in " ".join(session.columns):
            findings.add("session-from-reference", 1, " / ".join(session.columns))
        if self.other_kinds:
            kinds = ", ".join(f"{n} x {kind}" for kind, n in sorted(self.other_kinds.items()))
            findings.add("resources-not-read", 1, kinds=kinds)
        own = {cell.column for cell in self.cells}
        for name in self.names:
            if name not in own and name not in self.filled and self.responses:
                findings.add("path-absent", 1, name)

    def _tell_links(self, findings: Findings) -> None:
        for number, form in enumerate(self.source.form):
            items = [cell for cell in self.cells if cell.form == number and cell.is_item]
            styles = max((len(self.links.get(cell.column, {})) for cell in items), default=0)
            kinds = self.kinds.get(number, {})
            if styles > 1 or len(kinds) > 1:
                findings.add(
                    "links-mixed", 1, instrument=form.instrument, times=styles,
                    kinds=", ".join(sorted(kinds)),
                )  # fmt: skip
            for cell in items:
                if cell.column not in self.links and kinds:
                    findings.add("link-unmatched", 1, cell.column)
        for link in self.unused:
            if not any(fnmatch.fnmatchcase(link, glob) for glob in self.source.fields.ignore):
                findings.add("column-unexpected", 1, link)


def _who(response: dict[str, Any]) -> tuple[str, str]:
    """Who keyed a response in, and who answered it or is its subject."""
    own = _reference(response.get("source")) or _reference(response.get("subject"))
    return _reference(response.get("author")), own


def _reference(value: Any) -> str:
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else ""
