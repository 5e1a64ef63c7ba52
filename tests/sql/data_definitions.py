"""Definitions that stand in data files: thresholds, the outcome set, scoring and thresholds of questionnaires.

Each has a version of its own, 1 where none is stated. What a service sets for itself defines nothing of the program.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from flows.reference import DEFAULTS, OUTCOME_SET
from tests.instruments.published import contents

# What an instrument file says to people; its numbers with a version are definitions of their own.
WORDS = frozenset({
    "name", "full_name", "names", "recall_period", "licence", "source", "note", "examples", "loinc", "topic",
    "no_reliable_change", "reliability", "version", "scoring_version", "verified",
})  # fmt: skip
VERSIONED = ("cutoffs", "reliable_change", "norms")
# What tells one of them from the others of its questionnaire.
NAMED_BY = ("scale", "use", "basis", "population", "group")


class Definition(NamedTuple):
    """Version of a definition and the hash of what it says."""

    version: int
    content: str


def hashed(version: int, text: str) -> Definition:
    """The definition whose words decide nothing but by their hash."""
    return Definition(version, hashlib.sha256(text.encode()).hexdigest()[:16])


def data_definitions() -> dict[str, Definition]:
    """Every definition of the data files that the program ships, by file and name."""
    found = thresholds(tomllib.loads(DEFAULTS.read_text(encoding="utf-8"), parse_float=Decimal))
    outcome_set = tomllib.loads(OUTCOME_SET.read_text(encoding="utf-8"))
    found[OUTCOME_SET.name] = _defined(outcome_set.get("version", 1), outcome_set)
    for data in contents().values():
        found |= questionnaire(data)
    return found


def thresholds(defaults: Mapping[str, Mapping[str, Any]]) -> dict[str, Definition]:
    """Each number, list or switch of defaults.toml; how far a service may move it defines nothing."""
    return {
        f"{DEFAULTS.name}/{name}": _defined(entry.get("version", 1), entry["value"])
        for name, entry in defaults.items()
    }


def questionnaire(data: Mapping[str, Any]) -> dict[str, Definition]:
    """The scoring of one questionnaire, and each of its cut-offs, reliable changes and norms."""
    scoring = {key: value for key, value in data.items() if key not in VERSIONED}
    found = {f"instruments/{data['id']}": _defined(data.get("scoring_version", 1), scoring)}
    for kind in VERSIONED:
        for row in data[kind]:
            named = "/".join(str(row[key]).replace(" ", "_") for key in NAMED_BY if key in row)
            name = f"instruments/{data['id']}/{kind}/{named}"
            found[name] = max(_defined(row["version"], row), found.get(name, Definition(0, "")))
    return found


def _defined(version: int, said: Any) -> Definition:
    return hashed(version, json.dumps(_without_words(said), sort_keys=True, default=_number))


def _without_words(said: Any) -> Any:
    if isinstance(said, Mapping):
        return {key: _without_words(value) for key, value in said.items() if key not in WORDS}
    return [_without_words(one) for one in said] if isinstance(said, list) else said


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
