"""SQL text for single cells: missing codes, identifiers, dates.

The mapping is data, so its SQL is put together here; everything a clinic wrote goes in as a quoted
literal. Each function returns expressions over the engine's columns, never a value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.reading.cell_status import OK, first_fault
from schemas.export_format import Condition, FieldRule, MissingIf, Source
from schemas.mapping_parts import NAMED_FORMATS, tells_time
from schemas.shaping import SESSION_COLUMN

ISO_DATE = r"\d{4}-\d{2}-\d{2}"
ISO_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,6})?)?"
ISO_ZONE = r"(Z|[+-]((0\d|1[0-3]):?[0-5]\d|14:?00))"
ISO_TIME = rf"{ISO_DATE}[T ]{ISO_CLOCK}{ISO_ZONE}?"
# Up to the last day of the year 9999.
SERIAL_DAY = r"[0-9]{1,7}([.,]0+)?"
SERIAL = r"[0-9]{1,7}([.,][0-9]{1,17})?"
ISO_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
# Longer texts are remarks in a column taken for an id; a few of them fill the memory.
LONGEST_ID = 200
BLANKS = " \t\u00a0\u2007\u202f\u3000\u200b\ufeff"
# The mark that begins a file, inside of one: files were put together, and read in one encoding or another.
BYTE_ORDER_MARK = "(?:\ufeff|\u00ef\u00bb\u00bf).*"
SCIENTIFIC = r"\d([.,]\d+)?[eE]\+?\d+"
# What spreadsheets make of ids like 3-2: 02. Mrz, 2-Mar, Mar-02, 02.03.2026, 2026-03-02 00:00:00;
# what statistics programs make of 417: 417.0; and a quote that slipped into a cell.
MONTH = "(?i:jan|feb|m[aä]r|mrz|apr|ma[yij]|mei|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]{0,6}[.]?"
REWRITTEN = "|".join(
    [
        rf"\d{{1,2}}[. -]{{1,2}}{MONTH}([. -]{{1,2}}(\d\d|\d{{4}}))?",
        rf"{MONTH}[ -](\d\d|\d{{4}})",
        r"\d{1,2}[./-]\d{1,2}[./-](19|20)\d\d",
        r"(19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}([ T]00:00(:00)?)?",
        r"\d+[.,]0",
        '[^"]*".*',
    ]
)


def clean_name(name: str) -> str:
    """A column name as it is compared: composed accents, single spaces, no outer ones."""
    return " ".join(unicodedata.normalize("NFC", name.lstrip("\ufeff")).split())


def cleaned(expression: str) -> str:
    """The SQL twin of `clean_name`, in lower case, for a header that comes again."""
    spaced = f"regexp_replace(nfc_normalize({expression}), '[\\s\\p{{Z}}]+', ' ', 'g')"
    return f"lower(trim(ltrim({spaced}, '\ufeff')))"


def literal(text: str) -> str:
    """A quoted SQL string."""
    return "'" + text.replace("'", "''") + "'"


def matches(expression: str, pattern: str) -> str:
    """True where the whole cell fits the pattern."""
    return f"regexp_full_match({expression}, {literal(pattern)}, 's')"


@dataclass
class CellGrammar:
    """The cells of one file: engine columns by name, missing codes, number text.

    Attributes:
        source: the mapping's source.
        columns: header names in file order.
        timezone: the clinic's time zone.
        used: names asked for so far.
    """

    source: Source
    columns: Sequence[str]
    timezone: str
    used: set[str] = field(default_factory=set)

    def cell(self, name: str) -> str:
        """The engine's column for a header name; an absent one reads as empty."""
        name = clean_name(name)
        self.used.add(name)
        if name not in self.columns:
            return "''"
        column = f"c{list(self.columns).index(name)}"
        return f"trim({column})" if self.source.read.trim else column

    def place(self, name: str) -> int:
        """Where a header name stands, counted from 1."""
        return list(self.columns).index(clean_name(name)) + 1

    def condition(self, condition: Condition | None) -> str:
        """True where the record meets a condition of the mapping; always where there is none."""
        if condition is None:
            return "true"
        return matches(self.cell(condition.column), condition.matches)

    def is_missing(self, expression: str) -> str:
        """True where the cell is a declared missing code."""
        codes = ", ".join(literal(code) for code in self.source.missing)
        return f"{expression} in ({codes})" if codes else "false"

    def missing_reason(self, expression: str) -> str:
        """The declared reason of a missing code, NULL for any other cell."""
        cases = " ".join(
            f"when {literal(code)} then {self._reason(reason)}"
            for code, reason in self.source.missing.items()
        )
        return f"case {expression} {cases} end" if cases else "null::varchar"

    def _reason(self, reason: str | MissingIf) -> str:
        if isinstance(reason, str):
            return literal(reason)
        chosen, other = literal(reason.reason), literal(reason.otherwise)
        return f"case when {self.condition(reason.when)} then {chosen} else {other} end"

    def present(self, rule: FieldRule, *, no_blanks: bool = False) -> str:
        """The first of the rule's cells that is not missing, as text; NULL where all are.

        Args:
            rule: names the cells.
            no_blanks: a cell of blanks alone is missing, whatever is declared.
        """
        own = ", ".join(map(literal, rule.missing))
        cells = []
        for name in rule.columns:
            cell = self.cell(name)
            if name == SESSION_COLUMN:
                # The mapping's own word for a session, whatever cells of that text mean.
                return cell
            gone = self.is_missing(cell) + (f" or {cell} in ({own})" if own else "")
            if no_blanks:
                gone += f" or trim({cell}, {literal(BLANKS)}) = ''"
            cells.append(f"case when {gone} then null else {cell} end")
        return cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"


