"""Turns the checked content of a questionnaire file into its frozen record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.instrument_shape import UNKNOWN
from schemas.instrument_types import (
    Band,
    ChangeNorm,
    Counterpart,
    Criterion,
    Example,
    Instrument,
    Loinc,
    Norm,
    Reliability,
    RiskItem,
    RuptureItem,
    Scale,
    Threshold,
)

# A scale made of parts needs all of them; the parts have rules of their own.
_NONE_MISSING: Mapping[str, Any] = {"rule": "none", "max": 0, "over": "scale"}


def instrument_of(data: Mapping[str, Any], content_hash: str) -> Instrument:
    """Return the record of a file that has no faults; content_hash is the SHA-256 of its bytes."""
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
        reversed=frozenset() if data["reversed"] == UNKNOWN else frozenset(data["reversed"]),
        is_key_known=data["reversed"] != UNKNOWN,
        not_applicable=frozenset(not_applicable.get("items", ())),
        not_applicable_value=_optional(not_applicable.get("keyed_value")),
        primary=data["primary"],
        scales=scales,
        cutoffs=tuple(_threshold(row, "use") for row in data["cutoffs"]),
        reliable_change=tuple(_threshold(row, "basis") for row in data["reliable_change"]),
        bands=tuple(_band(row) for row in data["bands"]),
        norms=tuple(_norm(row) for row in data["norms"]),
        reliability=tuple(_reliability(row) for row in data["reliability"]),
        change_norms=tuple(_change_norm(row, data) for row in data.get("change_norms", ())),
        risk=tuple(
            RiskItem(row["item"], row["op"], _decimal(row["value"]), row["topic"], row["source"])
            for row in data["risk"]
        ),
        loinc=_loinc(data.get("loinc")),
        criteria=tuple(_criterion(row) for row in data.get("criteria", ())),
        counterpart=_counterpart(data.get("counterpart")),
        rupture=tuple(
            RuptureItem(row["item"], row["op"], _decimal(row["value"]), row["source"])
            for row in data.get("rupture", ())
        ),
        licence=data["licence"],
        source=data["source"],
        note=data["note"],
        examples=tuple(_example(row) for row in data["examples"]),
        content_hash=content_hash,
    )


def _counterpart(row: Mapping[str, Any] | None) -> Counterpart | None:
    return row and Counterpart(row["instrument"], row["parallel"], row["source"])


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
        is_verified=row.get("verified", True),
        source=row["source"],
    )


def _band(row: Mapping[str, Any]) -> Band:
    low, high = _decimal(row["from"]), _decimal(row["to"])
    return Band(row["scale"], low, high, row["label"], row["source"])


def _norm(row: Mapping[str, Any]) -> Norm:
    mean, sd = _decimal(row["mean"]), _decimal(row["sd"])
    return Norm(row["scale"], row["group"], row.get("n"), mean, sd, row["version"], row["source"])


def _reliability(row: Mapping[str, Any]) -> Reliability:
    return Reliability(row["scale"], row["type"], _decimal(row["value"]), row["source"])


def _change_norm(row: Mapping[str, Any], data: Mapping[str, Any]) -> ChangeNorm:
    """The newest version of each group stands."""
    norms = sorted(map(_norm, data["norms"]), key=lambda norm: norm.version)
    groups = {norm.group: norm for norm in norms if norm.scale == row["scale"]}
    kinds = {
        one["type"]: _reliability(one)
        for one in data["reliability"]
        if one["scale"] == row["scale"]
    }
    functional = groups[row["functional"]] if "functional" in row else None
    clinical, reliability = groups[row["clinical"]], kinds[row["reliability"]]
    return ChangeNorm(row["scale"], clinical, functional, reliability, row["source"])


def _criterion(row: Mapping[str, Any]) -> Criterion:
    return Criterion(
        row["name"],
        tuple(
            (item, part["op"], _decimal(part["value"]))
            for part in row["symptoms"]
            for item in part["items"]
        ),
        tuple((tuple(need["items"]), need["at_least"]) for need in row["needs"]),
        row["source"],
    )


def _loinc(row: Mapping[str, Any] | None) -> Loinc | None:
    if row is None:
        return None
    answers = {str(code): _decimal(value) for code, value in row.get("answers", {}).items()}
    return Loinc(row["panel"], tuple(row["items"]), row["total"], answers)


def _example(row: Mapping[str, Any]) -> Example:
    return Example(
        answers=tuple(a if a is None or a == "na" else _decimal(a) for a in row["answers"]),
        input_form=row.get("input_form", "raw"),
        expect={scale: _optional(value) for scale, value in row["expect"].items()},
        band=dict(row.get("band", {})),
        risk=tuple(row.get("risk", ())),
        criteria=dict(row.get("criteria", {})),
        source=row["source"],
    )


def _decimal(value: float | str) -> Decimal:
    """Numbers come as written in the file: 5.2 is 5.2 and not its nearest binary fraction."""
    return Decimal(str(value))


def _optional(value: float | None) -> Decimal | None:
    return None if value is None else _decimal(value)
