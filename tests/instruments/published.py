"""What was published: worked examples, and every key and threshold entered a second time."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.score_lines import score_lines
from schemas.instrument import SHIPPED
from schemas.instrument_types import Instrument
from tests.sql.warehouse_fixture import shipped

HERE = Path(__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    """The lines of a data file beside this module."""
    text = (HERE / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@lru_cache(maxsize=1)
def contents() -> dict[str, dict[str, Any]]:
    """The content of every shipped file by instrument."""
    reader = YAML(typ="safe", pure=True)
    found = [reader.load(path.read_text(encoding="utf-8")) for path in SHIPPED.glob("*.yaml")]
    return {data["id"]: data for data in sorted(found, key=lambda data: data["id"])}


def scored(
    forms: Iterable[Mapping[str, Any]], instruments: Mapping[str, Instrument] | None = None
) -> list[dict[str, Any]]:
    """Forms as the command gives them back."""
    back: list[str] = []
    given = [json.dumps(form).encode() for form in forms]
    score_lines(given, instruments or shipped(), back.append)
    return [json.loads(line) for line in back]


def facts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Key and thresholds of a file's content in the form of second_entry.jsonl."""
    return {
        "items": data["items"],
        "answers": [data["answers"]["min"], data["answers"]["max"]],
        "better": data["better"],
        "reversed": None if data["reversed"] == "unknown" else sorted(data["reversed"]),
        "cutoffs": _thresholds(data["cutoffs"]),
        "changes": _thresholds(
            row for row in data["reliable_change"] if row["basis"] == "published"
        ),
        "in_use": _thresholds(
            row for key in ("cutoffs", "reliable_change") for row in data[key] if row["default"]
        ),
        "bands": sorted([row["scale"], row["from"], row["label"]] for row in data["bands"]),
        "risk": sorted([row["item"], row["op"], row["value"]] for row in data["risk"]),
    }


def miscomputed(data: Mapping[str, Any]) -> list[str]:
    """Computed reliable changes that are not what the population beside them gives."""
    wrong = []
    for index, row in enumerate(data["reliable_change"]):
        if row["basis"] == "computed":
            found = re.match(r"SD (\S+) and alpha (\.\d+)", row["population"])
            sd, alpha = map(float, found.groups()) if found else (0.0, 0.0)
            value = 1.96 * math.sqrt(2) * sd * math.sqrt(1 - alpha)
            decimals = len(str(row["value"]).partition(".")[2])
            if round(value, decimals) != row["value"] or row["op"] != ">":
                wrong.append(f"reliable_change[{index}]")
    return wrong


def differences(data: Mapping[str, Any]) -> list[str]:
    """Where a file's content and the second entry part; nothing where there is no second entry."""
    for entry in lines("second_entry.jsonl"):
        if entry["inst"] == data["id"]:
            found = facts(data)
            parted = [key for key in found if found[key] != entry[key]]
            return parted + [
                f"scales.{name}"
                for name, items in entry["scales"].items()
                if sorted(data["scales"].get(name, {}).get("items", [])) != sorted(items)
            ]
    return []


def _thresholds(rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    return sorted([row["scale"], row["op"], row["value"]] for row in rows)
