"""The closed vocabulary of a questionnaire file: which keys there are and what each may hold."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

OPS = (">=", ">", "<=", "<")
KINDS = ("symptom", "alliance", "wellbeing")
RESPONDENTS = ("patient", "therapist")
# Said of the reversed items where the scoring key is not public.
UNKNOWN = "unknown"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_number(value: Any) -> bool:
    """Whether the value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_answer(value: Any) -> bool:
    return value is None or value == "na" or is_number(value)


class Kind(NamedTuple):
    """What a key may hold: in words, as a test, and for editors as JSON Schema."""

    words: str
    accepts: Callable[[Any], bool]
    schema: Mapping[str, Any]


def _one_of(*words: str) -> Kind:
    return Kind(
        f"one of {', '.join(words)}",
        lambda value: isinstance(value, str) and value in words,
        {"enum": list(words)},
    )


_NUMBERS: Mapping[str, Any] = {"type": "number"}
_COUNTS: Mapping[str, Any] = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_NOT_EMPTY: Mapping[str, Any] = {"type": "string", "pattern": r"\S"}
TEXT = Kind("text", _is_text, _NOT_EMPTY)
TEXT_OR_EMPTY = Kind("text", lambda value: isinstance(value, str), {"type": "string"})
NUMBER = Kind("a number", is_number, _NUMBERS)
COUNT = Kind("a whole number", _is_count, {"type": "integer", "minimum": 0})
FLAG = Kind("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})
LIST = Kind("a list", _is_list, {"type": "array"})
MAP = Kind("a table", lambda value: isinstance(value, dict), {"type": "object"})
COUNTS = Kind(
    "a list of whole numbers", lambda v: _is_list(v) and all(_is_count(i) for i in v), _COUNTS
)
COUNTS_OR_UNKNOWN = Kind(
    "a list of whole numbers, or the word unknown",
    lambda v: v == UNKNOWN or COUNTS.accepts(v),
    {"anyOf": [_COUNTS, {"const": UNKNOWN}]},
)
TEXTS = Kind(
    "a list of words",
    lambda v: _is_list(v) and bool(v) and all(_is_text(i) for i in v),
    {"type": "array", "minItems": 1, "items": _NOT_EMPTY},
)
ANSWERS = Kind(
    "a list of numbers, null or na",
    lambda v: _is_list(v) and all(_is_answer(i) for i in v),
    {"type": "array", "items": {"anyOf": [_NUMBERS, {"type": "null"}, {"const": "na"}]}},
)
PAIR = Kind(
    "two numbers",
    lambda v: _is_list(v) and len(v) == 2 and all(is_number(i) for i in v),
    {"type": "array", "items": _NUMBERS, "minItems": 2, "maxItems": 2},
)

RELIABILITY = _one_of("alpha", "test-retest", "omega")

Shape = Mapping[str, Kind]
TOP: Shape = {
    "id": TEXT, "name": TEXT, "full_name": TEXT, "names": TEXTS, "version": TEXT,
    "kind": _one_of(*KINDS), "respondent": _one_of(*RESPONDENTS),
    "better": _one_of("higher", "lower"), "recall_period": TEXT, "enabled": FLAG, "items": COUNT,
    "answers": MAP, "reversed": COUNTS_OR_UNKNOWN, "primary": TEXT, "scales": MAP, "cutoffs": LIST,
    "reliable_change": LIST, "bands": LIST, "norms": LIST, "reliability": LIST, "risk": LIST,
    "licence": TEXT, "source": TEXT, "note": TEXT_OR_EMPTY,
    "examples": LIST,
}  # fmt: skip
TOP_MAY: Shape = {
    "scoring_version": COUNT,
    "not_applicable": MAP,
    "no_reliable_change": TEXT,
    "loinc": MAP,
    "criteria": LIST,
    "change_norms": LIST,
    "counterpart": MAP,
    "rupture": LIST,
}
COUNTERPART: Shape = {"instrument": TEXT, "parallel": FLAG, "source": TEXT}
ANSWER_RANGE: Shape = {"min": NUMBER, "max": NUMBER, "step": NUMBER}
NOT_APPLICABLE: Shape = {"items": COUNTS, "keyed_value": NUMBER}
SYMPTOM: Shape = {"items": COUNTS, "op": _one_of(*OPS), "value": NUMBER}
NEED: Shape = {"items": COUNTS, "at_least": COUNT}
LOINC: Shape = {"panel": TEXT, "items": TEXTS, "total": TEXT}
LOINC_MAY: Shape = {"answers": MAP}
SCALE: Shape = {"label": TEXT, "method": _one_of("sum", "mean"), "range": PAIR}
SCALE_MAY: Shape = {"items": COUNTS, "parts": TEXTS, "factor": NUMBER, "missing": MAP}
MISSING: Shape = {
    "rule": _one_of("none", "prorate", "impute"), "max": COUNT,
    "over": _one_of("scale", "form"), "source": TEXT,
}  # fmt: skip
VERSIONED: Shape = {
    "scale": TEXT, "op": _one_of(*OPS), "value": NUMBER, "population": TEXT, "version": COUNT,
    "default": FLAG, "source": TEXT,
}  # fmt: skip
TABLES: Mapping[str, tuple[Shape, Shape]] = {
    "answers": (ANSWER_RANGE, {}),
    "not_applicable": (NOT_APPLICABLE, {}),
    "loinc": (LOINC, LOINC_MAY),
    "counterpart": (COUNTERPART, {}),
}
CRITERION: Mapping[str, Shape] = {"symptoms": SYMPTOM, "needs": NEED}
VERSIONED_MAY: Shape = {"unrounded": NUMBER, "verified": FLAG}
LISTS: Mapping[str, tuple[Shape, Shape]] = {
    "cutoffs": ({**VERSIONED, "use": TEXT}, VERSIONED_MAY),
    "reliable_change": (
        {**VERSIONED, "basis": _one_of("published", "computed")},
        VERSIONED_MAY,
    ),
    "bands": ({"scale": TEXT, "from": NUMBER, "to": NUMBER, "label": TEXT, "source": TEXT}, {}),
    "norms": (
        {
            "scale": TEXT, "group": TEXT, "mean": NUMBER, "sd": NUMBER, "version": COUNT,
            "source": TEXT,
        },
        {"n": COUNT},
    ),
    "reliability": (
        {
            "scale": TEXT, "type": RELIABILITY, "value": NUMBER,
            "source": TEXT,
        },
        {},
    ),
    "change_norms": (
        {"scale": TEXT, "clinical": TEXT, "reliability": RELIABILITY, "source": TEXT},
        {"functional": TEXT},
    ),
    "risk": (
        {"item": COUNT, "op": _one_of(*OPS), "value": NUMBER, "topic": TEXT, "source": TEXT},
        {},
    ),
    "rupture": ({"item": COUNT, "op": _one_of(*OPS), "value": NUMBER, "source": TEXT}, {}),
    "criteria": ({"name": TEXT, "symptoms": LIST, "needs": LIST, "source": TEXT}, {}),
    "examples": (
        {"answers": ANSWERS, "expect": MAP, "source": TEXT},
        {"input_form": _one_of("raw", "keyed"), "band": MAP, "risk": COUNTS, "criteria": MAP},
    ),
}  # fmt: skip


def shape_faults(data: Mapping[str, Any]) -> list[str]:
    """Return every key that is missing, unknown or of the wrong kind, each with its dotted path."""
    faults = _shape(data, "", TOP, TOP_MAY)
    for key, (must, may) in TABLES.items():
        if isinstance(data.get(key), dict):
            faults += _shape(data[key], key, must, may)
    scales = data.get("scales")
    for name, row in scales.items() if isinstance(scales, dict) else ():
        faults += _scale_shape(str(name), row)
    for key, (must, may) in LISTS.items():
        for index, row in enumerate(data[key] if isinstance(data.get(key), list) else ()):
            faults += _shape(row, f"{key}[{index}]", must, may)
            if key == "criteria" and isinstance(row, dict):
                faults += _criterion_shape(row, f"{key}[{index}]")
    return faults


def _criterion_shape(row: Mapping[str, Any], path: str) -> list[str]:
    return [
        fault
        for key, must in CRITERION.items()
        for index, part in enumerate(row[key] if _is_list(row.get(key)) else ())
        for fault in _shape(part, f"{path}.{key}[{index}]", must, {})
    ]


def _shape(row: Any, path: str, must: Shape, may: Shape) -> list[str]:
    if not isinstance(row, dict):
        return [f"{path}: must be a table"]
    dot = f"{path}." if path else ""
    faults = [f"{dot}{key}: missing" for key in must if key not in row]
    for key, value in row.items():
        known = must.get(key) or may.get(key)
        if known is None:
            faults.append(f"{dot}{key}: unknown key")
        elif not known.accepts(value):
            faults.append(f"{dot}{key}: must be {known.words}")
    return faults


def _scale_shape(name: str, row: Any) -> list[str]:
    path = f"scales.{name}"
    faults = _shape(row, path, SCALE, SCALE_MAY)
    if isinstance(row, dict):
        if ("items" in row) == ("parts" in row):
            faults.append(f"{path}: needs either items or parts")
        if "items" in row and "missing" not in row:
            faults.append(f"{path}.missing: missing")
        if isinstance(row.get("missing"), dict):
            faults += _shape(row["missing"], f"{path}.missing", MISSING, {})
    return faults
