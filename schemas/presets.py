"""Presets: what exports of one product have in common, as fragments that a source takes over.

A source with `preset = "redcap"` begins with the fragment of that name; what the mapping says
itself wins. Tables are merged key by key, everything else is replaced.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

# Which formats a key of `read` says something about; a key that is not here belongs to all.
WITH_HEADER = ("csv", "tsv", "xlsx", "tables")
BELONGS_TO = {
    "delimiter": ("csv", "tables"),
    "encoding": ("csv", "tsv", "sav", "dta", "xpt", "tables"),
    "header": WITH_HEADER,
    "sheets": ("xlsx",),
}
EXPORTS = Path(__file__).with_name("exports")


@cache
def presets() -> dict[str, dict[str, Any]]:
    """All presets by name, each with its table `detect`."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(EXPORTS.glob("*.toml"))
    }


def with_presets(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The mapping with its presets filled in, and a fault for each name that is none."""
    sources = content.get("source")
    if not isinstance(sources, list):
        return content, []
    merged, faults = [], []
    for place, source in enumerate(sources, start=1):
        name = source.get("preset") if isinstance(source, dict) else None
        if isinstance(name, str) and name in presets():
            fragment = _for_format(presets()[name], source)
            source = _over(fragment, source)
        elif isinstance(name, str):
            known = ", ".join(presets())
            faults.append(f"source.{place}.preset: there is no {name}; there are {known}")
        merged.append(source)
    return {**content, "source": merged}, faults


def _for_format(preset: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """The fragment without what does not belong to the format that the source itself names."""
    fragment = {key: part for key, part in preset.items() if key != "detect"}
    read = source.get("read")
    chosen = read.get("format") if isinstance(read, dict) else None
    if isinstance(chosen, str) and chosen != fragment["read"].get("format"):
        fragment["read"] = {
            key: part
            for key, part in fragment["read"].items()
            if chosen in BELONGS_TO.get(key, (chosen,))
        }
    return fragment


def _over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        if {"column", "first_of"} & above.keys():
            below = {key: part for key, part in below.items() if key not in ("column", "first_of")}
        return {
            key: _over(below[key], above[key]) if key in below and key in above
            else above.get(key, below.get(key))
            for key in [*below, *(key for key in above if key not in below)]
        }  # fmt: skip
    return above
