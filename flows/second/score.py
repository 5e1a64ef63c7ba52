"""Scores of one form, its bands, and its answers to risk items."""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from flows.second.rules import Questionnaire, Row, Scale

Keyed = Mapping[int, Fraction | None]


def scores_of(
    questionnaire: Questionnaire, form: Row, stated: Mapping[str, Fraction] | None = None
) -> dict[str, Fraction | None]:
    """Score of every scale; None where too many items are missing.

    Args:
        questionnaire: its key.
        form: answers, reasons why they are missing, and whether they are raw or keyed.
        stated: scores the file states, by scale; used where no item of the scale is answered.
    """
    keyed = _keyed(questionnaire, form)
    return {
        name: _score(questionnaire, scale, keyed, form)
        if any(keyed[item] is not None for item in scale.items)
        else _stated(questionnaire, name, stated or {})
        for name, scale in questionnaire.scales.items()
    }


def band_of(questionnaire: Questionnaire, scale: str, score: Fraction | None) -> str | None:
    """Name of the range a score lies in: the last one that began at or below it."""
    if score is None:
        return None
    begun = [label for low, label in questionnaire.bands.get(scale, ()) if Fraction(low) <= score]
    return begun[-1] if begun else None


def risks_of(questionnaire: Questionnaire, form: Row) -> dict[int, bool | None]:
    """Whether each risk item reaches its threshold on the raw answer; None where it is missing."""
    found: dict[int, bool | None] = {}
    for item, threshold in questionnaire.risk:
        answer = _answer(form, item)
        if answer is not None and item in questionnaire.reversed and form["input_form"] == "keyed":
            answer = _turned(questionnaire, answer)
        found[item] = None if answer is None else threshold.reached(answer)
    return found


def _answer(form: Row, item: int) -> Fraction | None:
    answer = form["answers"][item - 1] if form["answers"] else None
    return None if answer is None else Fraction(answer)


def _turned(questionnaire: Questionnaire, answer: Fraction) -> Fraction:
    return Fraction(questionnaire.answer_max) + Fraction(questionnaire.answer_min) - answer


def _keyed(questionnaire: Questionnaire, form: Row) -> Keyed:
    keyed: dict[int, Fraction | None] = {}
    for item in range(1, questionnaire.item_count + 1):
        answer = _answer(form, item)
        reason = form["missing"][item - 1] if form["missing"] else None
        if answer is None and reason == "not_applicable" and item in questionnaire.not_applicable:
            keyed[item] = Fraction(questionnaire.not_applicable_value or 0)
        elif answer is None:
            keyed[item] = None
        elif item in questionnaire.reversed and form["input_form"] == "raw":
            keyed[item] = _turned(questionnaire, answer)
        else:
            keyed[item] = answer
    return keyed


def _score(questionnaire: Questionnaire, scale: Scale, keyed: Keyed, form: Row) -> Fraction | None:
    if not questionnaire.is_key_known and form["input_form"] == "raw":
        return None
    parts = [questionnaire.scales[part] for part in scale.parts] or [scale]
    sums = [_sum(part, keyed) for part in parts]
    if any(total is None for total in sums):
        return None
    total = sum((total for total in sums if total is not None), Fraction(0))
    return total * _multiplier(scale)


def _multiplier(scale: Scale) -> Fraction:
    return Fraction(scale.factor) / (len(scale.items) if scale.method == "mean" else 1)


def _sum(scale: Scale, keyed: Keyed) -> Fraction | None:
    answers = [value for item in scale.items if (value := keyed[item]) is not None]
    missing = len(scale.items) - len(answers)
    counted = (
        sum(value is None for value in keyed.values()) if scale.missing_over == "form" else missing
    )
    if not answers or counted > scale.max_missing:
        return None
    mean = sum(answers, Fraction(0)) / len(answers)
    if missing and scale.missing_rule == "impute":
        return sum(answers, Fraction(0)) + missing * floor(mean + Fraction(1, 2))
    return mean * len(scale.items)


def _stated(
    questionnaire: Questionnaire, name: str, stated: Mapping[str, Fraction]
) -> Fraction | None:
    """A stated score of this scale, else of another one over the same items."""
    scale = questionnaire.scales[name]
    for other in sorted(stated, key=lambda other: (other != name, other)):
        source = questionnaire.scales.get(other)
        if source is not None and set(source.items) == set(scale.items):
            value = stated[other] * _multiplier(scale) / _multiplier(source)
            return value if scale.range_min <= value <= scale.range_max else None
    return None
