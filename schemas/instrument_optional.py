"""What the keys mean that a questionnaire file may leave out: unknown keys, codes, norms of change, patterns."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from schemas.instrument_shape import UNKNOWN


def optional_faults(data: Mapping[str, Any]) -> list[str]:
    """Return the faults of these keys, each with its dotted path."""
    return [*_unknown_key(data), *_loinc(data), *_criteria(data), *_change_norms(data)]


def twice(items: list[int]) -> list[int]:
    """The items that are named more than once."""
    return sorted(item for item, times in Counter(items).items() if times > 1)


def _unknown_key(data: Mapping[str, Any]) -> list[str]:
    """A key that nobody has seen may be described, but scores no raw answers."""
    if data["reversed"] != UNKNOWN:
        return []
    faults = ["reversed: unknown goes with enabled: false"] if data["enabled"] else []
    return faults + (["risk: needs to be known which items are reversed"] if data["risk"] else [])


def _criteria(data: Mapping[str, Any]) -> list[str]:
    faults = []
    for index, row in enumerate(data.get("criteria", [])):
        path = f"criteria[{index}]"
        symptoms = [item for part in row["symptoms"] for item in part["items"]]
        outside = [item for item in symptoms if not 1 <= item <= data["items"]]
        if outside:
            faults.append(f"{path}.symptoms: items {outside} are not among 1 to {data['items']}")
        if twice(symptoms):
            faults.append(f"{path}.symptoms: items {twice(symptoms)} are named twice")
        if data["reversed"] == UNKNOWN or set(symptoms) & set(data["reversed"]):
            faults.append(f"{path}.symptoms: patterns are of raw answers, so no item is reversed")
        if not row["needs"]:
            faults.append(f"{path}.needs: at least one is needed")
        for number, need in enumerate(row["needs"]):
            if not set(need["items"]) <= set(symptoms) or twice(need["items"]):
                faults.append(f"{path}.needs[{number}].items: must be items of symptoms, each once")
            elif not 1 <= need["at_least"] <= len(need["items"]):
                faults.append(f"{path}.needs[{number}].at_least: must lie within its items")
    return faults


def _change_norms(data: Mapping[str, Any]) -> list[str]:
    faults, rows = [], data.get("change_norms", [])
    for index, row in enumerate(rows):
        path, scale = f"change_norms[{index}]", row["scale"]
        groups = {norm["group"] for norm in data["norms"] if norm["scale"] == scale}
        types = {one["type"] for one in data["reliability"] if one["scale"] == scale}
        faults += [
            f"{path}.{key}: {row[key]!r} is no group of norms for the scale {scale!r}"
            for key in ("clinical", "functional")
            if key in row and row[key] not in groups
        ]
        if row["reliability"] not in types:
            faults.append(f"{path}.reliability: no {row['reliability']} for the scale {scale!r}")
    times = Counter(row["scale"] for row in rows)
    return faults + [
        f"change_norms: {scale} is named {n} times" for scale, n in times.items() if n > 1
    ]


def _loinc(data: Mapping[str, Any]) -> list[str]:
    if "loinc" not in data:
        return []
    row, faults = data["loinc"], []
    if len(row["items"]) != data["items"]:
        faults.append(f"loinc.items: {len(row['items'])} codes, {data['items']} items")
    codes = [row["panel"], *row["items"], row["total"]]
    faults += [f"loinc: {code!r} has a wrong check digit" for code in codes if not is_loinc(code)]
    return faults


def is_loinc(code: str) -> bool:
    """Whether the check digit after the hyphen is right (mod 10, doubled from the right)."""
    number, _, check = code.partition("-")
    if not (number.isdecimal() and check.isdecimal() and len(check) == 1):
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number))]
    return (sum(value // 10 + value % 10 for value in doubled) + int(check)) % 10 == 0
