"""Simulated services and their exported files, read back by a reader of the tests' own."""

import io
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.synthetic.exports import WRITERS, write_exports
from flows.synthetic.world import World, simulate
from schemas.presets import with_presets

AS_OF = date(2026, 11, 20)
EVE = AS_OF - timedelta(days=1)
MAPPINGS = Path(__file__).parents[2] / "flows" / "synthetic" / "mappings"
Files = dict[str, tuple[dict[str, Any], pl.DataFrame]]


@pytest.fixture(scope="session")
def worlds() -> list[World]:
    return [simulate(seed, AS_OF) for seed in (11, 12, 13)]


@pytest.fixture(scope="session")
def small() -> World:
    return simulate(5, AS_OF, small=True)


@pytest.fixture(scope="session")
def world(worlds: list[World]) -> World:
    return worlds[0]


def _read(path: Path, source: dict[str, Any]) -> pl.DataFrame:
    """Read one export as text, by a reader of its own: header by names, footers off."""
    text = path.read_bytes().decode(source["read"].get("encoding", "utf-8"))
    header = source["read"].get("header", {})
    if "find" in header:
        text = text[text.index(header["find"][0]) :]
    frame = pl.read_csv(
        io.StringIO(text),
        separator=source["read"].get("delimiter", ","),
        infer_schema=False,
        truncate_ragged_lines=True,
    ).fill_null("")
    if "drop" in source["read"]:
        pattern = f"^(?:{source['read']['drop'][0]['matches']})$"
        frame = frame.filter(~pl.col(frame.columns[0]).str.contains(pattern))
    return frame.slice(header.get("rows", 1) - 1)


def _night(world: World, clinic: str, folder: Path, since: date | None, until: date) -> Files:
    text = (MAPPINGS / f"{clinic}.toml").read_text(encoding="utf-8")
    mapping, _ = with_presets(tomllib.loads(text))
    files: Files = {}
    for path in write_exports(world, clinic, folder, since, until):
        (source,) = (s for s in mapping["source"] if fnmatch(path.name, s["match"]))
        files[source["name"]] = (source, _read(path, source))
    return files


@pytest.fixture(scope="session")
def night() -> Callable[[World, str, Path, date | None, date], Files]:
    """Write one clinic's exports and read them back: mapping's source and cells, by source name."""
    return _night


@pytest.fixture(scope="session")
def first(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    folder = tmp_path_factory.mktemp("first")
    return {c: _night(world, c, folder / c, None, EVE) for c in WRITERS}


@pytest.fixture(scope="session")
def second(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    folder = tmp_path_factory.mktemp("second")
    return {c: _night(world, c, folder / c, AS_OF, AS_OF) for c in WRITERS}
