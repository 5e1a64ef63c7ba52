"""The rules a delivery can break, read from rules.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class FindingRule:
    """One rule: what is said when it is broken, and what to do."""

    rule: str
    severity: str
    scope: str
    message: str
    what_to_do: str
    shown: int | None = None


@cache
def finding_rules() -> dict[str, FindingRule]:
    """All rules by id."""
    path = Path(__file__).with_name("rules.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return {rule: FindingRule(rule=rule, **keys) for rule, keys in content.items()}
