"""Turns the questionnaires into rows of the ref.* tables that the scoring SQL reads."""

from collections.abc import Collection, Mapping
from typing import Any

from schemas.instrument_types import Instrument, Norm, Scale

Row = tuple[Any, ...]

_NUMBER = "decimal(9,3)"
INSTRUMENT_TABLES: Mapping[str, str] = {
    "instrument": "instrument_id varchar, name varchar, version varchar, respondent varchar,"
    f" kind varchar, direction integer, item_count integer, answer_min {_NUMBER},"
    f" answer_max {_NUMBER}, answer_step {_NUMBER}, is_enabled boolean, licence varchar,"
    " source varchar, note varchar, full_name varchar, content_hash varchar",
    "item": "instrument_id varchar, item integer, is_reversed boolean,"
    f" can_be_not_applicable boolean, not_applicable_value {_NUMBER}",
    "scale": "instrument_id varchar, scale varchar, is_primary boolean, label varchar,"
    f" is_composite boolean, method varchar, factor {_NUMBER}, n_items integer,"
    f" range_min {_NUMBER}, range_max {_NUMBER}, missing_rule varchar, max_missing integer,"
    " missing_over varchar",
    "scale_item": "instrument_id varchar, scale varchar, item integer, is_reversed boolean",
    "scale_part": "instrument_id varchar, scale varchar, part varchar",
    # A score that an export states for one scale stands for another over the same items.
    "scale_conversion": "instrument_id varchar, scale varchar, from_scale varchar,"
    " multiplier decimal(18,9)",
    "cutoff": f"instrument_id varchar, scale varchar, population varchar, op varchar,"
    f" value {_NUMBER}, use varchar, version integer, source varchar, is_default boolean,"
    " is_verified boolean",
    "reliable_change": "instrument_id varchar, scale varchar, population varchar, op varchar,"
    f" value {_NUMBER}, unrounded {_NUMBER}, basis varchar, version integer, source varchar,"
    " is_default boolean, is_verified boolean",
    "band": f"instrument_id varchar, scale varchar, band_from {_NUMBER}, band_to {_NUMBER},"
    " label varchar, source varchar",
    "norm": f"instrument_id varchar, scale varchar, norm_group varchar, n integer,"
    f" mean {_NUMBER}, sd {_NUMBER}, version integer, source varchar",
    "reliability": f"instrument_id varchar, scale varchar, type varchar, value {_NUMBER},"
    " source varchar",
    # What indices of change are computed from; one row for a scale.
    "change_norm": f"instrument_id varchar, scale varchar, clinical_group varchar, mean_pre {_NUMBER},"
    f" sd_pre {_NUMBER}, functional_group varchar, mean_functional {_NUMBER},"
    f" sd_functional {_NUMBER}, reliability_type varchar, reliability {_NUMBER}, source varchar",
    "risk_item": f"instrument_id varchar, item integer, op varchar, value {_NUMBER},"
    " topic varchar, source varchar",
    "criterion_symptom": "instrument_id varchar, criterion varchar, item integer, op varchar,"
    f" value {_NUMBER}, source varchar",
    "rupture_item": f"instrument_id varchar, item integer, op varchar, value {_NUMBER},"
    " source varchar",
    # A therapist's form and the patient's form that it goes with.
    "counterpart": "therapist_instrument_id varchar, patient_instrument_id varchar,"
    " is_parallel boolean, source varchar",
    "criterion_need": "instrument_id varchar, criterion varchar, need integer, item integer,"
    " at_least integer",
}


def instrument_rows(
    instruments: Mapping[str, Instrument], disabled: Collection[str]
) -> dict[str, list[Row]]:
    """Rows of every table of INSTRUMENT_TABLES, in a fixed order."""
    rows: dict[str, list[Row]] = {table: [] for table in INSTRUMENT_TABLES}
    for _, instrument in sorted(instruments.items()):
        rows["instrument"].append(_instrument(instrument, instrument.id not in disabled))
        rows["item"] += [_item(instrument, item + 1) for item in range(instrument.item_count)]
        _add_scales(rows, instrument)
        _add_facts(rows, instrument)
    return rows


