"""The three export formats and their mappings."""

import re
from datetime import date, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.synthetic.exports import WRITERS, write_exports
from flows.synthetic.world import World
from schemas.export_format import read_mapping

AS_OF = date(2026, 11, 20)
EVE = AS_OF - timedelta(days=1)
MAPPINGS = Path(__file__).parents[2] / "flows" / "synthetic" / "mappings"
Files = dict[str, tuple[dict[str, Any], pl.DataFrame]]


def declared(source: dict[str, Any]) -> set[str]:
    """Every column or glob that a source's mapping names, wherever it names it."""
    names: set[str] = {*source.get("key", []), source.get("version", "")}
    stack: list[Any] = [source["fields"]]
    stack += [source.get(part) for part in ("appointment", "episode", "action")]
    stack += [source["read"].get("keep", []), source["missing"], source.get("form", [])]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack += part
        elif isinstance(part, dict):
            if "columns" in part:
                names |= {part["columns"].format(k + 1) for k in range(part["count"])}
            names |= {part[key] for key in ("column",) if key in part}
            names |= set(part.get("ignore", [])) | set(part.get("totals", {}).values())
            stack += part.values()
    return names


@pytest.mark.parametrize("clinic", WRITERS)
def test_mapping_is_in_the_grammar(clinic: str) -> None:
    read_mapping(MAPPINGS / f"{clinic}.toml")


@pytest.mark.parametrize("clinic", WRITERS)
def test_every_column_is_mapped_but_the_planted_one(first: dict[str, Files], clinic: str) -> None:
    unmapped = {
        (name, column)
        for name, (source, frame) in first[clinic].items()
        for column in frame.columns
        if not any(fnmatch(column, pattern) for pattern in declared(source))
    }
    assert unmapped == ({("alliance", "Raum")} if clinic == "alder" else set())


@pytest.mark.parametrize("clinic", WRITERS)
def test_mapping_names_no_column_that_is_not_there(first: dict[str, Files], clinic: str) -> None:
    for source, frame in first[clinic].values():
        assert declared(source) - {""} <= set(frame.columns)


@pytest.mark.parametrize("clinic", WRITERS)
def test_codes_are_declared_but_for_a_few(first: dict[str, Files], clinic: str) -> None:
    for source, frame in first[clinic].values():
        for part, key in (("appointment", "status"), ("episode", "end_reason")):
            rule = source.get(part, {}).get(key)
            if rule:
                cells = frame[rule["column"]]
                odd = cells.filter(~cells.is_in(["", *rule["map"]]))
                assert len(odd) < 0.005 * len(cells)
                assert (part == "episode") or len(odd) > 0


@pytest.mark.parametrize("clinic", WRITERS)
def test_keys_are_unique(first: dict[str, Files], clinic: str) -> None:
    for source, frame in first[clinic].values():
        # a line of the log is known by what it says
        key = source.get("key") or ["patient", "acted_on", "action"]
        assert frame.select(key).is_duplicated().sum() == 0


def test_alder_writes_as_german_excel_does(
    world: World, first: dict[str, Files], tmp_path: Path
) -> None:
    paths = {p.name.split("_")[1]: p for p in write_exports(world, "alder", tmp_path, None, EVE)}
    text = paths["fragebogen"].read_bytes().decode("cp1252")
    lines = text.split("\r\n")
    assert lines[0].startswith("Praxis Alder")
    assert lines[3].startswith("Bogen-Nr;Pat-Nr;")
    assert re.fullmatch(r"Exportiert am 19\.11\.2026 .*", lines[-2])
    _, forms = first["alder"]["questionnaires"]
    assert lines[-3].startswith(f"Summe;{forms.height};")
    assert forms["Pat-Nr"].str.contains(r"^\d{5}$").all()
    assert forms["Dauer (Min)"].str.contains(r"^\d+,\d$").all()
    remarks = forms["Bemerkung"]
    for sign in ("\n", ";", '"'):
        assert remarks.str.contains(sign, literal=True).any()
    items = pl.concat(forms[f"OQ{k}"] for k in range(1, 46))
    assert {"-9", "k.A.", ""} <= set(items)


def test_alder_therapists_are_looked_up_by_name(world: World, first: dict[str, Files]) -> None:
    names = dict(
        world.therapists.filter(clinic_id="alder").select("name", "therapist_id").iter_rows()
    )
    for name, (source, frame) in first["alder"].items():
        assert source["fields"]["therapist"]["lookup"] == names
        unknown = frame.filter(~pl.col("Therapeut").is_in(list(names)))
        assert 1 <= unknown.height <= 20 if name == "questionnaires" else unknown.is_empty()


def test_birch_totals_disagree_only_where_planted(world: World, first: dict[str, Files]) -> None:
    _, frame = first["birch"]["redcap"]
    items = [pl.col(f"phq9_{k}").replace("", None).cast(pl.Int64) for k in range(1, 10)]
    filled = frame.filter(pl.col("phq9_complete") == "2")
    wrong = filled.select(pl.sum_horizontal(items) != pl.col("phq9_total").cast(pl.Int64))
    planted = world.forms["phq9"].filter(pl.col("entered_on") <= EVE)
    faults = planted["fault"].is_in(["wrong_total", "undeclared_code"]).sum()
    assert 2 <= wrong.to_series().sum() <= faults
    due = frame.filter(pl.col("phq9_complete") == "0")["phq9_timestamp"]
    assert set(due) == {"[not completed]"}


def test_cedar_has_previews_partials_and_recoded_answers(first: dict[str, Files]) -> None:
    _, survey = first["cedar"]["survey"]
    assert 3 <= (survey["Status"] == "1").sum() <= 30
    partial = survey.filter(pl.col("Finished") == "0")
    assert 0.01 < partial.height / survey.height < 0.03
    assert set(partial["Q3_4"]) == {""}
    assert "" not in set(partial["Q1_3"])
    assert set(survey["Q1_1"]) == {"1", "2", "3", "4", "5", "-99"}
    assert survey["Q2_1"].filter(survey["Q2_1"] != "").str.contains(r"^(\d+\.\d|-99)$").all()
    assert survey["ResponseId"].str.contains(r"^R_[0-9A-Za-z]{15}$").all()
