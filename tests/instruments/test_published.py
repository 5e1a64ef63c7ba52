"""Published examples come out as published, and known wrong keys do not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from schemas.instrument import find
from schemas.instrument_record import instrument_of
from tests.instruments.published import contents, differences, lines, miscomputed, scored
from tests.sql.warehouse_fixture import shipped

EXAMPLES = lines("examples.jsonl")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def results() -> list[dict[str, Any]]:
    return scored(EXAMPLES)


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_worked_example(results: list[dict[str, Any]], place: int) -> None:
    example, result = EXAMPLES[place], results[place]
    values = result["scores"]
    for name, expected in example["expect"].items():
        decimals = len(str(expected).partition(".")[2])
        assert round(values[name], decimals) == expected, name
    assert example.get("criteria", {}).items() <= result.get("criteria", {}).items()
    if "band" in example:
        assert result["bands"][shipped()[example["inst"]].primary] == example["band"]


@pytest.mark.parametrize("entry", lines("second_entry.jsonl"), ids=lambda entry: entry["inst"])
def test_file_and_second_entry_agree(entry: dict[str, Any]) -> None:
    assert differences(contents()[entry["inst"]]) == []


def test_no_file_is_without_second_entry() -> None:
    assert {entry["inst"] for entry in lines("second_entry.jsonl")} == set(shipped())


@pytest.mark.parametrize("name", contents())
def test_computed_reliable_change_is_what_its_population_gives(name: str) -> None:
    assert miscomputed(contents()[name]) == []


def moved(item: int, source: str, target: str) -> Change:
    def change(data: dict[str, Any]) -> None:
        data["scales"][source]["items"].remove(item)
        data["scales"][target]["items"].append(item)

    return change


def swapped(data: dict[str, Any]) -> None:
    one, two = data["scales"]["D"], data["scales"]["A"]
    one["items"], two["items"] = two["items"], one["items"]


def in_fours(data: dict[str, Any]) -> None:
    for name, first in (("goal", 1), ("task", 5), ("bond", 9)):
        data["scales"][name]["items"] = list(range(first, first + 4))


# Keys that circulate in public programs, each of which must give another number than ours.
WRONG_KEYS: dict[str, tuple[str, Change]] = {
    "24 items reversed": ("oq45_2", lambda d: d.update(reversed=list(range(1, 25)))),
    "items of the alliance scales in fours": ("wai_sr_c", in_fours),
    "item 30 reversed too": ("core_om", lambda d: d["reversed"].append(30)),
    "item 33 reversed in place of 32": (
        "core_om",
        lambda d: d.update(reversed=[3, 4, 7, 12, 19, 21, 31, 33]),
    ),
    "depression and anxiety changed over": ("dass21", swapped),
    "item 14 in hyperarousal": ("ies_r", moved(14, "intrusion", "hyperarousal")),
    "item 2 in hyperarousal": ("ies_r", moved(2, "intrusion", "hyperarousal")),
}


@pytest.mark.parametrize(("name", "change"), WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_wrong_public_key_gives_another_number(name: str, change: Change) -> None:
    data = copy.deepcopy(contents()[name])
    change(data)
    low, span = data["answers"]["min"], data["answers"]["max"] - data["answers"]["min"] + 1
    items = [low + n % span for n in range(1, data["items"] + 1)]
    form = {"inst": name, "input": "raw", "items": items}
    wrong = scored([form], {name: instrument_of(data, "")})[0]["scores"]
    assert wrong != scored([form])[0]["scores"]
    assert differences(data)


@pytest.mark.parametrize(
    ("name", "value", "op"),
    [("phq9", 10, ">="), ("k6", 13, ">="), ("wsas", 20, ">"), ("core10", 11, ">=")],
)
def test_cut_off_that_is_printed_wrongly_elsewhere(name: str, value: int, op: str) -> None:
    assert (op, value) in {(row.op, row.value) for row in shipped()[name].cutoffs}


def test_ranges_that_are_printed_wrongly_elsewhere() -> None:
    assert scored([{"inst": "wsas", "input": "raw", "items": [8] * 5}])[0]["scores"]["total"] == 40
    assert "error" in scored([{"inst": "k6", "input": "raw", "items": [5] * 6}])[0]
    assert shipped()["oq45_2"].loinc is None


@pytest.mark.parametrize("name", ["HAQ-II", "HAq", "ARM", "SRS-2", "OCI", "DASS", "WAI"])
def test_names_that_other_questionnaires_share_stand_for_none(name: str) -> None:
    assert find(shipped(), name) is None


@pytest.mark.parametrize(
    ("sums", "bands"),
    [
        ((3, 2, 6), ("normal", "normal", "normal")),
        ((7, 10, 10), ("moderate", "extremely severe", "moderate")),
        ((10, 7, 12), ("moderate", "moderate", "moderate")),
        ((0, 5, 0), ("normal", "moderate", "normal")),  # the table of single scores says mild
    ],
)
def test_bands_of_the_dass_are_those_of_the_doubled_scores(
    sums: tuple[int, ...], bands: tuple[str, ...]
) -> None:
    items = [0] * 21
    for scale, left in zip("DAS", sums, strict=True):
        for item in shipped()["dass21"].scales[scale].items:
            items[item - 1] = min(3, left)
            left -= items[item - 1]
    found = scored([{"inst": "dass21", "input": "raw", "items": items}])[0]
    assert tuple(found["scores"][scale] for scale in "DAS") == sums
    assert tuple(found["bands"][f"{scale}_doubled"] for scale in "DAS") == bands
