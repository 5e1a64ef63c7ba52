"""Questionnaires, link ids and kinds of answers in a file of FHIR resources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.inspecting.draft_forms import Forms
from flows.inspecting.toml_text import text_of
from flows.reading.fhir_items import answers_of
from schemas.instrument import find
from schemas.instrument_types import Instrument, Loinc

MOST_CODES = 12
IS_TOTAL = re.compile(r".*(total|score|sum).*", re.IGNORECASE)


@dataclass
class Seen:
    """What the responses to one questionnaire hold: link ids, codes by link id, kinds, with counts."""

    responses: int = 0
    links: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[str]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    needs_codes: bool = False
    sources: set[str] = field(default_factory=set)


def questionnaires(resources: list[dict[str, Any]]) -> dict[str, Seen]:
    """What was seen by questionnaire, its version left out."""
    found: dict[str, Seen] = {}
    for resource in resources:
        if resource.get("resourceType") != "QuestionnaireResponse":
            continue
        seen = found.setdefault(str(resource.get("questionnaire", "")).split("|")[0], Seen())
        seen.responses += 1
        source = resource.get("source")
        if isinstance(source, dict):
            seen.sources.add(str(source.get("reference", "")).split("/")[0])
        try:
            answers = answers_of(resource)
        except TypeError:
            continue
        for link, given in answers.items():
            seen.links[link] += bool(given)
            for answer in given:
                seen.kinds[answer.kind] += 1
                if answer.kind.startswith("valueCoding"):
                    seen.codes.setdefault(link, Counter())[answer.texts[0]] += 1
                    seen.needs_codes |= len(answer.texts) == 1
                elif answer.kind == "valueInteger":
                    seen.codes.setdefault(link, Counter())[answer.texts[0]] += 1
    return found


def response_tables(
    resources: list[dict[str, Any]], instruments: Mapping[str, Instrument]
) -> Forms:
    """A form for each questionnaire."""
    forms = Forms()
    for name, seen in questionnaires(resources).items():
        instrument, items, total = _items(seen, name, instruments)
        known = find(dict(instruments), instrument)
        pattern = re.escape(name).replace("\\-", "-").replace("\\/", "/") + r"(\|.*)?"
        forms.lines += [
            "[[source.form]]",
            f'when = {{ column = "questionnaire", matches = {text_of(pattern)} }}',
            f"instrument = {text_of(known.name if known else instrument)}  # GUESS",
            _respondent(seen),
            f"items = {{ links = {text_of(items)} }}  # GUESS: one pattern for each item, in order",
        ]
        if seen.needs_codes:
            forms.lines.append(_codes(seen, items, known, _answer_codes(instruments)))
        if total:
            forms.lines.append(f"totals = {{ answered_sum = {text_of(total)} }}  # GUESS")
        taken = [*items, total]
        forms.ignored += [
            link
            for link, n in seen.links.items()
            if n and not any(re.fullmatch(p, link) or p == link for p in taken if p)
        ]
    return forms


def _coded(instruments: Mapping[str, Instrument]) -> list[tuple[str, Loinc]]:
    """Names and LOINC codes of the instruments that have them, the longest first."""
    found = sorted(instruments.values(), key=lambda known: (-known.item_count, known.id))
    return [(known.name, known.loinc) for known in found if known.loinc is not None]


def _answer_codes(instruments: Mapping[str, Instrument]) -> dict[str, int]:
    return {
        code: int(value)
        for _, loinc in _coded(instruments)
        for code, value in loinc.answers.items()
    }


def _codes(
    seen: Seen, items: list[str], known: Instrument | None, loinc_answers: Mapping[str, int]
) -> str:
    """The map of the items' codes: LOINC's, and the instrument's numbers where numbers were seen."""
    own = {
        c for link, n in seen.codes.items() if any(re.fullmatch(p, link) for p in items) for c in n
    }
    if own & set(loinc_answers):
        own |= set(loinc_answers)
    numbers = {code for code in own if code.isdecimal()}
    if numbers and known is not None and known.answer_max - known.answer_min < MOST_CODES:
        numbers |= {str(n) for n in range(int(known.answer_min), int(known.answer_max) + 1)}
    codes: dict[str, int | str] = {code: int(code) for code in sorted(numbers)}
    codes |= {c: loinc_answers.get(c, "FILL IN") for c in sorted(own - numbers)}
    pairs = ", ".join(f"{text_of(code)} = {text_of(to)}" for code, to in codes.items())
    return f"values = {{ map = {{ {pairs} }} }}  # GUESS"


def _items(
    seen: Seen, name: str, instruments: Mapping[str, Instrument]
) -> tuple[str, list[str], str | None]:
    """Instrument, pattern of link ids by item, and the total's link id."""
    for instrument, loinc in _coded(instruments):
        own, total = loinc.items, loinc.total
        if any(code in link for link in seen.links for code in own):
            prefixes = _numbered(seen, len(own))
            items = [
                f"/?{code}" + (f"|{prefixes}{n}" if prefixes else "")
                for n, code in enumerate(own, 1)
            ]
            return instrument, items, next((link for link in seen.links if total in link), None)
    numbered: dict[str, dict[int, str]] = {}
    for link in seen.links:
        if parts := re.fullmatch(r"(.*\D)(\d{1,3})", link):
            numbered.setdefault(parts[1], {})[int(parts[2])] = link
    stem, links = max(numbered.items(), key=lambda pair: len(pair[1]), default=("", {}))
    count = next((n for n in range(1, 400) if n not in links), 1) - 1
    for instrument, loinc in _coded(instruments):
        if re.sub(r"[^a-z]", "", instrument.lower()) in re.sub(r"[^a-z]", "", name.lower()):
            count = min(count, len(loinc.items))
            break
    else:
        instrument = re.sub(r"[\W_]+$", "", stem) or "FILL IN"
    items = [re.escape(links[n]).replace("\\-", "-") for n in range(1, count + 1)] or ["FILL IN"]
    return instrument, items, next((link for link in seen.links if IS_TOTAL.fullmatch(link)), None)


def _numbered(seen: Seen, count: int) -> str:
    """A pattern of the stems under which the same items go by number; empty where there are none."""
    stems: dict[str, set[int]] = {}
    for link in seen.links:
        if parts := re.fullmatch(r"(.*[^\d/]\D?)(\d{1,2})", link):
            stems.setdefault(parts[1], set()).add(int(parts[2]))
    whole = [
        re.escape(s).replace("\\-", "-") for s, n in stems.items() if n >= set(range(1, count + 1))
    ]
    return f"(?:{'|'.join(whole)})" if whole else ""


def _respondent(seen: Seen) -> str:
    if not seen.sources:
        return 'respondent = "patient"  # GUESS: responses name no source'
    words = {"Patient": "patient", "Practitioner": "therapist", "RelatedPerson": "relative"}
    pairs = ", ".join(f'"(?:.*/)?{kind}/.*" = "{word}"' for kind, word in words.items())
    return f'respondent = {{ column = "source.reference", map = {{ {pairs} }} }}'
