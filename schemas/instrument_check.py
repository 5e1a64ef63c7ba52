"""What the values of a questionnaire file must mean together; all faults, each with its path."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.instrument_optional import optional_faults, twice
from schemas.instrument_shape import UNKNOWN, is_number, shape_faults


def faults_of(data: Any) -> list[str]:
    """Return every fault of one file's content as sentences that begin with a dotted path."""
    if not isinstance(data, dict):
        return ["the file is not a table of keys"]
    shape = shape_faults(data)
    # What the values mean together can be judged only where each that it rests on has its shape.
    if not all(map(_is_aside, shape)):
        return shape
    return [
        *shape,
        *_range(data),
        *_items(data),
        *optional_faults(data),
        *_scales(data),
        *_scale_names(data),
        *_thresholds(data),
        *_bands(data),
        *_counterpart(data),
        *_examples(data),
    ]


# Keys that nothing else in the file is held against.
ASIDE = frozenset({
    "full_name", "licence", "names", "note", "population", "recall_period", "source", "topic", "version",
})  # fmt: skip


def _is_aside(fault: str) -> bool:
    path, _, problem = fault.partition(": ")
    table, _, key = path.rpartition(".")
    # a scale may be called as it likes
    return problem == "unknown key" or (key in ASIDE and table != "scales")


def _range(data: Mapping[str, Any]) -> list[str]:
    answers, faults = data["answers"], []
    if not data["id"].replace("_", "").isalnum() or data["id"] != data["id"].lower():
        faults.append("id: must be lower-case letters, digits and underscores")
    if answers["min"] >= answers["max"]:
        faults.append("answers: min is not below max")
    if answers["step"] <= 0:
        faults.append("answers.step: must be above 0")
    return faults


def _items(data: Mapping[str, Any]) -> list[str]:
    count, faults = data["items"], []
    named = {
        "reversed": [] if data["reversed"] == UNKNOWN else data["reversed"],
        "not_applicable.items": data.get("not_applicable", {}).get("items", []),
        **{f"scales.{name}.items": row.get("items", []) for name, row in data["scales"].items()},
        **{f"risk[{index}].item": [row["item"]] for index, row in enumerate(data["risk"])},
        **{
            f"rupture[{index}].item": [row["item"]]
            for index, row in enumerate(data.get("rupture", ()))
        },
    }
    for path, items in named.items():
        outside = [item for item in items if not 1 <= item <= count]
        if outside:
            faults.append(f"{path}: items {outside} are not among 1 to {count}")
        if repeated := twice(items):
            faults.append(f"{path}: items {repeated} are named twice")
    used = {item for row in data["scales"].values() for item in row.get("items", [])}
    unused = sorted(set(range(1, count + 1)) - used)
    if unused:
        faults.append(f"scales: items {unused} belong to no scale")
    return faults


def _scales(data: Mapping[str, Any]) -> list[str]:
    scales, faults = data["scales"], []
    if data["primary"] not in scales:
        faults.append(f"primary: {data['primary']!r} is not a scale")
    for name, row in scales.items():
        unknown = [part for part in row.get("parts", []) if "items" not in scales.get(part, {})]
        if unknown:
            faults.append(f"scales.{name}.parts: {unknown} are not scales made of items")
            continue
        items = row.get("items") or [i for part in row["parts"] for i in scales[part]["items"]]
        if "parts" in row and twice(items):
            faults.append(
                f"scales.{name}.parts: items {twice(items)} overlap and would count twice"
            )
        faults += _scale_range(name, row, data["answers"], len(items))
        missing = row.get("missing", {"rule": "none", "max": 0})
        if (missing["rule"] == "none") != (missing["max"] == 0):
            faults.append(f"scales.{name}.missing: rule none goes with max 0, the others do not")
        elif missing["max"] >= len(items):
            faults.append(f"scales.{name}.missing.max: would allow a score without any answer")
    return faults


def _scale_range(
    name: str, row: Mapping[str, Any], answers: Mapping[str, Any], n_items: int
) -> list[str]:
    times = (n_items if row["method"] == "sum" else 1) * Decimal(str(row.get("factor", 1)))
    limits = [Decimal(str(answers[end])) * times for end in ("min", "max")]
    if [Decimal(str(value)) for value in row["range"]] == limits:
        return []
    expected = f"[{limits[0].normalize():f}, {limits[1].normalize():f}]"
    return [f"scales.{name}.range: items and answers give {expected}"]


