"""Which product an export comes from, by the names in its header."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schemas.presets import presets


def detect(names: tuple[str, ...], delimiter: str) -> str | None:
    """The preset whose `detect` table fits the names; None where none or several do.

    Args:
        names: the header's names, or the resource types of a FHIR file.
        delimiter: between cells; empty where there is none.
    """
    fitting = [
        name for name, preset in presets().items() if _fits(preset["detect"], names, delimiter)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _fits(rules: dict[str, object], names: tuple[str, ...], delimiter: str) -> bool:
    def found(key: str) -> Iterable[bool]:
        patterns = rules.get(key, [])
        for pattern in patterns if isinstance(patterns, list) else []:
            yield any(re.fullmatch(pattern, name) for name in names)

    delimiters = rules.get("delimiters")
    first = rules.get("first")
    return (
        all(found("all_of"))
        and (any(found("any_of")) or "any_of" not in rules)
        and not any(found("none_of"))
        and (not isinstance(delimiters, list) or delimiter in delimiters)
        and (
            not isinstance(first, str) or re.fullmatch(first, names[0] if names else "") is not None
        )
    )
