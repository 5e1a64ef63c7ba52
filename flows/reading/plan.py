"""What a file's mapping asks of each record: the columns of the record table, and the parts on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.reading.cells import CellGrammar, date_field, text_field
from flows.reading.date_doubts import DateColumn, doubt_columns
from schemas.export_format import FieldRule, Form
from schemas.instrument_types import Instrument


@dataclass(frozen=True)
class Part:
    """One thing a record may carry: a form, an appointment, an episode or an action.

    Attributes:
        kind: form, appointment, episode or action.
        prefix: of its columns in the record table.
        names: record-table column of patient, therapist, episode, session, at, key, and of what
            else the kind of part has.
        columns: header names behind each of these, for findings.
        form: the mapping's form, where kind is form.
        instrument: the registry's instrument, None where the registry has none of that name.
        items: columns of the answers, in item order.
        beyond: item columns of other forms that this one does not reach.
        respondent: who filled the form in, where the mapping says it for all records.
        state: record-table column that says what came of joining the form's lines; None where a
            record is a line.
    """

    kind: str
    prefix: str
    names: dict[str, str]
    columns: dict[str, str]
    form: Form | None = None
    instrument: Instrument | None = None
    items: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    respondent: str | None = None
    state: str | None = None


@dataclass
class RecordPlan:
    """The columns of the record table, and the parts that stand on them.

    `read`, `judged` and `columns` are three queries, each over the one before.
    """

    grammar: CellGrammar
    with_text: bool
    read: list[tuple[str, str]] = field(default_factory=list)
    judged: list[tuple[str, str]] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    dates: list[DateColumn] = field(default_factory=list)

    def put(self, columns: list[tuple[str, str]], *keep: str) -> None:
        """Add aliased expressions; `keep` names those that stay in the table."""
        self.columns.extend(columns)
        self.kept.extend(keep)

    def put_text(self, name: str, rule: FieldRule | None) -> str:
        """Add an identifier-like field."""
        self.put(text_field(self.grammar, name, rule), name, f"{name}_status")
        return name

    def put_date(self, name: str, rule: FieldRule | None) -> str:
        """Add a date field."""
        kept = [name, f"{name}_precision", f"{name}_status"]
        kept += [f"{name}_text"] if self.with_text else []
        read, judged, columns = date_field(self.grammar, name, rule)
        self.read.extend(read)
        self.judged.extend(judged)
        self.put(columns, *kept)
        if rule is not None:
            asked, columns, kept = doubt_columns(name, rule, self.grammar.timezone)
            self.put(columns, *kept)
            self.dates.append(asked)
        return name
