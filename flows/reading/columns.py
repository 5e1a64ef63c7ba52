"""Findings about a file's columns: absent, doubled, unexpected, personal, recoded."""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import schemas
from flows.errors import FileRefused
from flows.reading.cells import clean_name
from flows.reading.finding import Findings
from flows.reading.plan import Part, RecordPlan
from schemas.export_format import FieldRule, Form, Source
from schemas.instrument_types import Instrument
from schemas.shaping import FORM_COLUMN

UNEXPECTED_SHOWN = 200


def refuse_missing_columns(
    source: Source, header: tuple[str, ...], header_line: int, findings: Findings
) -> None:
    """Name every column that the mapping needs and the file lacks, or has twice.

    Where less than half of the needed names are found, the line may be no header but a record: then
    no finding holds a name out of it.

    Raises:
        FileRefused: after all faults were added to the findings but the last.
    """
    needed, keys = needed_columns(source), _names(source.key)
    counts = Counter(header)
    missing = [" / ".join(names) for names in needed if not any(counts[n] for n in names)]
    recognised = len(needed) - len(missing)
    is_header = recognised * 2 >= len(needed)
    faults: list[tuple[str, str, dict[str, Any]]] = [
        ("column-missing", name, {"nearest": _nearest(name, header) if is_header else ""})
        for name in missing + ([] if any(counts[key] for key in keys) else keys)
    ]
    used = dict.fromkeys([name for names in needed for name in names] + keys)
    faults += [
        ("column-doubled", name, {"times": counts[name]}) for name in used if counts[name] > 1
    ]
    if not is_header:
        for rule, name, about in faults:
            findings.add(rule, line=header_line, column=name, **about)
        raise FileRefused(
            "header-not-recognised", line=header_line, counted=recognised, expected=len(needed)
        )
    for name, times in counts.items():
        if times > 1 and name not in used:
            findings.add("column-doubled-unused", line=header_line, column=name, times=times)
    for rule, name, about in faults[:-1]:
        findings.add(rule, line=header_line, column=name, **about)
    if faults:
        rule, name, about = faults[-1]
        raise FileRefused(rule, line=header_line, column=name, **about)
    for key in keys:
        if not counts[key]:
            near = _nearest(key, header)
            findings.add("key-column-absent", line=header_line, column=key, nearest=near)


def _nearest(name: str, header: tuple[str, ...]) -> str:
    same = [other for other in header if _only_looks_like(name, other)]
    near = same[:1] or difflib.get_close_matches(name, header, n=1, cutoff=0.8)
    return f"; {near[0]} is close{_lookalikes(name, near[0])}" if near else ""


def _only_looks_like(name: str, other: str) -> bool:
    """True where two names of one length differ in signs alone that are not ASCII."""
    differing = [b for a, b in zip(name, other, strict=False) if a != b]
    return len(name) == len(other) and all(not sign.isascii() for sign in differing)


def _lookalikes(name: str, near: str) -> str:
    """Signs of the header that only look like the wanted ones, or not at all, by their number."""
    strange = dict.fromkeys(sign for sign in near if not sign.isascii() and sign not in name)
    told = ", ".join(f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".strip() for sign in strange)
    return f", but holds {told}" if told else ""


def _names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(clean_name(name) for name in names))


def needed_columns(source: Source) -> list[tuple[str, ...]]:
    """Every column the mapping reads; of several names together, one must be there.

    Key columns may be absent and count as empty.
    """
    names: list[str] = []
    fields = [
        getattr(source.fields, f)
        for f in ("patient", "therapist", "episode", "session", "answered_at")
    ]
    for part in (source.appointment, source.episode, source.action):
        if part is not None:
            fields += [getattr(part, f, None) for f in type(part).model_fields if f != "when"]
            names += [part.when.column] if part.when else []
    for form in source.form:
        names += [form.when.column] if form.when else []
        names += form.items.names if form.items else ()
        names += [*form.scores.values(), *form.totals.values()]
        fields += [form.answered_at, form.respondent]
    for code in source.code:
        names += [code.column, code.value] + ([code.when.column] if code.when else [])
        fields.append(code.respondent)
    if source.wide is not None:
        fields.append(source.wide.respondent)
    names += [c.column for c in source.read.keep]
    names += [d.column for d in source.read.drop if d.column]
    names += [source.version] if source.version else []
    for reason in source.missing.values():
        names += [] if isinstance(reason, str) else [reason.when.column]
    choices = [tuple(_names(rule.columns)) for rule in fields if isinstance(rule, FieldRule)]
    needed = dict.fromkeys([*choices, *((name,) for name in _names(names))])
    made = set(_names(carried_names(source)))
    return [choice for choice in needed if not made & set(choice)]


