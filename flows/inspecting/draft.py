"""Drafts a mapping: what was seen, with every guess marked as one, to be edited by a person."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flows.inspecting.codebook import CodebookField
from flows.inspecting.draft_forms import Forms, code_tables, form_tables
from flows.inspecting.guess import Guesses
from flows.inspecting.look import Look
from flows.inspecting.responses import response_tables
from flows.inspecting.toml_text import text_of
from schemas.instrument_types import Instrument
from schemas.presets import WITH_HEADER, presets

FILL_IN = "FILL IN"
# Where REDCap repeats a form, the event is the same for all of its sessions.
REPEAT = "redcap_repeat_instance"


def draft(
    look: Look,
    guesses: Guesses,
    codebook: Mapping[str, CodebookField],
    instruments: Mapping[str, Instrument],
    clinic: str,
) -> str:
    """The text of a mapping file that reads the file as far as it was understood."""
    preset = presets().get(look.preset or "", {})
    if look.kind == "fhir":
        forms = response_tables(look.resources, instruments)
    elif (look.preset or "") in ("redcap_eav", "cdisc_qs"):
        forms = code_tables(look, instruments)
    else:
        forms = form_tables(look, guesses, codebook, instruments, preset)
    head = _head(look, preset, guesses, clinic)
    fields = _fields(look, guesses, preset, forms)
    missing = _missing(look, preset, forms)
    return "\n".join([*head, *fields, *missing, *forms.lines, ""])


def _head(look: Look, preset: dict[str, Any], guesses: Guesses, clinic: str) -> list[str]:
    slug = re.sub(r"[^a-z0-9_-]+", "-", clinic.lower()).strip("-_")[:24] or "clinic"
    # A browser numbers what it saves again.
    stem = re.sub(r" ?\(\d+\)$", "", look.path.stem)
    pattern = re.sub(r"\d[\d_-]*", "*", _escaped(stem)) + "*" + _escaped(look.path.suffix)
    lines = [
        f"# Drafted from {look.path.name.encode('ascii', 'replace').decode()}."
        " Look at every line marked GUESS; write what is marked FILL IN.",
        "mapping = 1",
        "[clinic]",
        f"id = {text_of(slug)}  # GUESS: the clinic's id is this file's name without .toml",
        'timezone = "Europe/Berlin"  # GUESS',
        "[[source]]",
        f"name = {text_of(slug)}",
        f"match = {text_of(re.sub(r'[*]+', '*', pattern))}  # GUESS: pattern of the file names",
    ]
    if look.preset:
        lines.append(f"preset = {text_of(look.preset)}")
    delivery = preset.get("delivery", "append")
    told = "GUESS: snapshot if every file restates everything"
    lines.append(f"delivery = {text_of(delivery)}  # {told}")
    lines += _key(look, preset, guesses)
    lines += ["[source.read]", f"format = {text_of(look.kind)}"]
    if look.kind in ("csv", "tables"):
        told = "" if look.is_marked or look.encoding == "utf-8" else "  # GUESS"
        encoding = "utf-8-sig" if look.encoding == "utf-8" else look.encoding
        lines += [f"encoding = {text_of(encoding)}{told}", f"delimiter = {text_of(look.delimiter)}"]
        if any("," in text for group in guesses.groups for text in group.codes):
            lines.append('decimal = ","  # GUESS')
    if len(look.sheets) > 1 and look.kind == "xlsx":
        lines.append(f"sheets = {text_of(list(look.sheets[: look.alike]))}  # GUESS")
    if (
        look.kind in WITH_HEADER
        and look.header_line > 1
        and "find" not in preset.get("read", {}).get("header", {})
    ):
        names = [name for name in look.columns if name][:2]
        lines.append(f"header = {{ find = {text_of(names)} }}")
    lines += _drop(look)
    keep = preset.get("read", {}).get("keep", [])
    if look.kind != "fhir" and any(rule["column"] not in look.columns for rule in keep):
        lines.append("keep = []")
    return lines


def _drop(look: Look) -> list[str]:
    """Which lines are no data: the header that comes again, a footer."""
    rules = ["{ header_again = true }"] if look.repeats_header else []
    told = ""
    if look.footer and look.columns:
        pattern = text_of(f"{look.footer}.*")
        rules.append(f"{{ column = {text_of(look.columns[0])}, matches = {pattern} }}")
        told = "  # GUESS: the last line is none of the data"
    return [f"drop = [ {', '.join(rules)} ]{told}"] if rules else []


def _key(look: Look, preset: dict[str, Any], guesses: Guesses) -> list[str]:
    """The preset's key columns that are there; REDCap's first column has any name."""
    if look.kind in ("fhir", "tables") or "key" not in preset:
        return []
    spelled = {name.lower() for name in preset["key"]}
    present = [name for name in look.columns if name.lower() in spelled]
    if (look.preset or "") == "redcap" and look.columns and look.columns[0] not in present:
        present.insert(0, look.columns[0])
    patient = guesses.roles.get("patient")
    return [f"key = {text_of(present or [patient or FILL_IN])}"]


def _fields(look: Look, guesses: Guesses, preset: dict[str, Any], forms: Forms) -> list[str]:
    lines = ["[source.fields]"]
    used = set(forms.used)
    known = _known_fields(preset)
    for role in ("patient", "therapist", "episode", "session"):
        # Not every table of an archive has a column that one of them has.
        name = guesses.roles.get(role) if look.kind != "tables" else None
        rule = known.get(role)
        if rule and (there := _there(look, rule)):
            used.update(there)
            continue
        if role == "patient" and (look.preset or "") == "redcap":
            name = look.columns[0]
        if role == "session" and any(look.cells(REPEAT).keys() - {""}):
            name = REPEAT
        if name and name not in used:
            told = "; for names of people add personal = true" if role == "therapist" else ""
            lines.append(f"{role} = {{ column = {text_of(name)} }}  # GUESS{told}")
            used.add(name)
        elif role == "patient" and look.kind != "fhir":
            lines.append(f"patient = {{ column = {text_of(FILL_IN)} }}  # FILL IN")
    lines += _date(look, forms.dates or guesses.dates, known, used)
    if look.kind != "fhir":
        ignored = _ignored(look, known, used, preset)
        is_guess = not set(ignored) <= set(known.get("ignore", []))
        told = "  # GUESS: what nothing else here reads" if is_guess else ""
        lines.append(f"ignore = {text_of(ignored)}{told}")
    elif forms.ignored:
        lines.append(f"ignore = {text_of(forms.ignored)}  # GUESS: no items of an instrument")
    return lines


def _known_fields(preset: dict[str, Any]) -> dict[str, Any]:
    """The fields that a preset states, those of its first join among them."""
    join = preset.get("join", [{}])[0]
    return {**preset.get("fields", {}), **join.get("fields", {})}


def _there(look: Look, rule: dict[str, Any]) -> list[str]:
    """The columns of a preset's field that the file has; of FHIR no names are known."""
    names = rule.get("first_of") or [rule["column"]]
    return names if look.kind == "fhir" else [name for name in names if name in look.columns]


