"""The appointment diary around the hidden course: dates, attendance, what was known when."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.course import (
    ATTENDED,
    CANCELLED_BY_PATIENT,
    DROPOUT,
    END_REASONS,
    NO_APPOINTMENT,
    NO_SHOW,
    Course,
)
from flows.synthetic.parameters import Parameters

IntArray = NDArray[np.int64]
STATUS = (
    "none",
    "attended",
    "no_show",
    "cancelled_by_patient",
    "cancelled_by_service",
    "too_late_not_seen",
)


@dataclass(frozen=True)
class Diary:
    """Flat appointments (by episode, in time order) and dates per episode; days count from 1970."""

    episode: IntArray
    appointment_no: IntArray
    session_no: IntArray  # attended-session ordinal, 0 where not attended
    kind: IntArray
    day: IntArray
    minute: IntArray
    booked_day: IntArray
    start_day: IntArray  # per episode
    end_day: IntArray  # per episode: the day the clinic enters the ending


def to_weekday(day: IntArray) -> IntArray:
    """Move weekend days (days since 1970-01-01, a Thursday) to the Monday after."""
    weekday = (day + 3) % 7
    return day + np.where(weekday >= 5, 7 - weekday, 0)


def day_number(when: date) -> int:
    """Days since 1970-01-01."""
    return when.toordinal() - date(1970, 1, 1).toordinal()


def _slots(rng: Generator, course: Course, p: Parameters) -> IntArray:
    """Kinds (episode, 3 x session): two possible misses before each attended session."""
    sessions, n = course.missed_earlier.shape
    kinds = np.zeros((n, sessions, 3), dtype=np.int64)
    kinds[:, :, 0], kinds[:, :, 1] = course.missed_earlier.T, course.missed_just_before.T
    kinds[:, :, 2] = ATTENDED
    kinds[np.arange(sessions)[None, :] >= course.last_session[:, None]] = NO_APPOINTMENT
    comes_not = (course.end_kind == DROPOUT) & (
        (rng.random(n) < p.diary.trailing_miss) | (course.last_session == 0)
    )
    rows = np.flatnonzero(comes_not)
    trailing = np.where(rng.random(len(rows)) < 0.75, NO_SHOW, CANCELLED_BY_PATIENT)
    kinds[rows, course.last_session[rows], 0] = trailing
    return kinds.reshape(n, -1)


def _gaps(rng: Generator, kinds: IntArray, p: Parameters) -> IntArray:
    gaps = np.where(rng.random(kinds.shape) < p.diary.fortnightly, 14, 7)
    jitter = np.where(rng.random(kinds.shape) < p.diary.jitter, 1, 0)
    gaps += jitter * np.where(rng.random(kinds.shape) < 0.5, -1, 1)
    gaps[kinds == NO_APPOINTMENT] = 0
    return gaps


def make_diary(rng: Generator, course: Course, start_day: IntArray, p: Parameters) -> Diary:
    """Lay the course of every episode out in time, on weekdays, from its first appointment on."""
    kinds = _slots(rng, course, p)
    exists = kinds != NO_APPOINTMENT
    gaps = _gaps(rng, kinds, p)
    n = len(start_day)
    wait = rng.integers(p.diary.first_wait[0], p.diary.first_wait[1] + 1, n)
    first_gap = gaps[np.arange(n), exists.argmax(axis=1)]
    days = to_weekday((start_day + wait - first_gap)[:, None] + np.cumsum(gaps, axis=1))
    episode, slot = np.nonzero(exists)
    day, kind = days[episode, slot], kinds[episode, slot]
    attended = np.cumsum(kinds == ATTENDED, axis=1)[episode, slot]
    is_first = np.r_[True, episode[1:] != episode[:-1]]
    hour = rng.integers(8, 18, n)[episode]
    half = 30 * (rng.random(len(day)) < 0.2)
    last_day = days.max(axis=1, initial=0, where=exists)
    closing = rng.integers(p.ending.dropout_closed_after[0], p.ending.dropout_closed_after[1], n)
    lag = np.where(course.end_kind == DROPOUT, closing, rng.integers(0, 4, n))
    return Diary(
        episode=episode,
        appointment_no=np.cumsum(exists, axis=1)[episode, slot],
        session_no=np.where(kind == ATTENDED, attended, 0),
        kind=kind,
        day=day,
        minute=hour * 60 + half,
        booked_day=np.where(is_first, start_day[episode], np.r_[0, day[:-1]]),
        start_day=start_day,
        end_day=to_weekday(last_day + lag),
    )


def session_frame(
    diary: Diary, keys: pl.DataFrame, therapist: pl.Series, as_of: date
) -> pl.DataFrame:
    """Return the appointments known by as_of; what lies ahead of it is only booked."""
    today = day_number(as_of)
    frame = keys[diary.episode].with_columns(
        therapist_id=therapist,
        appointment_no=pl.Series(diary.appointment_no),
        session_no=pl.Series(diary.session_no),
        planned_at=_stamp(diary.day, diary.minute),
        planned_on=_day(diary.day),
        booked_on=_day(diary.booked_day),
        kind=pl.Series([STATUS[k] for k in range(len(STATUS))])[diary.kind],
    )
    known = frame.filter(pl.Series(diary.booked_day <= today))
    return known.with_columns(
        status=pl.when(pl.col("planned_on") > as_of).then(pl.lit("booked")).otherwise("kind"),
        session_no=pl.when((pl.col("planned_on") <= as_of) & (pl.col("session_no") > 0)).then(
            "session_no"
        ),
    ).drop("kind")


def episode_frame(
    rng: Generator, diary: Diary, course: Course, keys: pl.DataFrame, p: Parameters, as_of: date
) -> pl.DataFrame:
    """Return one row per episode as the clinic's records have it on as_of."""
    n = keys.height
    coded_share = keys["clinic_id"].replace_strict(
        {name: clinic.reason_coded for name, clinic in p.clinics.items()}
    )
    coded = pl.Series(rng.random(n)) < coded_share
    unrecorded = ~coded & pl.Series(rng.random(n) < p.ending.no_end_record)
    closed = pl.Series(diary.end_day <= day_number(as_of)) & ~unrecorded
    reason = pl.Series(END_REASONS)[course.end_kind]
    return keys.with_columns(
        started_on=_day(diary.start_day), ended_on=_day(diary.end_day), end_reason=reason
    ).with_columns(
        ended_on=pl.when(closed).then("ended_on"),
        end_reason=pl.when(closed & coded).then("end_reason"),
    )


def _day(days: IntArray) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def _stamp(days: IntArray, minutes: IntArray) -> pl.Series:
    return pl.Series((days * 1440 + minutes) * 60_000).cast(pl.Datetime("ms"))
