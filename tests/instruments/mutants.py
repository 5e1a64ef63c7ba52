"""Breaks every questionnaire file in every single way, and names the breaks that nothing notices.

A break is noticed by the registry (the file is refused), by its own examples or those of examples.jsonl (another
score), by the second entry of keys and thresholds (another number), or by the formula of computed reliable changes.
"""

import copy
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.instrument_check import faults_of
from schemas.instrument_record import instrument_of
from tests.instruments.published import contents, differences, lines, miscomputed, scored

OTHER_OP = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
OTHER_RULE = {"none": "prorate", "prorate": "impute", "impute": "prorate"}
REGISTRY, EXAMPLES, SECOND_ENTRY = "registry", "examples", "second entry"
FORMULA = "formula"


class Mutant(NamedTuple):
    """One break of one file."""

    name: str
    what: str
    data: dict[str, Any]


def mutants(data: Mapping[str, Any]) -> Iterator[Mutant]:
    """Every break of one file's content."""
    for what, path, value in [
        *_of_key(data),
        *_of_scales(data),
        *_of_numbers(data),
        *_of_criteria(data),
    ]:
        broken = copy.deepcopy(dict(data))
        place: Any = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        yield Mutant(data["id"], what, broken)


def judge(batch: Sequence[Mutant]) -> list[str | None]:
    """What notices each break; None where nothing does."""
    refused = [bool(faults_of(mutant.data)) for mutant in batch]
    alive = [n for n, is_refused in enumerate(refused) if not is_refused]
    wrong = _wrong_scores([batch[n] for n in alive])
    by_example = {n for n, is_wrong in zip(alive, wrong, strict=True) if is_wrong}
    return [
        REGISTRY
        if refused[n]
        else EXAMPLES
        if n in by_example
        else SECOND_ENTRY
        if differences(mutant.data)
        else FORMULA
        if miscomputed(mutant.data)
        else None
        for n, mutant in enumerate(batch)
    ]


