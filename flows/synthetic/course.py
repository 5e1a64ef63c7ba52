"""The hidden course of every treatment: alliance, ruptures, symptoms, chance of dropping out."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flows.synthetic.parameters import Parameters

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

COMPLETED, DROPOUT, TRANSFERRED, SERVICE_ENDED, DIED_OTHER = range(5)
END_REASONS = ("completed", "dropout", "transferred", "service_ended", "died_other")
NO_APPOINTMENT, ATTENDED, NO_SHOW, CANCELLED_BY_PATIENT, CANCELLED_BY_SERVICE, TOO_LATE = range(6)


@dataclass(frozen=True)
class TherapistEffects:
    """True effects, one value per therapist of the service."""

    alliance: FloatArray
    symptoms: FloatArray
    dropout: FloatArray


@dataclass(frozen=True)
class Intake:
    """What is fixed when treatment starts, one value per episode."""

    first_therapist: IntArray
    second_therapist: IntArray
    switch_after: IntArray  # sessions with the first therapist; larger than any course where none
    never_started: BoolArray
    alliance_level: FloatArray
    view_bias: FloatArray
    symptoms: FloatArray
    slope_noise: FloatArray
    planned_sessions: IntArray


@dataclass(frozen=True)
class Course:
    """Arrays (session ordinal, episode); values after `last_session` never happened."""

    therapist: IntArray
    alliance: FloatArray
    within: FloatArray
    rupture_depth: FloatArray
    rupture_onset: BoolArray
    therapist_view: FloatArray
    symptoms: FloatArray
    missed_just_before: IntArray
    missed_earlier: IntArray
    hazard: FloatArray
    last_session: IntArray  # per episode; 0 = never seen
    end_kind: IntArray  # per episode, index into END_REASONS


def _draw_misses(rng: Generator, shape: tuple[int, int], p: Parameters) -> IntArray:
    d = p.diary
    edges = np.cumsum(
        [d.no_show, d.cancelled_by_patient, d.cancelled_by_service, d.too_late_not_seen]
    )
    kinds = np.array([NO_SHOW, CANCELLED_BY_PATIENT, CANCELLED_BY_SERVICE, TOO_LATE, 0])
    return kinds[np.searchsorted(edges, rng.random(shape), side="right")]


def _autoregress(
    rng: Generator, old: FloatArray | None, n: int, phi: float, sd: float
) -> FloatArray:
    fresh = rng.normal(0.0, sd, n)
    return fresh if old is None else phi * old + np.sqrt(1.0 - phi**2) * fresh


def _step_ruptures(
    rng: Generator, depth: FloatArray, session: int, p: Parameters
) -> tuple[FloatArray, BoolArray]:
    n = len(depth)
    was_open = depth > 0
    repaired = was_open & (rng.random(n) < p.rupture.repair)
    onset = ~was_open & (rng.random(n) < p.rupture.onset) & (session >= 2)
    fresh = np.maximum(rng.normal(p.rupture.depth_mean, p.rupture.depth_sd, n), 0.1)
    return np.where(onset, fresh, np.where(repaired, 0.0, depth)), onset


def _hazard(
    p: Parameters,
    session: int,
    level: FloatArray,
    within: FloatArray,
    depth: FloatArray,
    symptoms: FloatArray,
    missed: IntArray,
    effect: FloatArray,
) -> FloatArray:
    d = p.dropout
    base = d.base[session - 1] if session <= len(d.base) else d.base_later
    level_sd = np.hypot(p.alliance.therapist_sd, p.alliance.patient_sd)
    logit = (
        base
        + effect
        + d.per_alliance_sd * level / level_sd
        + d.per_within_sd * within / p.alliance.ar_sd
        + d.open_rupture * (depth > 0)
        + d.per_three_points * (symptoms - d.severity_centre) / 3.0
        + d.after_no_show * (missed == NO_SHOW)
    )
    return 1.0 / (1.0 + np.exp(-logit))


def _end_after(
    rng: Generator, p: Parameters, session: int, planned: IntArray, hazard: FloatArray
) -> IntArray:
    """Kind of ending after this session, -1 where treatment goes on."""
    e = p.ending
    u = rng.random(len(planned))
    rare = np.cumsum([e.transferred, e.service_ended, e.died_other])
    kind = np.full(len(planned), -1, dtype=np.int64)
    for code, edge in zip((DIED_OTHER, SERVICE_ENDED, TRANSFERRED), rare[::-1], strict=True):
        kind[u < edge] = code
    kind[rng.random(len(planned)) < hazard] = DROPOUT
    kind[planned <= session] = COMPLETED
    return kind


def run_course(rng: Generator, intake: Intake, effects: TherapistEffects, p: Parameters) -> Course:
    """Run all treatments to their end; the only loop is over session ordinals (at most the cap)."""
    # Longer than usual: one model, read top to bottom, is clearer than its pieces passed around.
    n, sessions = len(intake.symptoms), p.ending.planned_cap
    shape = (sessions, n)
    a, s, v = p.alliance, p.symptoms, p.therapist_view
    real = {
        k: np.zeros(shape) for k in ("alliance", "within", "depth", "view", "symptoms", "hazard")
    }
    onset_at, therapist = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    just_before, earlier = _draw_misses(rng, shape, p), _draw_misses(rng, shape, p)
    earlier[just_before == NO_APPOINTMENT] = NO_APPOINTMENT
    last = np.where(intake.never_started, 0, sessions)
    end_kind = np.where(intake.never_started, DROPOUT, -1)
    within: FloatArray | None = None
    noise: FloatArray | None = None
    depth, deviation = np.zeros(n), np.zeros(n)
    for t in range(sessions):
        log_t = np.log(t + 1.0)
        who = np.where(t < intake.switch_after, intake.first_therapist, intake.second_therapist)
        level = effects.alliance[who] + intake.alliance_level
        slope = (
            s.per_log_session
            + effects.symptoms[who]
            + s.per_alliance_sd * intake.alliance_level / a.patient_sd
            + intake.slope_noise
        )
        noise = _autoregress(rng, noise, n, s.ar_phi, s.ar_sd)
        symptoms = intake.symptoms + slope * log_t + s.per_alliance_deviation * deviation + noise
        within = _autoregress(rng, within, n, a.ar_phi, a.ar_sd)
        depth, onset_at[t] = _step_ruptures(rng, depth, t + 1, p)
        deviation = within - depth
        hazard = _hazard(
            p, t + 1, level, within, depth, symptoms, just_before[t], effects.dropout[who]
        )
        ends = _end_after(rng, p, t + 1, intake.planned_sessions, hazard)
        ends_now = (end_kind < 0) & (ends >= 0)
        last, end_kind = np.where(ends_now, t + 1, last), np.where(ends_now, ends, end_kind)
        therapist[t], real["depth"][t], real["within"][t] = who, depth, within
        real["alliance"][t] = a.mean + level + a.per_log_session * log_t + deviation
        real["view"][t] = a.mean + v.between * level + v.within * deviation + intake.view_bias
        real["symptoms"][t], real["hazard"][t] = symptoms, hazard
    return Course(
        therapist=therapist,
        alliance=real["alliance"],
        within=real["within"],
        rupture_depth=real["depth"],
        rupture_onset=onset_at,
        therapist_view=real["view"],
        symptoms=real["symptoms"],
        missed_just_before=just_before,
        missed_earlier=earlier,
        hazard=real["hazard"],
        last_session=last,
        end_kind=end_kind,
    )