def is_id(name: str) -> bool:
    """True where a field identifies somebody; a session or episode may well be called after its date."""
    return name.endswith(("patient", "therapist"))


def text_field(grammar: CellGrammar, name: str, rule: FieldRule | None) -> list[tuple[str, str]]:
    """Aliased expressions ending in `<name>` (text or NULL) and `<name>_status`.

    Status is ok, missing, long, mangled, pattern, undeclared, unknown or number: the first thing wrong.
    """
    if rule is None:
        return [(name, "null::varchar"), (f"{name}_status", OK)]
    # Blanks identify nobody; where words are declared they are one that is not.
    steps = _Steps(name, grammar.present(rule, no_blanks=not rule.map))
    steps.failures.append((f"length({steps.last}) > {LONGEST_ID}", "long"))
    if rule.personal is False and rule.matches is None:
        shapes = f"{SCIENTIFIC}|{BYTE_ORDER_MARK}" + (f"|{REWRITTEN}" if is_id(name) else "")
        steps.failures.append((matches(steps.last, shapes), "mangled"))
    steps.rewrite(rule)
    if rule.type == "int":
        # Nearly every number is written plainly: that is seen without a pattern.
        plain = (
            f"length({steps.last}) < 10 and try_cast({steps.last} as int)::varchar = {steps.last}"
        )
        whole = f"cast(regexp_replace({steps.last}, '[.]0+$', '') as integer)"
        fits = matches(steps.last, r"-?[0-9]{1,9}([.]0+)?")
        number = f"when {plain} then {steps.last} when {fits} then cast({whole} as varchar)"
        steps.take(f"case {number} end", "number")
    return steps.finish()


class _Steps:
    """Successive readings of one cell, each with the word for what is wrong where it gives NULL."""

    def __init__(self, name: str, first: str) -> None:
        self.name = name
        self.aliased = [(f"{name}_0", first)]
        self.failures = [(f"{name}_0 is null", "missing")]

    @property
    def last(self) -> str:
        return self.aliased[-1][0]

    def take(self, expression: str, fault: str | None = None) -> None:
        alias = f"{self.name}_{len(self.aliased)}"
        self.aliased.append((alias, expression))
        if fault is not None:
            self.failures.append((f"{alias} is null", fault))

    def rewrite(self, rule: FieldRule) -> None:
        """What a rule does to the text of any field, in the order of the grammar."""
        if rule.extract is not None:
            whole = literal(f"^(?:{rule.extract})$")
            found = f"nullif(regexp_extract({self.last}, {whole}, 1, 's'), '')"
            self.take(f"case when {matches(self.last, rule.extract)} then {found} end", "pattern")
        if rule.map:
            self.take(_mapped(self.last, rule.map), "undeclared")
        if rule.lookup:
            pairs = " ".join(f"when {literal(k)} then {literal(v)}" for k, v in rule.lookup.items())
            self.take(f"case {self.last} {pairs} end", "unknown")
        if rule.pad is not None:
            padded = f"lpad({self.last}, {rule.pad}, '0')"
            short = f"length({self.last}) < {rule.pad}"
            self.take(f"case when {short} then {padded} else {self.last} end")
        if rule.matches is not None:
            self.take(
                f"case when {matches(self.last, rule.matches)} then {self.last} end", "pattern"
            )

    def finish(self) -> list[tuple[str, str]]:
        status = first_fault(self.failures)
        return [*self.aliased, (self.name, self.last), (f"{self.name}_status", status)]


