"""Simulate a service of three clinics from one seed, the truth kept beside what clinics record."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray

from flows.synthetic.course import run_course
from flows.synthetic.diary import (
    Diary,
    day_number,
    episode_frame,
    make_diary,
    session_frame,
    to_weekday,
)
from flows.synthetic.facts import add_facts, appointment_facts
from flows.synthetic.forms import make_forms
from flows.synthetic.intake import draw_effects, draw_intake
from flows.synthetic.parameters import enlarged, load
from flows.synthetic.registry import assign_therapists, give_ids, hire_therapists
from flows.synthetic.truth import truth_frames

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What the clinics' systems hold on `as_of`, and (in `truth`) what nobody there can know."""

    seed: int
    as_of: date
    therapists: pl.DataFrame  # clinic_id, therapist_id, name
    episodes: pl.DataFrame  # ids, started_on, ended_on, end_reason, facts (NULL = not recorded)
    sessions: pl.DataFrame  # appointments, not attended ones and booked ones included
    forms: dict[str, pl.DataFrame]  # by instrument id; answers in i1..iN, NULL = not answered
    truth: dict[str, pl.DataFrame]  # therapist, episode, session


def simulate(
    seed: int, as_of: date, small: bool = False, null_world: bool = False, large: bool = False
) -> World:
    """Simulate three clinics over the two years before as_of, the same for the same arguments.

    Args:
        seed: any non-negative number.
        as_of: nothing is recorded after this day.
        small: 8 therapists with about 25 episodes each, for tests.
        null_world: no therapist effects at all.
        large: 86 therapists, for what few endings cannot show.
    """
    p = enlarged(load()) if large else load()
    draw = iter([default_rng(s) for s in SeedSequence(seed).spawn(8)])
    therapists, home = hire_therapists(p, small)
    first, colleague = assign_therapists(next(draw), home, p, small)
    effects = draw_effects(next(draw), therapists.height, p, null_world)
    rng = next(draw)
    intake = draw_intake(rng, first, colleague, p)
    course = run_course(rng, intake, effects, p)
    rng = next(draw)
    start = to_weekday(day_number(as_of) - rng.integers(0, p.service.start_days, len(first)))
    diary = make_diary(rng, course, start - 7 * (start > day_number(as_of)), p)
    ids = give_ids(next(draw), diary, home[first], p)
    who = course.therapist[np.maximum(diary.session_no - 1, 0), diary.episode]
    names = therapists["therapist_id"]
    episodes = episode_frame(
        next(draw), diary, course, ids.with_columns(therapist_id=names[first]), p, as_of
    )
    sessions = session_frame(diary, ids, names[_carried(who, diary)], as_of)
    truth = truth_frames(therapists, effects, episodes, course, diary, as_of)
    forms = make_forms(next(draw), sessions, truth["session"], p, as_of)
    episodes = add_facts(next(draw), episodes, intake.symptoms, p)
    sessions = appointment_facts(sessions, episodes, p)
    return World(seed, as_of, therapists, episodes, sessions, forms, truth)


def write_truth(world: World, folder: Path) -> list[Path]:
    """Write the hidden truth, one Parquet file per table; it never goes near an inbox."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.parquet" for name in world.truth]
    for path, frame in zip(paths, world.truth.values(), strict=True):
        frame.write_parquet(path)
    return paths


def _carried(who: IntArray, diary: Diary) -> IntArray:
    """A missed appointment belongs to the therapist of the attended session before it."""
    row = np.arange(len(who))
    is_first = np.r_[True, diary.episode[1:] != diary.episode[:-1]]
    anchor = np.maximum.accumulate(np.where((diary.session_no > 0) | is_first, row, 0))
    return who[anchor]