def _of_key(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    if data["reversed"] != "unknown":
        for item in range(1, data["items"] + 1):
            flipped = sorted({*data["reversed"]} ^ {item})
            yield f"reversal of item {item}", ("reversed",), flipped
    for end, by in (("min", 1), ("max", 1), ("max", -1)):
        yield f"answers.{end} {by:+}", ("answers", end), data["answers"][end] + by
    yield "direction", ("better",), "lower" if data["better"] == "higher" else "higher"
    if "not_applicable" in data:
        yield "not applicable counts 1", ("not_applicable", "keyed_value"), 1
        for item in data["not_applicable"]["items"]:
            rest = [other for other in data["not_applicable"]["items"] if other != item]
            yield f"item {item} always applies", ("not_applicable", "items"), rest


def _of_scales(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    for name, scale in data["scales"].items():
        path = ("scales", name)
        yield f"factor of {name}", (*path, "factor"), scale.get("factor", 1) * 2
        yield f"method of {name}", (*path, "method"), "mean" if scale["method"] == "sum" else "sum"
        yield f"range of {name}", (*path, "range"), [scale["range"][0], scale["range"][1] + 1]
        for item in scale.get("items", []):
            rest = [other for other in scale["items"] if other != item]
            yield f"item {item} out of {name}", (*path, "items"), rest
        for part in scale.get("parts", []):
            yield (
                f"{name} without {part}",
                (*path, "parts"),
                [p for p in scale["parts"] if p != part],
            )
        if missing := scale.get("missing"):
            rule = OTHER_RULE[missing["rule"]]
            other = "form" if missing["over"] == "scale" else "scale"
            fewest = missing["max"] + (missing["rule"] == "none")
            changes = {"rule": rule, "max": fewest}
            yield f"missing rule of {name}", (*path, "missing"), {**missing, **changes}
            yield f"missing.max of {name}", (*path, "missing", "max"), missing["max"] + 1
            # over all items the two are the same
            if len(scale["items"]) < data["items"]:
                yield f"missing.over of {name}", (*path, "missing", "over"), other


def _of_numbers(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    for key in ("cutoffs", "reliable_change", "risk"):
        for n, row in enumerate(data[key]):
            for by in (1, -1):
                yield f"{key}[{n}].value {by:+}", (key, n, "value"), row["value"] + by
            yield f"{key}[{n}].op", (key, n, "op"), OTHER_OP[row["op"]]
            if "default" in row:
                yield f"{key}[{n}].default", (key, n, "default"), not row["default"]
    for n, row in enumerate(data["risk"]):
        yield f"risk[{n}].item", ("risk", n, "item"), row["item"] % data["items"] + 1
    for n in range(1, len(data["bands"])):
        if data["bands"][n]["scale"] == data["bands"][n - 1]["scale"]:
            # both ends move, so that no gap gives it away
            for by in (1, -1):
                bands = copy.deepcopy(data["bands"])
                bands[n - 1]["to"] += by
                bands[n]["from"] += by
                yield f"border before bands[{n}] {by:+}", ("bands",), bands


def _of_criteria(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    for n, row in enumerate(data.get("criteria", [])):
        for m, part in enumerate(row["symptoms"]):
            path = ("criteria", n, "symptoms", m)
            yield f"{path} op", (*path, "op"), OTHER_OP[part["op"]]
            for by in (1, -1):
                yield f"{path} value {by:+}", (*path, "value"), part["value"] + by
        for m, need in enumerate(row["needs"]):
            path = ("criteria", n, "needs", m)
            for by in (1, -1):
                yield f"{path} {by:+}", (*path, "at_least"), need["at_least"] + by
            for item in need["items"]:
                rest = [other for other in need["items"] if other != item]
                yield f"{path} without item {item}", (*path, "items"), rest


def _wrong_scores(batch: Sequence[Mutant]) -> list[bool]:
    """Whether an example of each comes out otherwise; all are scored in one run of the SQL."""
    known, forms, of = {}, [], []
    for n, mutant in enumerate(batch):
        known[f"m{n}"] = instrument_of({**mutant.data, "id": f"m{n}", "names": [f"m{n}"]}, "")
        known[f"m{n}"] = known[f"m{n}"].__class__(**{**vars(known[f"m{n}"]), "is_enabled": True})
        for row in _examples(mutant.data):
            items = ["NA" if answer == "na" else answer for answer in row["answers"]]
            form = row.get("input_form", "raw")
            forms.append({"inst": f"m{n}", "input": form, "items": items})
            of.append((n, row))
    wrong = [False] * len(batch)
    for (n, row), result in zip(of, scored(forms, known), strict=True):
        wrong[n] = wrong[n] or not _is_as_said(row, result)
    return wrong


def _examples(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    published = [
        {
            "answers": row["items"],
            "input_form": row["input"],
            "expect": row["expect"],
            "is_rounded": True,
        }
        for row in lines("examples.jsonl")
        if row["inst"] == data["id"]
    ]
    return [*data["examples"], *published]


def _is_as_said(row: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    if "error" in result:
        return False
    for scale, expected in row["expect"].items():
        value = result["scores"].get(scale)
        if (value is None) != (expected is None):
            return False
        decimals = len(str(expected).partition(".")[2]) if "is_rounded" in row else 6
        if value is not None and round(value, decimals) != expected:
            return False
    if row.get("criteria", {}) != {k: result["criteria"][k] for k in row.get("criteria", {})}:
        return False
    flagged = [flag["item"] for flag in result["flags"] if flag["flagged"]]
    is_flagged_as_said = "risk" not in row or flagged == sorted(row["risk"])
    return is_flagged_as_said and row.get("band", {}).items() <= result["bands"].items()


def main() -> int:
    """Try them all; the exit code is 1 when a break goes unnoticed."""
    noticed: Counter[str | None] = Counter()
    for data in contents().values():
        batch = list(mutants(data))
        for mutant, by in zip(batch, judge(batch), strict=True):
            noticed[by] += 1
            if by is None:
                sys.stdout.write(f"not noticed: {mutant.name}: {mutant.what}\n")
    total = sum(noticed.values())
    words = ", ".join(f"{by}: {noticed[by]}" for by in (REGISTRY, EXAMPLES, SECOND_ENTRY, FORMULA))
    sys.stdout.write(f"{total} breaks; noticed by {words}; not noticed: {noticed[None]}\n")
    return 1 if noticed[None] else 0


if __name__ == "__main__":
    sys.exit(main())
