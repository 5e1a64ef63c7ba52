"""Which questionnaires come back, when, with which answers, and where the planted errors lie."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.answers import draw_answers
from flows.synthetic.faults import plant
from flows.synthetic.parameters import Instrument, Parameters

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FORM_KEYS = (
    "clinic_id", "patient_id", "episode_id", "episode_no", "therapist_id", "appointment_no",
    "session_no",
)  # fmt: skip
CENTRE = {"symptoms": 15.0, "alliance": 3.95, "therapist_view": 3.95}


@dataclass(frozen=True)
class _Returned:
    """Per attended session: one draw per respondent and moment, shared by the forms filled then."""

    chance: FloatArray
    minutes: IntArray  # answered so many minutes after the planned time
    entered_days: IntArray  # reaches the clinic's system so many days later


def make_forms(
    rng: Generator, sessions: pl.DataFrame, truth: pl.DataFrame, p: Parameters, as_of: date
) -> dict[str, pl.DataFrame]:
    """Return filled-in forms by instrument id, only those in the clinic's system by as_of."""
    keys = ["clinic_id", "episode_no", "session_no"]
    seen = sessions.filter(pl.col("session_no").is_not_null()).join(
        truth.drop("patient_id", "episode_id"), on=keys, maintain_order="left"
    )
    made: dict[str, list[pl.DataFrame]] = {name: [] for name in p.instruments}
    for clinic_id, protocol in p.protocol.items():
        mine = seen.filter(clinic_id=clinic_id)
        returned = _draw_returns(rng, mine, p, tablet=clinic_id == "cedar")
        for name, every in protocol.items():
            made[name].append(_forms_of(rng, mine, returned, name, every, p, as_of))
    return {name: pl.concat(frames) for name, frames in made.items()}


def _draw_returns(
    rng: Generator, seen: pl.DataFrame, p: Parameters, tablet: bool
) -> dict[str, _Returned]:
    n, r = seen.height, p.returns
    entered = np.where(
        rng.random(n) < r.entered_late, rng.integers(5, 21, n), rng.integers(0, 3, n)
    )
    late = rng.random(n) < r.answered_late
    after = np.where(late, rng.integers(1, 6, n) * 1440, 0) + rng.integers(48, 62, n)
    view_late = np.where(rng.random(n) < 0.15, rng.integers(1, 7, n) * 1440, 0)
    alliance = _Returned(rng.random(n), after, np.zeros(n, dtype=np.int64) if tablet else entered)
    if tablet:  # one web questionnaire after the session holds everything
        return {"symptoms": alliance, "alliance": alliance}
    return {
        "symptoms": _Returned(rng.random(n), -rng.integers(5, 40, n), entered),
        "alliance": alliance,
        "therapist_view": _Returned(rng.random(n), view_late + rng.integers(60, 180, n), entered),
    }


def _missing_chance(seen: pl.DataFrame, latent: str, p: Parameters) -> FloatArray:
    """Low alliance and a coming dropout make a missing form likelier."""
    r = p.returns
    share = {
        "symptoms": r.symptom_missing,
        "alliance": r.alliance_missing,
        "therapist_view": r.therapist_missing,
    }[latent]
    logit = np.full(seen.height, np.log(share / (1.0 - share)))
    if latent != "therapist_view":
        z = (seen["alliance"].to_numpy() - p.alliance.mean) / p.alliance.patient_sd
        logit += r.per_alliance_sd * z
        logit += r.before_dropout * seen["is_before_dropout"].to_numpy()
    return 1.0 / (1.0 + np.exp(-logit))


def _scores(rng: Generator, seen: pl.DataFrame, instrument: Instrument) -> FloatArray:
    episode = seen["episode_no"].to_numpy()
    person = rng.normal(0.0, 1.0, int(episode.max(initial=0)) + 1)[episode]
    return (
        instrument.reference
        + instrument.per_point * (seen[instrument.latent].to_numpy() - CENTRE[instrument.latent])
        + instrument.person_sd * person
        + instrument.noise_sd * rng.normal(0.0, 1.0, seen.height)
    )


def _forms_of(
    rng: Generator,
    seen: pl.DataFrame,
    returned: dict[str, _Returned],
    name: str,
    every: int,
    p: Parameters,
    as_of: date,
) -> pl.DataFrame:
    instrument = p.instruments[name]
    scores = _scores(rng, seen, instrument)
    back = returned[instrument.latent]
    asked = (seen["session_no"].to_numpy() - 1) % every == 0
    filled = asked & (back.chance >= _missing_chance(seen, instrument.latent, p))
    answers = draw_answers(rng, scores[filled], instrument)
    frame = (
        seen.filter(pl.Series(filled))
        .with_columns(
            minutes=pl.Series(back.minutes[filled]), lag=pl.Series(back.entered_days[filled])
        )
        .with_columns(answered_at=pl.col("planned_at") + pl.duration(minutes="minutes"))
        .with_columns(entered_on=pl.col("answered_at").dt.date() + pl.duration(days="lag"))
        .select(*FORM_KEYS, "planned_on", "answered_at", "entered_on")
        .hstack(_answer_columns(answers))
    )
    known = frame.filter(pl.col("entered_on") <= as_of)
    return plant(rng, known, name, instrument, p.faults, as_of)


def _answer_columns(answers: FloatArray) -> list[pl.Series]:
    columns = (pl.Series(f"i{k + 1}", answers[:, k].copy()) for k in range(answers.shape[1]))
    return [column.fill_nan(None) for column in columns]