def _scale_names(data: Mapping[str, Any]) -> list[str]:
    faults = []
    for key in ("cutoffs", "reliable_change", "bands", "norms", "reliability"):
        # a cut-off may look at every single item instead of at a scale
        allowed = {*data["scales"], *(["any_item"] if key == "cutoffs" else [])}
        faults += [
            f"{key}[{index}].scale: {row['scale']!r} is not a scale"
            for index, row in enumerate(data[key])
            if row["scale"] not in allowed
        ]
    return faults


def _thresholds(data: Mapping[str, Any]) -> list[str]:
    faults = []
    for key, use in (("cutoffs", "use"), ("reliable_change", "scale")):
        defaults = Counter((row["scale"], row[use]) for row in data[key] if row["default"])
        faults += [
            f"{key}: {scale} has {times} defaults, one is needed"
            for (scale, _), times in defaults.items()
            if times > 1
        ]
    change = {row["scale"] for row in data["reliable_change"] if row["default"]}
    faults += _reliable_change(data, change)
    for index, row in enumerate(data["reliable_change"]):
        if row["op"] not in (">=", ">") or row["value"] <= 0:
            faults.append(f"reliable_change[{index}]: is a size: >= or > and above 0")
    faults += [
        f"reliability[{index}].value: must lie between 0 and 1"
        for index, row in enumerate(data["reliability"])
        if not 0 <= row["value"] <= 1
    ]
    return faults


def _counterpart(data: Mapping[str, Any]) -> list[str]:
    if "counterpart" in data and (data["kind"], data["respondent"]) != ("alliance", "therapist"):
        return ["counterpart: belongs to an alliance form of the therapist"]
    return []


def _reliable_change(data: Mapping[str, Any], defaults: set[str]) -> list[str]:
    """The primary scale has a reliable change in use, or a sentence says why it has none."""
    has, why = data["primary"] in defaults, "no_reliable_change" in data
    if has and why:
        return [f"no_reliable_change: the primary scale {data['primary']!r} has a default"]
    if has or why or data["kind"] == "alliance":
        return []
    return [f"reliable_change: no default for the primary scale {data['primary']!r}"]


def _bands(data: Mapping[str, Any]) -> list[str]:
    faults, step = [], Decimal(str(data["answers"]["step"]))
    for name, scale in data["scales"].items():
        low, high = (Decimal(str(value)) for value in scale["range"])
        expected = low
        rows = [(i, row) for i, row in enumerate(data["bands"]) if row["scale"] == name]
        for index, row in rows:
            first, last = Decimal(str(row["from"])), Decimal(str(row["to"]))
            if first != expected:
                word = "gap before" if first > expected else "overlap at"
                faults.append(f"bands[{index}]: {word} {row['label']!r}; {expected} should follow")
            if last < first:
                faults.append(f"bands[{index}]: ends before it begins")
            expected = last + step
        if rows and expected != high + step:
            faults.append(f"bands[{rows[-1][0]}].to: the bands of {name} must end at {high}")
    return faults


def _examples(data: Mapping[str, Any]) -> list[str]:
    faults = []
    if not data["examples"]:
        faults.append("examples: at least one worked example is needed")
    for index, row in enumerate(data["examples"]):
        path, low, high = f"examples[{index}]", data["answers"]["min"], data["answers"]["max"]
        if len(row["answers"]) != data["items"]:
            faults.append(f"{path}.answers: {len(row['answers'])} answers, {data['items']} items")
        if any(is_number(a) and not low <= a <= high for a in row["answers"]):
            faults.append(f"{path}.answers: an answer lies outside {low} to {high}")
        unknown = sorted({*row["expect"], *row.get("band", {})} - set(data["scales"]))
        if unknown:
            faults.append(f"{path}: {unknown} are not scales")
        faults += [
            f"{path}.expect.{scale}: must be a number or null"
            for scale, value in row["expect"].items()
            if value is not None and not is_number(value)
        ]
    return faults
