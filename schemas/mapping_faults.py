"""What is said of a faulty TOML file: every fault at once, by its dotted path, never with a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class MappingFaults(ValueError):
    """Everything wrong with one mapping file.

    Args:
        faults: one sentence each, beginning with the dotted path of the key.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def unprintable(value: object, path: str = "") -> Iterator[str]:
    """Paths of texts with control characters other than tab and line breaks."""
    if isinstance(value, str) and CONTROL.search(value):
        yield path
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value, start=1))
    for key, part in inner:
        below = f"{path}.{key}" if path else str(key)
        if CONTROL.search(str(key)):
            yield path
        yield from unprintable(part, below)


def repeated_names(content: dict[str, Any]) -> list[str]:
    """Sources of one name would retract each other's records."""
    sources = content.get("source")
    names = [
        str(source.get("name")) if isinstance(source, dict) else ""
        for source in (sources if isinstance(sources, list) else [])
    ]
    return [
        f"source.{place}.name: another source has this name"
        for place, name in enumerate(names, start=1)
        if name and name in names[: place - 1]
    ]


def follows_from_another(fault: Any) -> bool:
    """True for faults that follow from others: of the alternative that was not meant, or emptiness."""
    if fault["type"] == "too_short":
        return len(fault["input"]) > 0
    kinds = [str(part).startswith("literal[") for part in fault["loc"]]
    return any(kinds) and isinstance(fault["input"], dict)


def describe_fault(name: str, fault: Any) -> str:
    """One sentence for a pydantic fault: file, dotted path, what is wrong.

    The value itself is left out: a mapping or settings file may hold names or passwords.
    """
    path = ".".join(
        str(part + 1) if isinstance(part, int) else str(part)
        for part in fault["loc"]
        if part not in ("FieldRule", "MissingIf", "str")
    )
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    return f"{name}: {path or 'file'}: {message}"