def _mapped(expression: str, rules: dict[str, str]) -> str:
    cases = []
    for pattern, target in rules.items():
        value = literal(target)
        if "\\" in target:
            whole = literal(f"^(?:{pattern})$")
            value = f"nullif(regexp_replace({expression}, {whole}, {literal(target)}, 's'), '')"
        cases.append(f"when {matches(expression, pattern)} then {value}")
    return f"case {' '.join(cases)} end"


def date_field(
    grammar: CellGrammar, name: str, rule: FieldRule | None
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[tuple[str, str]]]:
    """Three steps of aliased expressions, each over the columns of the one before.

    The last ones are `<name>` (clinic-local TIMESTAMP), `_text`, `_precision` and `_status`. Status
    is ok, missing, unreadable, ambiguous, or as of a text. The text is ISO 8601, with an offset only where the
    file or the mapping gives one. A step is a query of its own, so that a cell is read once.
    """
    if rule is None:
        nothing = [(name, "null::timestamp"), (f"{name}_text", "null::varchar")]
        return (
            [],
            [],
            [*nothing, (f"{name}_precision", "null::date_precision"), (f"{name}_status", OK)],
        )
    raw, found, at_clinic = f"{name}_0", f"{name}_found", f"{name}_local"
    steps = _Steps(f"{name}_cell", grammar.present(rule))
    steps.rewrite(rule)
    forms = rule.formats or ("iso",)
    # Mostly the cell is read as it stands; then no step lies between it and the formats.
    is_plain = len(steps.aliased) == 1
    cell = steps.aliased[0][1] if is_plain else steps.last
    read = [(raw, cell)] if is_plain else [*steps.aliased, (raw, cell)]
    faults = [(f"{raw} is null", "missing")] if is_plain else steps.failures
    read += [(f"{name}_r{place}", instant(cell, form)) for place, form in enumerate(forms)]
    instants = [believable(f"{name}_r{place}", raw) for place in range(len(forms))]
    aliases = [f"{name}_t{place}" for place in range(len(forms))]
    judged = [*zip(aliases, instants, strict=True), (found, f"coalesce({', '.join(aliases)})")]
    conflict = "false"
    if len(aliases) > 1:
        listed = ", ".join(aliases)
        conflict = f"greatest({listed}) <> least({listed})"
    local, text, precision = _local_and_text(name, rule, grammar.timezone)
    # A time zone may carry the last day of the calendar out of it.
    fits = "true" if local == found else f"coalesce(year({local}) between 1 and 9999, false)"
    unreadable = f"{found} is null or not {fits}"
    status = first_fault([*faults, (unreadable, "unreadable"), (conflict, "ambiguous")])
    told = [
        (at_clinic, local if local == found else f"case when {fits} then {local} end"),
        (name, at_clinic),
        (f"{name}_precision", f"cast({precision} as date_precision)"),
        (f"{name}_text", text),
        (f"{name}_status", status),
    ]
    return read, judged, told


def believable(instant: str, raw: str) -> str:
    """The instant, where it is one of the calendar and no word for one (the engine knows some)."""
    word_like = f"{instant} in (timestamp '1900-01-01', timestamp '1970-01-01')"
    word = f"regexp_matches({raw}, '(?i)epoch|infinity')"
    return (
        f"case when {instant} >= timestamp '0001-01-01' and {instant} < timestamp '10000-01-01'"
        f" and not ({word_like} and {word}) then {instant} end"
    )


def instant(raw: str, form: str) -> str:
    """A cell read by one date format: TIMESTAMP as written, NULL where it does not fit."""
    if form not in NAMED_FORMATS:
        return f"try_strptime({raw}, {literal(form)})"
    if form != "iso":
        serial = _serial(raw, 1904 if form == "excel-1904" else 1900)
        return f"case when {matches(raw, SERIAL)} then {serial} else {instant(raw, 'iso')} end"
    naive = f"regexp_replace({raw}, {literal(ISO_OFFSET)}, '')"
    fits_date = matches(raw, ISO_DATE)
    fits_time = matches(raw, ISO_TIME)
    return (
        f"case when {fits_date} then try_cast({raw} as timestamp)"
        f" when {fits_time} then try_cast({naive} as timestamp) end"
    )


