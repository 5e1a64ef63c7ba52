"""The invented service: its size, and what may not happen in it."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.synthetic.parameters import load
from flows.synthetic.world import World, simulate, write_truth

AS_OF = date(2026, 11, 20)
KEYS = ["clinic_id", "episode_id"]


def test_service_is_large_enough_for_every_page(worlds: list[World]) -> None:
    world = worlds[0]
    assert world.therapists["clinic_id"].n_unique() == 3
    assert world.therapists.height >= 36
    assert world.episodes.height >= 4000
    months = world.episodes["started_on"].dt.strftime("%Y-%m").value_counts()
    assert months.height >= 24
    running = world.sessions.filter(status="booked")["episode_id"].n_unique()
    assert 300 <= running <= 1000


def test_small_service_has_eight_therapists(small: World) -> None:
    assert small.therapists.height == 8
    assert small.episodes.height == 200
    assert small.episodes["clinic_id"].n_unique() == 3


def test_same_seed_same_world(small: World) -> None:
    again = simulate(5, AS_OF, small=True)
    for name, forms in small.forms.items():
        assert_frame_equal(forms, again.forms[name])
    assert_frame_equal(small.sessions, again.sessions)
    assert_frame_equal(small.episodes, again.episodes)
    other = simulate(6, AS_OF, small=True)
    assert not small.episodes.equals(other.episodes)


@pytest.mark.parametrize("name", load().instruments)
def test_answers_are_legal_and_raw(worlds: list[World], name: str) -> None:
    instrument, forms = load().instruments[name], worlds[0].forms[name]
    answers = forms.select(f"i{k}" for k in range(1, instrument.items + 1)).to_numpy()
    given = answers[~np.isnan(answers)]
    assert given.min() >= instrument.minimum
    assert given.max() == instrument.maximum
    step = 10 if instrument.maximum == 10 else 1
    assert np.allclose(given * step, np.rint(given * step), atol=1e-9)
    assert 0.001 < np.isnan(answers).mean() < 0.01
    total = np.nanmean(answers, axis=1)
    for item in range(1, instrument.items + 1):
        here = ~np.isnan(answers[:, item - 1])
        r = np.corrcoef(answers[here, item - 1], total[here])[0, 1]
        if item in instrument.reversed:
            assert r < 0.1, f"item {item} should run against the rest"
        else:
            assert r > 0.1, f"item {item} should run with the rest"


def test_nothing_is_recorded_after_as_of(worlds: list[World]) -> None:
    for world in worlds:
        for forms in world.forms.values():
            assert (forms["answered_at"].dt.date() <= AS_OF).all()
            assert forms["entered_on"].max() == AS_OF
        ahead = world.sessions.filter(pl.col("planned_on") > AS_OF)
        assert set(ahead["status"]) == {"booked"}
        assert ahead["session_no"].null_count() == ahead.height
        assert (world.sessions["booked_on"] <= AS_OF).all()
        assert "booked" not in set(world.sessions.filter(pl.col("planned_on") <= AS_OF)["status"])
        assert (world.episodes["ended_on"].drop_nulls() <= AS_OF).all()
        assert (world.episodes["started_on"] <= AS_OF).all()


def test_appointments_lie_on_weekdays_and_weeks_apart(worlds: list[World]) -> None:
    sessions = worlds[0].sessions
    assert sessions["planned_on"].dt.weekday().max() == 5
    days = sessions.select(pl.col("planned_on").diff().over(KEYS).dt.total_days())
    gaps = days.to_series().drop_nulls().to_numpy()
    assert gaps.min() >= 4
    assert gaps.max() <= 17
    assert 7 <= np.median(gaps) <= 8


def test_about_one_appointment_in_eleven_is_missed(worlds: list[World]) -> None:
    past = worlds[0].sessions.filter(pl.col("status") != "booked")
    shares = past["status"].value_counts(normalize=True)
    assert dict(shares.iter_rows())["no_show"] == pytest.approx(0.09, abs=0.012)
    assert set(shares["status"]) == {
        "attended", "no_show", "cancelled_by_patient", "cancelled_by_service", "too_late_not_seen",
    }  # fmt: skip


def test_reasons_of_endings_are_too_rare_at_one_clinic_only(worlds: list[World]) -> None:
    for world in worlds:
        shares = dict(
            world.episodes.filter(pl.col("ended_on").is_not_null())
            .group_by("clinic_id")
            .agg(pl.col("end_reason").is_not_null().mean())
            .iter_rows()
        )
        assert shares["alder"] > 0.88
        assert shares["birch"] > 0.88
        assert 0.55 < shares["cedar"] < 0.78
        reasons = set(world.episodes["end_reason"].drop_nulls())
        assert reasons == {"completed", "dropout", "transferred", "service_ended", "died_other"}


def test_returning_patients_have_one_treatment_at_a_time(worlds: list[World]) -> None:
    world = worlds[0]
    span = world.sessions.group_by("clinic_id", "patient_id", "episode_id").agg(
        begin=pl.col("planned_on").min(), end=pl.col("planned_on").max()
    )
    again = span.sort("begin").with_columns(
        since=(pl.col("begin") - pl.col("end").shift()).over("clinic_id", "patient_id")
    )
    waits = again["since"].drop_nulls().dt.total_days().to_numpy()
    assert 20 < len(waits) < 200
    assert waits.min() > 30


def test_few_patients_change_therapist_and_stay_in_their_clinic(worlds: list[World]) -> None:
    attended = worlds[0].sessions.filter(status="attended")
    hands = (
        attended.group_by(KEYS).agg(pl.col("therapist_id").n_unique().alias("n"))["n"].to_numpy()
    )
    assert hands.max() == 2
    assert 0.005 < (hands == 2).mean() < 0.04
    letters = attended.select(
        pl.col("therapist_id").str.to_lowercase().str.head(1) == pl.col("clinic_id").str.head(1)
    )
    assert letters.to_series().all()


def test_truth_is_written_with_the_ids_of_the_exports(small: World, tmp_path: Path) -> None:
    paths = {path.stem: pl.read_parquet(path) for path in write_truth(small, tmp_path / "truth")}
    assert set(paths) == {"therapist", "episode", "session"}
    ours = set(small.episodes.select("clinic_id", "patient_id", "episode_id").iter_rows())
    told = set(paths["episode"].select("clinic_id", "patient_id", "episode_id").iter_rows())
    assert ours == told
    assert paths["session"]["hazard"].is_between(0, 1, closed="none").all()
    assert paths["session"]["is_rupture_onset"].any()
