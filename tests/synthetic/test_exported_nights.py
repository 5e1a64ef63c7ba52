"""What is in the files: the world, its planted faults, and what a second night brings."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.synthetic.exports import WRITERS, write_exports
from flows.synthetic.world import World, simulate

AS_OF = date(2026, 11, 20)
EVE = AS_OF - timedelta(days=1)
Files = dict[str, tuple[dict[str, Any], pl.DataFrame]]


def test_same_seed_same_bytes(world: World, tmp_path: Path) -> None:
    again = simulate(world.seed, AS_OF)
    other = simulate(32, AS_OF)
    for clinic in WRITERS:
        for path in write_exports(world, clinic, tmp_path / "a", None, AS_OF):
            (b,) = (
                p
                for p in write_exports(again, clinic, tmp_path / "b", None, AS_OF)
                if p.name == path.name
            )
            assert path.read_bytes() == b.read_bytes()
        (c, *_) = write_exports(other, clinic, tmp_path / "c", None, AS_OF)
        assert c.read_bytes() != (tmp_path / "a" / c.name).read_bytes()


def test_answers_in_the_files_are_those_of_the_world(
    world: World, second: dict[str, Files], first: dict[str, Files]
) -> None:
    _, birch = second["birch"]["redcap"]
    ours = world.forms["phq9"].sort("episode_id", "appointment_no")
    told = (
        birch.filter(pl.col("phq9_complete") == "2")
        .with_columns(no=pl.col("redcap_event_name").str.extract(r"(\d+)").cast(pl.Int64))
        .sort("record_id", "no")
    )
    assert told["record_id"].to_list() == ours["episode_id"].to_list()
    sound = ours["fault"].is_null()
    for k in range(1, 10):
        text = ours[f"i{k}"].cast(pl.Int64).cast(pl.String).fill_null("").filter(sound)
        assert told[f"phq9_{k}"].filter(sound).to_list() == text.to_list()
    _, cedar = first["cedar"]["survey"]
    whole = cedar.filter((pl.col("Finished") == "1") & (pl.col("Status") == "0"))
    core = world.forms["core10"].filter(pl.col("corrected_on").is_null(), pl.col("fault").is_null())
    both = whole.with_columns(pl.col("visit_no").cast(pl.Int64)).join(
        core, left_on=["episode_id", "visit_no"], right_on=["episode_id", "appointment_no"]
    )
    assert both.height > 8000
    recoded = pl.col("Q1_4").replace("-99", None).cast(pl.Float64) - 1
    assert both.select((recoded == pl.col("i4")).all()).item()


def test_planted_faults_are_a_few_dozen_rows(world: World) -> None:
    for clinic in WRITERS:
        forms = [f.filter(clinic_id=clinic) for f in world.forms.values()]
        faulty = sum(f["fault"].count() for f in forms)
        assert 15 <= faulty <= 60
        assert faulty < 0.01 * sum(f.height for f in forms)
        tonight = sum(f.filter(entered_on=AS_OF)["fault"].count() for f in forms)
        assert tonight >= 1


@pytest.mark.parametrize(
    ("clinic", "source", "column", "impossible"),
    [
        ("alder", "questionnaires", "Datum", "31.02.2026"),
        ("birch", "redcap", "phq9_timestamp", "2026-02-30 10:00:00"),
        ("cedar", "survey", "EndDate", "2026-02-30 10:00:00"),
    ],
)
def test_dates_are_past_but_for_planted_ones(
    first: dict[str, Files], clinic: str, source: str, column: str, impossible: str
) -> None:
    cells = first[clinic][source][1][column]
    assert 1 <= (cells == impossible).sum() <= 20
    dated = cells.filter(cells.str.contains(r"\d") & (cells != impossible))
    day = dated.str.head(10).str.to_date("%d.%m.%Y" if clinic == "alder" else "%Y-%m-%d")
    ahead = day.filter(day > EVE)
    assert len(ahead) <= 20
    assert (ahead.dt.year() >= 2050).all()


def test_second_night_brings_corrections_and_latecomers(
    first: dict[str, Files], second: dict[str, Files]
) -> None:
    for clinic, name in (("alder", "questionnaires"), ("alder", "alliance"), ("cedar", "survey")):
        source, new = second[clinic][name]
        old = first[clinic][name][1]
        assert new.height < 0.02 * old.height
        key = source["key"]
        again = new.join(old, on=key, how="semi")
        assert 4 <= again.height <= 20
        # A correction behind the point where a web form was left does not show.
        assert again.join(old, on=old.columns, how="anti").height >= 4
        assert new.join(old, on=key, how="anti").height > 4


def test_snapshots_restate_everything_with_newer_stamps(
    first: dict[str, Files], second: dict[str, Files]
) -> None:
    _, old = first["birch"]["redcap"]
    _, new = second["birch"]["redcap"]
    key = ["record_id", "redcap_event_name"]
    assert old.join(new, on=key, how="anti").is_empty()
    changed = new.join(old, on=key, how="semi").join(old, on=old.columns, how="anti")
    assert changed.height > 4
    assert (changed["last_modified"].str.head(10) == AS_OF.isoformat()).all()
    assert (old["last_modified"].str.head(10) <= EVE.isoformat()).all()
    for name in ("appointments", "episodes"):
        before, after = first["cedar"][name][1], second["cedar"][name][1]
        assert before.join(after, on=first["cedar"][name][0]["key"], how="anti").is_empty()


def test_yesterdays_bookings_are_kept_or_missed_today(
    first: dict[str, Files], second: dict[str, Files]
) -> None:
    old, new = first["alder"]["appointments"][1], second["alder"]["appointments"][1]
    today = old.filter(pl.col("Termin").str.starts_with("20.11.2026"))
    assert set(today["Status"]) == {"geplant"}
    now = new.join(today, on="Termin-Nr", how="semi")
    assert now.height == today.height > 0
    assert "erschienen" in set(now["Status"])
    assert "geplant" not in set(now["Status"])


def test_small_service_exports_too(
    tmp_path: Path, night: Callable[[World, str, Path, date | None, date], Files]
) -> None:
    small = simulate(1, AS_OF, small=True)
    for clinic in WRITERS:
        for _, frame in night(small, clinic, tmp_path / clinic, None, AS_OF).values():
            assert frame.height > 10
    with pytest.raises(KeyError):
        write_exports(small, "oak", tmp_path, None, AS_OF)