def _date(
    look: Look, dates: dict[str, list[str]], known: dict[str, Any], used: set[str]
) -> list[str]:
    rule = known.get("answered_at")
    if rule and (there := _there(look, rule)):
        used.update(there)
        fits = dates.get(there[0], [])
        if look.kind == "fhir" or not fits or set(rule["formats"]) & set(fits):
            return []
        return [f"answered_at = {{ formats = {text_of(fits[:1])} }}  # GUESS{_others(fits)}"]
    if not dates:
        return [
            f"answered_at = {{ column = {text_of(FILL_IN)} }}  # FILL IN: no column of dates was found"
        ]
    words = r"complet|end|submit|answer|datum|date|levert|timestamp|filled"
    globs = known.get("ignore", [])

    def likely(name: str) -> tuple[bool, bool, int]:
        """What the product itself stamps comes last, then a name that tells nothing, then gaps."""
        is_system = any(fnmatch.fnmatchcase(name, glob) for glob in globs)
        filled = sum(look.cells(name).values()) - look.cells(name)[""]
        return not is_system, bool(re.search(words, name, re.I)), filled

    name = max(sorted(dates), key=likely)
    used.add(name)
    fits = dates[name]
    told = _others(fits) + (f"; other dates: {len(dates) - 1} columns" if len(dates) > 1 else "")
    return [
        f"answered_at = {{ column = {text_of(name)}, formats = {text_of(fits[:1])} }}  # GUESS{told}"
    ]


def _others(fits: list[str]) -> str:
    return f": {', '.join(fits[1:])} fits as well, look at a date you know" if fits[1:] else ""


def _ignored(
    look: Look, known: dict[str, Any], used: set[str], preset: dict[str, Any]
) -> list[str]:
    globs = [
        glob
        for glob in known.get("ignore", [])
        if any(fnmatch.fnmatchcase(name, glob) for name in look.columns)
    ]
    keys = {rule["column"] for rule in preset.get("read", {}).get("keep", [])}
    keys |= _read_by(preset)
    rest = [
        name
        for name in look.columns
        if name and name not in used | keys and not any(fnmatch.fnmatchcase(name, g) for g in globs)
    ]
    return list(dict.fromkeys([*globs, *map(_escaped, rest)]))


def _read_by(preset: dict[str, Any]) -> set[str]:
    """Columns that the joins, codes and appointments of a preset read."""
    names = {key for join in preset.get("join", []) for _, key in join.get("to", [])}
    names |= {code[name] for code in preset.get("code", []) for name in ("column", "value")}
    parts = [preset.get("appointment", {}), preset.get("episode", {})]
    parts += [join.get("fields", {}) for join in preset.get("join", [])]
    rules = [rule for part in parts for rule in part.values() if isinstance(rule, dict)]
    return names | {rule["column"] for rule in rules}


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _missing(look: Look, preset: dict[str, Any], forms: Forms) -> list[str]:
    known = preset.get("missing", {})
    lines = ["[source.missing]"]
    blank = known.get("")
    condition = blank.get("if", {}).get("column") if isinstance(blank, dict) else None
    if blank is None or (condition and condition not in look.columns):
        lines.append('"" = "blank"')
    for code in forms.missing:
        if code and code not in known:
            lines.append(f'{text_of(code)} = "not_answered"  # GUESS: is this a missing code?')
    return lines


def lines_to_write(text: str) -> Iterable[str]:
    """Lines of a draft that a person must still write."""
    return (line for line in text.splitlines() if FILL_IN in line and not line.startswith("#"))
