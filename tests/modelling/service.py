"""A simulated service put into a test warehouse as its clinics' systems have it, without files between."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from unittest import mock

import duckdb
import polars as pl

from flows.reference import Service
from flows.synthetic.parameters import load
from flows.synthetic.world import World, simulate
from tests.sql.warehouse_fixture import warehouse

CLINICS = ("alder", "birch", "cedar")
NIGHT = date(2026, 11, 20)
COURSE = ("clinic_id", "patient_id", "episode_id", "therapist_id")


def service(world: World) -> duckdb.DuckDBPyConnection:
    """The warehouse of the world's night, upstream tables filled, nothing built."""
    con = warehouse(world.as_of, Service("Simulated", {clinic: clinic for clinic in CLINICS}))
    con.execute("set threads = 2")
    _insert(con, "valid.episode", _keyed(world.episodes), "started_on as known_from, *")
    _insert(
        con, "valid.session", _keyed(world.sessions),
        "episode_id || '-' || appointment_no as session_id, appointment_no as session_label,"
        " planned_on as session_on, planned_on as known_from, *",
    )  # fmt: skip
    for instrument_id, forms in world.forms.items():
        items = [
            f"i{number}" for number in range(1, sum(c[1:].isdigit() for c in forms.columns) + 1)
        ]
        respondent = "therapist" if instrument_id.endswith("_t") else "patient"
        sound = _keyed(forms.filter(pl.col("fault").is_null(), pl.col("entered_on") <= world.as_of))
        _insert(
            con, "valid.form", sound,
            f"episode_id || '-' || appointment_no || '-{instrument_id}' as form_id,"
            f" '{instrument_id}' as instrument_id, '{respondent}' as respondent, 'raw' as input_form,"
            " appointment_no as session_label, answered_at::date as answered_on,"
            f" entered_on as known_from, [{', '.join(items)}] as answers,"
            f" [if(x is null, 'not_answered', null) for x in answers] as missing, *",
        )  # fmt: skip
    con.execute(
        "insert into valid.clinic select distinct clinic_id, getvariable('as_of')::date from valid.episode"
    )
    return con


@contextmanager
def alliance_without_effect() -> Iterator[None]:
    """Worlds in which nobody leaves because of the alliance, nor stays."""
    felt = load()
    nothing = {"per_alliance_sd": 0.0, "per_within_sd": 0.0, "open_rupture": 0.0}
    parameters = replace(felt, dropout=replace(felt.dropout, **nothing))
    with mock.patch("flows.synthetic.world.load", return_value=parameters):
        yield


def simulated(seed: int) -> tuple[World, duckdb.DuckDBPyConnection]:
    """A world and its warehouse."""
    world = simulate(seed, NIGHT)
    return world, service(world)


def part_of(world: World, clinic_id: str, courses: int) -> World:
    """The first courses of one clinic alone."""
    kept = world.episodes.filter(clinic_id=clinic_id).sort("episode_id").head(courses)
    key = kept.select("clinic_id", "episode_id")

    def of(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(key, on=["clinic_id", "episode_id"], how="semi")

    forms = {name: of(frame) for name, frame in world.forms.items()}
    return replace(world, episodes=kept, sessions=of(world.sessions), forms=forms)


def truth(world: World) -> pl.DataFrame:
    """The hidden course of every session, with the ids of the warehouse."""
    return _keyed(world.truth["session"])


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """Ids that are the service's own: every clinic numbers its patients from 1."""
    named = [name for name in COURSE[1:] if name in frame.columns]
    return frame.with_columns(
        pl.concat_str("clinic_id", pl.lit("/"), name).alias(name) for name in named
    )


def _insert(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame, select: str) -> None:
    """Insert what the table has columns for."""
    con.register("given", frame)
    made = f"select {select} from given"
    found = {row[0] for row in con.execute(f"describe {made}").fetchall()}
    wanted = [row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] in found]
    con.execute(f"insert into {table} by name select {', '.join(wanted)} from ({made})")
    con.unregister("given")