def carried_names(source: Source) -> list[str]:
    """Columns that are no columns of the file: they come from other records, or for each session."""
    parts = [*source.code, *([source.wide] if source.wide is not None else [])]
    return [name for part in parts for name in part.carry]


def tell_unused(
    source: Source, header: Sequence[str], used: set[str], header_line: int, findings: Findings
) -> None:
    """Name the columns that nothing reads, and those of them that hold personal data."""
    keys = {clean_name(name) for name in source.key}
    unexpected = 0
    for name in dict.fromkeys(header):
        if name in used or name in keys:
            continue
        ignored = any(fnmatch.fnmatchcase(name, glob) for glob in source.fields.ignore)
        if is_personal(name):
            findings.add("personal-data", header_line, name, handling="not stored")
        if not ignored and not name.startswith("(column "):
            unexpected += 1
            if unexpected <= UNEXPECTED_SHOWN:
                findings.add("column-unexpected", header_line, name)
    if unexpected > UNEXPECTED_SHOWN:
        findings.add("columns-unexpected", header_line, n=unexpected - UNEXPECTED_SHOWN)


def tell_columns(plan: RecordPlan, header_line: int, findings: Findings) -> None:
    """Columns that are not used, that are personal, or that several forms share."""
    source = plan.grammar.source
    tell_unused(source, plan.grammar.columns, plan.grammar.used, header_line, findings)
    for name in _personal_fields(source):
        handling = "stored only as a keyed pseudonym"
        findings.add("personal-data", header_line, name, handling=handling)
    _tell_forms(plan.parts, header_line, findings)


def _personal_fields(source: Source) -> list[str]:
    parts = [source.fields, source.appointment, source.episode, source.action]
    rules = [
        getattr(part, name, None)
        for part in parts
        for name in ("patient", "therapist", "episode", "id")
    ]
    return list(dict.fromkeys(c for rule in rules if rule and rule.personal for c in rule.columns))


def _tell_forms(parts: list[Part], header_line: int, findings: Findings) -> None:
    forms = [(part, part.form) for part in parts if part.form is not None]
    conditions: dict[str, list[str]] = {}
    for part, form in forms:
        if form.when is not None and form.when.column != FORM_COLUMN:
            conditions.setdefault(form.when.column, []).append(form.instrument)
        for name in part.beyond:
            findings.add("columns-beyond-form", header_line, name, instrument=form.instrument)
        if form.values is not None and part.items:
            _tell_recoding(form, part, header_line, findings)
        if part.instrument is None:
            findings.add("instrument-unknown", header_line, instrument=form.instrument)
        else:
            _tell_respondent(form, part.instrument, header_line, findings)
            _tell_version(form, part.instrument, header_line, findings)
    for column, names in conditions.items():
        if len(names) > 1:
            findings.add("several-forms", header_line, column, forms=", ".join(names))


def _tell_respondent(
    form: Form, instrument: Instrument, header_line: int, findings: Findings
) -> None:
    rule = form.respondent
    stated = [rule] if isinstance(rule, str) else sorted(rule.targets)
    column = None if isinstance(rule, str) else " / ".join(rule.columns)
    for respondent in stated:
        if respondent != instrument.respondent:
            findings.add(
                "respondent-unexpected", header_line, column, instrument=instrument.name,
                expected=instrument.respondent, kind=respondent,
            )  # fmt: skip


def _tell_version(form: Form, instrument: Instrument, header_line: int, findings: Findings) -> None:
    if form.version not in (None, instrument.version):
        findings.add(
            "version-unexpected", header_line, instrument=instrument.name,
            expected=instrument.version, kind=form.version,
        )  # fmt: skip


def _tell_recoding(form: Form, part: Part, header_line: int, findings: Findings) -> None:
    codes = form.values.map if form.values is not None else {}
    numbers = sorted(float(value) for value in codes.values())
    if any(code != str(value) for code, value in codes.items()):
        findings.add(
            "answers-recoded", header_line, part.items[0], instrument=form.instrument,
            codes=len(codes), lowest=f"{numbers[0]:g}", highest=f"{numbers[-1]:g}",
        )  # fmt: skip


@cache
def _personal_patterns(key: str) -> tuple[re.Pattern[str], ...]:
    path = Path(schemas.__file__).with_name("personal_columns.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in content[key])


def is_personal(name: str) -> bool:
    """True where a column's name usually means personal data."""
    if any(p.fullmatch(name) for p in _personal_patterns("none_of")):
        return False
    spelled = name.replace("_", " ")
    return any(p.fullmatch(name) or p.fullmatch(spelled) for p in _personal_patterns("patterns"))
