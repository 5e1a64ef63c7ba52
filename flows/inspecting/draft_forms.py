"""The forms of a drafted mapping: items found by their names, codes found in long data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.inspecting.codebook import CodebookField
from flows.inspecting.guess import MISSING_TEXT, Guesses, ItemGroup, guess
from flows.inspecting.look import Look
from flows.inspecting.toml_text import text_of
from schemas.instrument_types import Instrument
from schemas.mapping_parts import Items

MOST_VALUES = 12


@dataclass
class Forms:
    """Tables of a draft, and what they use of the file.

    Attributes:
        lines: of TOML.
        used: columns.
        missing: texts that look like missing codes.
        ignored: names that are no items.
        dates: formats that fit, by code of long data.
    """

    lines: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    dates: dict[str, list[str]] = field(default_factory=dict)


def form_tables(
    look: Look,
    guesses: Guesses,
    codebook: Mapping[str, CodebookField],
    instruments: Mapping[str, Instrument],
    preset: dict[str, Any],
) -> Forms:
    """A form for each group of columns that look like items."""
    forms = Forms()
    for ready in preset.get("form", []):
        items = Items.model_validate(ready["items"]).names
        forms.used += [*items, *ready["totals"].values()]
        forms.used += [ready["when"]["column"]] if "when" in ready else []
    if forms.used or preset.get("code"):
        return forms
    for group in guesses.groups:
        _add_form(forms, look, group, guesses.dates, codebook, preset.get("missing", {}))
        for name in guesses.telling:
            words = f"column = {text_of(name)}, matches = '...'"
            forms.lines.append(f"# when = {{ {words} }}  # GUESS: may tell forms apart")
    if not guesses.groups:
        forms.lines += [
            "[[source.form]]  # FILL IN: no columns were recognised as the items of a form",
            'instrument = "PHQ-9"  # FILL IN',
            'respondent = "patient"  # FILL IN',
            'items = { columns = "FILL IN {}", count = 9 }',
        ]
    return forms


def _add_form(
    forms: Forms,
    look: Look,
    group: ItemGroup,
    dates: Mapping[str, list[str]],
    codebook: Mapping[str, CodebookField],
    missing: Mapping[str, Any],
) -> None:
    known = group.candidates[0] if group.candidates else None
    told = "GUESS: by its names" if group.is_named else "GUESS: by the number of items alone"
    if len(group.candidates) > 1:
        told += f"; or {', '.join(other.name for other in group.candidates[1:])}"
    if known is None:
        told = "GUESS: the registry has none of this many items and name; stored, not scored"
    name = known.name if known else re.sub(r"[\W_]+$", "", group.template.split("{")[0]) or "form"
    forms.lines.append("[[source.form]]")
    when = _when(look, group, codebook)
    if when:
        forms.lines.append(f"when = {{ column = {text_of(when)}, matches = '[12]' }}  # GUESS")
        forms.used.append(when)
    if own := _own_date(group, dates, codebook):
        rule = f"column = {text_of(own)}, formats = {text_of(dates[own][:1])}"
        forms.lines.append(f"answered_at = {{ {rule} }}  # GUESS: a date of its own")
        forms.used.append(own)
    respondent = known.respondent if known else "patient"
    forms.lines += [
        f"instrument = {text_of(name)}  # {told}",
        f'respondent = "{respondent}"  # GUESS',
        f"items = {{ {_columns(group)}, omit_if_all_blank = true }}",
        'reversed = "raw"  # GUESS: "already" if the export turns reversed items itself',
    ]
    forms.used += group.columns
    declared = [code for column in group.columns for code in _missing_codes(codebook, column)]
    outside = _outside(group, known)
    forms.missing = list(dict.fromkeys([*forms.missing, *declared, *outside]))
    forms.lines += _values(group, known, {*declared, *outside, *missing})
    if group.total:
        total = text_of(group.total)
        forms.lines.append(f"totals = {{ answered_sum = {total} }}  # GUESS")
        forms.used.append(group.total)


def _columns(group: ItemGroup) -> str:
    """The item columns as the grammar writes them."""
    if group.is_worded:
        return f"list = {text_of(group.columns)}"
    template = text_of(group.template)
    return f"columns = {template}, count = {len(group.columns)}"


def _when(look: Look, group: ItemGroup, codebook: Mapping[str, CodebookField]) -> str | None:
    """REDCap's `<form>_complete`: the dictionary's, else the next one after the items."""
    if look.preset != "redcap":
        return None
    if group.columns[0] in codebook:
        name = f"{codebook[group.columns[0]].form}_complete"
        return name if name in look.columns else None
    after = look.columns[look.columns.index(group.columns[-1]) :]
    return next((name for name in after if name.endswith("_complete")), None)


def _own_date(
    group: ItemGroup, dates: Mapping[str, list[str]], codebook: Mapping[str, CodebookField]
) -> str | None:
    """Of several dates the one of the same form: the dictionary's, else by the beginning of its name."""
    stem = re.sub(r"[\W_]+$", "", group.template.split("{")[0]).lower()
    first = codebook.get(group.columns[0])
    fits = [
        name
        for name in dates
        if (first and name in codebook and codebook[name].form == first.form)
        or (len(stem) > 1 and name.lower().startswith(stem))
    ]
    # What the product stamps tells when the form was saved, not when it was filled in.
    fits.sort(key=lambda name: name.endswith("_timestamp"))
    return fits[0] if fits and len(dates) > 1 else None