def _instrument(i: Instrument, is_allowed: bool) -> Row:
    return (
        *(i.id, i.name, i.version, i.respondent, i.kind, i.direction, i.item_count),
        *(i.answer_min, i.answer_max, i.answer_step, i.is_enabled and is_allowed),
        *(i.licence, i.source, i.note, i.full_name, i.content_hash),
    )


def _item(i: Instrument, item: int) -> Row:
    can = item in i.not_applicable
    return (i.id, item, _is_reversed(i, item), can, i.not_applicable_value if can else None)


def _is_reversed(i: Instrument, item: int) -> bool | None:
    return item in i.reversed if i.is_key_known else None


def _add_scales(rows: dict[str, list[Row]], i: Instrument) -> None:
    for scale in i.scales.values():
        rows["scale"].append(
            (
                *(i.id, scale.name, scale.name == i.primary, scale.label, bool(scale.parts)),
                *(scale.method, scale.factor, len(scale.items)),
                *(scale.range_min, scale.range_max, scale.missing_rule, scale.max_missing),
                scale.missing_over,
            )
        )
        if not scale.parts:
            rows["scale_item"] += [
                (i.id, scale.name, item, _is_reversed(i, item)) for item in scale.items
            ]
        rows["scale_part"] += [(i.id, scale.name, part) for part in scale.parts]
        rows["scale_conversion"] += [
            (i.id, scale.name, other.name, _multiplier(scale) / _multiplier(other))
            for other in i.scales.values()
            if set(other.items) == set(scale.items)
        ]


def _group(norm: Norm | None) -> Row:
    return (None, None, None) if norm is None else (norm.group, norm.mean, norm.sd)


def _multiplier(scale: Scale) -> Any:
    """What the sum of the items is multiplied with to give the score."""
    return scale.factor / (len(scale.items) if scale.method == "mean" else 1)


def _add_facts(rows: dict[str, list[Row]], i: Instrument) -> None:
    rows["cutoff"] += [
        (
            *(i.id, t.scale, t.population, t.op, t.value, t.use, t.version, t.source),
            *(t.is_default, t.is_verified),
        )
        for t in i.cutoffs
    ]
    rows["reliable_change"] += [
        (
            *(i.id, t.scale, t.population, t.op, t.value, t.unrounded, t.use, t.version),
            *(t.source, t.is_default, t.is_verified),
        )
        for t in i.reliable_change
    ]
    rows["band"] += [(i.id, b.scale, b.low, b.high, b.label, b.source) for b in i.bands]
    rows["norm"] += [
        (i.id, n.scale, n.group, n.n, n.mean, n.sd, n.version, n.source) for n in i.norms
    ]
    rows["reliability"] += [(i.id, r.scale, r.type, r.value, r.source) for r in i.reliability]
    rows["change_norm"] += [
        (
            *(i.id, c.scale, c.clinical.group, c.clinical.mean, c.clinical.sd),
            *_group(c.functional),
            *(c.reliability.type, c.reliability.value, c.source),
        )
        for c in i.change_norms
    ]
    rows["risk_item"] += [(i.id, r.item, r.op, r.value, r.topic, r.source) for r in i.risk]
    rows["rupture_item"] += [(i.id, r.item, r.op, r.value, r.source) for r in i.rupture]
    if i.counterpart:
        rows["counterpart"].append(
            (i.id, i.counterpart.instrument, i.counterpart.is_parallel, i.counterpart.source)
        )
    for criterion in i.criteria:
        rows["criterion_symptom"] += [
            (i.id, criterion.name, *symptom, criterion.source) for symptom in criterion.symptoms
        ]
        rows["criterion_need"] += [
            (i.id, criterion.name, number, item, at_least)
            for number, (items, at_least) in enumerate(criterion.needs, 1)
            for item in items
        ]
