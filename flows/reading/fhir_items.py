"""The answers of one questionnaire response: a plain walk over its nested items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.reading.json_records import scalar
from flows.reading.json_shapes import MARK, Shape
from schemas.mapping_parts import Values

ORDINAL = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
)
PLAIN = (
    "valueInteger", "valueDecimal", "valueString", "valueBoolean", "valueDate", "valueDateTime",
    "valueTime", "valueUri",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """One answer: its texts in order of preference, and the kind of value it was."""

    texts: tuple[str, ...]
    kind: str


Answers = list[Answer]


def answers_of(response: dict[str, Any]) -> dict[str, Answers]:
    """Answers by link id, nested ones included; an item without an answer has an empty list.

    Raises:
        TypeError: where the items are not built as FHIR has it.
    """
    found: dict[str, Answers] = {}
    left = [_list(response.get("item"))]
    while left:
        for item in left.pop():
            link = item.get("linkId")
            if not isinstance(link, str):
                raise TypeError("an item without a link id")
            given = found.setdefault(link, [])
            for answer in _list(item.get("answer")):
                left.append(_list(answer.get("item")))
                if (read := _answer(answer)) is not None:
                    given.append(read)
            left.append(_list(item.get("item")))
    return found


def _list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise TypeError("not a list of objects")
    return value


def _answer(answer: dict[str, Any]) -> Answer | None:
    values = [name for name in answer if name.startswith("value")]
    if not values:
        return None
    if len(values) > 1:
        raise TypeError("an answer with two values")
    kind, value = values[0], answer[values[0]]
    if kind in PLAIN:
        return Answer((_text(value),), kind)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if kind == "valueQuantity":
        return Answer((_text(value.get("value", "")),), kind)
    if kind == "valueCoding":
        ordinals = [
            _text(part[name])
            for part in (*_list(value.get("extension")), *_list(answer.get("extension")))
            if part.get("url") in ORDINAL
            for name in ("valueDecimal", "valueInteger")
            if name in part
        ]
        told = f"{kind} with ordinalValue" if ordinals else kind
        # Some systems write the words alone; a mapping may declare them as it does codes.
        code = value.get("code", value.get("display", ""))
        return Answer((_text(code), *ordinals[:1]), told)
    # A picture or a reference is an answer, though of no code.
    return Answer((kind,), kind)


def _text(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        raise TypeError("not a plain value")
    return scalar(value)


def item_text(answers: Answers, values: Values | None) -> str:
    """The cell of an item: empty without answer; several different answers are no answer of any code.

    A coded answer is its code where the mapping has codes and declares it, else its ordinal value
    where it has one, else its code.
    """
    texts = list(dict.fromkeys(_chosen(answer, values) for answer in answers))
    return texts[0] if len(texts) == 1 else " | ".join(texts)


def item_column(answers: Answers, values: Values | None, shape: Shape) -> pl.Series:
    """The cells of an item of all responses of a shape, in whose answers marks stand for texts."""
    marks = [text for answer in answers for text in answer.texts if text.startswith(MARK)]
    if len(answers) == 1 and values is None:
        return shape.column(answers[0].texts[-1])

    def told(said: dict[str, str]) -> str:
        given = [
            Answer(tuple(said.get(text, text) for text in answer.texts), answer.kind)
            for answer in answers
        ]
        return item_text(given, values)

    return shape.mapped(list(dict.fromkeys(marks)), told)


def _chosen(answer: Answer, values: Values | None) -> str:
    if values is None:
        return answer.texts[-1]
    for text in answer.texts:
        whole = text.rstrip("0").rstrip(".") if "." in text else text
        for shape in (text, whole):
            if _is_declared(shape, values):
                return shape
    return answer.texts[0]


def _is_declared(text: str, values: Values) -> bool:
    if not values.fold:
        return text in values.map
    return " ".join(text.split()).lower() in {" ".join(k.split()).lower() for k in values.map}