def _missing_codes(codebook: Mapping[str, CodebookField], column: str) -> list[str]:
    return codebook[column].missing if column in codebook else []


def _outside(group: ItemGroup, known: Instrument | None) -> list[str]:
    """Texts that look like missing codes and are no answer of the instrument."""
    found = [text for text in group.codes if text and MISSING_TEXT.fullmatch(text)]
    if known is None:
        return found
    low, high = float(known.answer_min), float(known.answer_max)
    return [
        text for text in found if not (re.fullmatch(r"-?\d+", text) and low <= float(text) <= high)
    ]


def _values(group: ItemGroup, known: Instrument | None, missing: set[str]) -> list[str]:
    """A map of answer codes, where they are not the instrument's own."""
    answers = [text for text in group.answers if text not in missing]
    numbers = [text for text in answers if re.fullmatch(r"-?\d+([.,]\d+)?", text)]
    if len(answers) > MOST_VALUES or known is None:
        return []
    if len(numbers) == len(answers):
        values = [float(text.replace(",", ".")) for text in numbers]
        low, high = float(known.answer_min), float(known.answer_max)
        if not values or (min(values) >= low and max(values) <= high):
            return []
        if min(values) >= low + 1 and max(values) == high + 1:
            pairs = ", ".join(f'"{n + 1:g}" = {n:g}' for n in range(int(low), int(high) + 1))
            return [
                f"values = {{ map = {{ {pairs} }} }}  # GUESS: the export counts from {low + 1:g}"
            ]
        return []
    pairs = ", ".join(f'{text_of(text)} = "FILL IN"' for text in answers)
    return [f"values = {{ map = {{ {pairs} }}, fold = true }}  # FILL IN the instrument's numbers"]


def code_tables(look: Look, instruments: Mapping[str, Instrument]) -> Forms:
    """The code table of long data: codes that differ in their number alone are items."""
    eav = look.preset == "redcap_eav"
    column, value = ("field_name", "value") if eav else ("QSTESTCD", "QSSTRESN")
    value = value if value in look.columns else "QSSTRESC"
    by_code: dict[str, Counter[str]] = {}
    for record in look.records:
        by_code.setdefault(record.get(column, ""), Counter())[record.get(value, "")] += 1
    turned = Look(look.path, "csv", columns=tuple(by_code))
    turned.records = [{code: text} for code, texts in by_code.items() for text in list(texts)[:100]]
    guesses = guess(turned, instruments)
    groups, dates = guesses.groups, guesses.dates if eav else {}
    entries, known = [], set(dates)
    for group in groups:
        instrument = group.candidates[0].name if group.candidates else group.template.split("{")[0]
        for number, code in enumerate(group.columns, start=1):
            entries.append(f"{text_of(code)} = {text_of([instrument, number])}  # GUESS")
            known.add(code)
    rest = sorted(code for code in by_code if code and code not in known)
    lines = [
        "[[source.code]]", f'column = "{column}"', f'value = "{value}"',
        'respondent = "patient"  # GUESS',
        f"ignore = {text_of(rest)}",
    ]  # fmt: skip
    if dates:
        lines.append(f"carry = {text_of(list(dates))}  # GUESS: dates")
    lines += ["[source.code.map]", *(entries or ['"FILL IN" = ["PHQ-9", 1]'])]
    return Forms(lines, [column, value], dates=dates)
