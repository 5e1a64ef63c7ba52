"""Reads the questionnaire files into frozen records; lists every fault of every file at once."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.instrument_check import faults_of
from schemas.instrument_types import (
    Band,
    Example,
    Instrument,
    Norm,
    Reliability,
    RiskItem,
    Scale,
    Threshold,
)

# A scale made of parts needs all of them; the parts have rules of their own.
_NONE_MISSING: Mapping[str, Any] = {"rule": "none", "max": 0, "over": "scale"}

SHIPPED = Path(__file__).resolve().parent / "instruments"


class InstrumentFaults(Exception):
    """Everything wrong with the instrument files: one sentence each, with the dotted path."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def load_instruments(folders: Sequence[Path]) -> dict[str, Instrument]:
    """Read all *.yaml files of the folders and return the instruments by registry id.

    A later folder adds instruments; an id or a name that is used twice is a fault.

    Raises:
        InstrumentFaults: with every fault of every file.
    """
    faults: list[str] = []
    loaded: dict[str, Instrument] = {}
    owner: dict[str, str] = {}
    for path in (path for folder in folders for path in _files(folder)):
        data, content, problem = _read(path)
        found = [problem] if problem else faults_of(data)
        if not found:
            instrument = _instrument(data, hashlib.sha256(content).hexdigest())
            for word in sorted({_fold(word) for word in (instrument.id, *instrument.names)}):
                if word in owner:
                    found.append(f"names: {word!r} already stands for {owner[word]}")
                owner.setdefault(word, instrument.id)
            loaded.setdefault(instrument.id, instrument)
        faults.extend(f"{path.name}: {fault}" for fault in found)
    if faults:
        raise InstrumentFaults(faults)
    return loaded


def find(instruments: Mapping[str, Instrument], name_or_id: str) -> Instrument | None:
    """Return the instrument with this registry id or one of its names (case does not matter)."""
    wanted = _fold(name_or_id)
    for instrument in instruments.values():
        if wanted in {_fold(word) for word in (instrument.id, *instrument.names)}:
            return instrument
    return None


def _fold(word: str) -> str:
    return " ".join(word.casefold().split())


def _files(folder: Path) -> list[Path]:
    """Instrument files of a folder; an editor's lock or backup is none."""
    found = [path for path in folder.glob("*") if path.suffix in (".yaml", ".yml")]
    return sorted(path for path in found if not path.name.startswith("."))


def _read(path: Path) -> tuple[Any, bytes, str]:
    """Parse one file; the third value says what is wrong, or is empty."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return None, b"", f"cannot be read ({error.strerror})"
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        return reader.load(content.decode("utf-8")), content, ""
    except UnicodeDecodeError as error:
        return None, content, f"not UTF-8 at byte {error.start}"
    except RecursionError:
        return None, content, "nested too deeply"
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        return None, content, f"{line}not readable as YAML: {getattr(error, 'problem', error)}"


def _instrument(data: Mapping[str, Any], content_hash: str) -> Instrument:
    # over the usual length: one line for each field of the record
    scales = {name: _scale(name, data["scales"]) for name in data["scales"]}
    not_applicable = data.get("not_applicable") or {}
    return Instrument(
        id=data["id"],
        name=data["name"],
        full_name=data["full_name"],
        names=tuple(data["names"]),
        version=data["version"],
        kind=data["kind"],
        respondent=data["respondent"],
        direction=1 if data["better"] == "higher" else -1,
        recall_period=data["recall_period"],
        is_enabled=data["enabled"],
        item_count=data["items"],
        answer_min=_decimal(data["answers"]["min"]),
        answer_max=_decimal(data["answers"]["max"]),
        answer_step=_decimal(data["answers"]["step"]),
        reversed=frozenset(data["reversed"]),
        not_applicable=frozenset(not_applicable.get("items", ())),
        not_applicable_value=_optional(not_applicable.get("keyed_value")),
        primary=data["primary"],
        scales=scales,
        cutoffs=tuple(_threshold(row, "use") for row in data["cutoffs"]),
        reliable_change=tuple(_threshold(row, "basis") for row in data["reliable_change"]),
        bands=tuple(_band(row) for row in data["bands"]),
        norms=tuple(_norm(row) for row in data["norms"]),
        reliability=tuple(
            Reliability(row["scale"], row["type"], _decimal(row["value"]), row["source"])
            for row in data["reliability"]
        ),
        risk=tuple(
            RiskItem(row["item"], row["op"], _decimal(row["value"]), row["topic"], row["source"])
            for row in data["risk"]
        ),
        licence=data["licence"],
        source=data["source"],
        note=data["note"],
        examples=tuple(_example(row) for row in data["examples"]),
        content_hash=content_hash,
    )


def _scale(name: str, scales: Mapping[str, Any]) -> Scale:
    row = scales[name]
    parts = tuple(row.get("parts", ()))
    items = row.get("items") or [item for part in parts for item in scales[part]["items"]]
    missing: Mapping[str, Any] = row.get("missing") or _NONE_MISSING
    low, high = row["range"]
    return Scale(
        name=name,
        label=row["label"],
        items=tuple(items),
        parts=parts,
        method=row["method"],
        factor=_decimal(row.get("factor", 1)),
        range_min=_decimal(low),
        range_max=_decimal(high),
        missing_rule=missing["rule"],
        max_missing=missing["max"],
        missing_over=missing["over"],
    )


def _threshold(row: Mapping[str, Any], use: str) -> Threshold:
    return Threshold(
        scale=row["scale"],
        op=row["op"],
        value=_decimal(row["value"]),
        unrounded=_optional(row.get("unrounded")),
        use=row[use],
        population=row["population"],
        version=row["version"],
        is_default=row["default"],
        source=row["source"],
    )


def _band(row: Mapping[str, Any]) -> Band:
    low, high = _decimal(row["from"]), _decimal(row["to"])
    return Band(row["scale"], low, high, row["label"], row["source"])


def _norm(row: Mapping[str, Any]) -> Norm:
    mean, sd = _decimal(row["mean"]), _decimal(row["sd"])
    return Norm(row["scale"], row["group"], row.get("n"), mean, sd, row["version"], row["source"])


def _example(row: Mapping[str, Any]) -> Example:
    return Example(
        answers=tuple(a if a is None or a == "na" else _decimal(a) for a in row["answers"]),
        input_form=row.get("input_form", "raw"),
        expect={scale: _optional(value) for scale, value in row["expect"].items()},
        band=dict(row.get("band", {})),
        risk=tuple(row.get("risk", ())),
        source=row["source"],
    )


def _decimal(value: float | str) -> Decimal:
    """Numbers come as written in the file: 5.2 is 5.2 and not its nearest binary fraction."""
    return Decimal(str(value))


def _optional(value: float | None) -> Decimal | None:
    return None if value is None else _decimal(value)