def _serial(raw: str, epoch: int) -> str:
    """A spreadsheet's day number as TIMESTAMP, to the second; NULL where there is no such day.

    Counted from 1900 there is a day 60 that never was, the 29th of February 1900.
    """
    number = f"try_cast(replace({raw}, ',', '.') as double)"
    seconds = f"to_seconds(cast(round({number} * 86400) as bigint))"
    if epoch == 1904:
        return f"timestamp '1904-01-01' + {seconds}"
    return (
        f"case when {number} >= 61 then timestamp '1899-12-30' + {seconds}"
        f" when {number} >= 1 and {number} < 60 then timestamp '1899-12-31' + {seconds} end"
    )


def absolute(raw: str) -> str:
    """An ISO time with an offset as TIMESTAMPTZ; the engine wants seconds before an offset."""
    whole = f"regexp_replace({raw}, '([T ][0-9]{{2}}:[0-9]{{2}})(Z|[+-].*)$', '\\1:00\\2')"
    return f"try_cast({whole} as timestamptz)"


def _local_and_text(name: str, rule: FieldRule, timezone: str) -> tuple[str, str, str]:
    """Clinic-local timestamp, ISO text and precision of a date that was read.

    A day alone has no hour: no time zone moves it, and no precision is put upon it.
    """
    raw, found, clinic = f"{name}_0", f"{name}_found", literal(timezone)
    timed = _is_timed(name, rule)
    offset = f"regexp_extract({raw}, {literal(ISO_OFFSET)}, 1)"
    local, suffix = found, "''"
    if rule.zone not in (None, "clinic"):
        moved = f"timezone({clinic}, timezone({literal(str(rule.zone))}, {found}))"
        local = f"case when {timed} then {moved} else {found} end"
        suffix = _offset_text(found, str(rule.zone))
    elif rule.zone == "clinic":
        suffix = _offset_text(found, timezone)
    clock = f"date_trunc('minute', {found})" if rule.precision == "minute" else found
    seconds = f"strftime({clock}, '%Y-%m-%dT%H:%M:%S') || {suffix}"
    if not rule.formats or set(rule.formats) & set(NAMED_FORMATS):
        has_offset = f"{matches(raw, ISO_TIME)} and {offset} <> ''"
        at_clinic = f"timezone({clinic}, {absolute(raw)})"
        local = f"case when {has_offset} then {at_clinic} else {local} end"
        as_written = f"replace({raw}, ' ', 'T')"
        if rule.precision == "minute":
            as_written = f"regexp_replace({as_written}, '(T..:..)[0-9.:]*', '\\1:00')"
        seconds = f"case when {has_offset} then {as_written} else {seconds} end"
    if rule.precision not in (None, "second"):
        unit = "day" if rule.precision == "date" else rule.precision
        local = f"date_trunc({literal(unit)}, {local})::timestamp"
    told = literal(rule.precision or "second")
    precision = f"case when {timed} then {told} else 'date' end"
    text = f"case when {precision} = 'date' then strftime({local}, '%Y-%m-%d') else {seconds} end"
    return local, text, precision


def _is_timed(name: str, rule: FieldRule) -> str:
    """True where the format that read the date told a time of day."""
    cases = []
    for place, form in enumerate(rule.formats or ("iso",)):
        told = "true" if tells_time(form) else "false"
        if form in NAMED_FORMATS:
            days = ISO_DATE if form == "iso" else f"{ISO_DATE}|{SERIAL_DAY}"
            told = f"not {matches(f'{name}_0', days)}"
        cases.append((f"{name}_t{place} is not null", told))
    if len({told for _, told in cases}) == 1:
        return cases[0][1]
    return f"case {' '.join(f'when {test} then {told}' for test, told in cases)} end"


def _offset_text(found: str, zone: str) -> str:
    seconds = f"cast(epoch({found}) - epoch(timezone({literal(zone)}, {found})) as integer)"
    sign = f"case when {seconds} < 0 then '-' else '+' end"
    return f"{sign} || printf('%02d:%02d', abs({seconds}) // 3600, abs({seconds}) % 3600 // 60)"
