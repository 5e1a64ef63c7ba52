"""Draw what is fixed before a treatment starts: therapist effects and what patients bring along."""

import numpy as np
from numpy.random import Generator

from flows.synthetic.course import Intake, IntArray, TherapistEffects
from flows.synthetic.parameters import Parameters


def draw_effects(rng: Generator, n: int, p: Parameters, null_world: bool) -> TherapistEffects:
    """Draw therapist effects; in the null world all are exactly zero."""
    scale = 0.0 if null_world else 1.0
    return TherapistEffects(
        alliance=scale * rng.normal(0.0, p.alliance.therapist_sd, n),
        symptoms=scale * rng.normal(0.0, p.symptoms.therapist_sd, n),
        dropout=scale * rng.normal(0.0, p.dropout.therapist_sd, n),
    )


def draw_intake(rng: Generator, first: IntArray, colleague: IntArray, p: Parameters) -> Intake:
    """Draw what patients bring along, for one row per episode."""
    n = len(first)
    shape = p.ending.planned_shape
    chance = shape / (shape + p.ending.planned_extra_mean)
    planned = p.ending.planned_minimum + rng.negative_binomial(shape, chance, n)
    switches = rng.random(n) < p.service.switch_share
    return Intake(
        first_therapist=first,
        second_therapist=colleague,
        switch_after=np.where(switches, rng.integers(2, 8, n), p.ending.planned_cap + 1),
        never_started=rng.random(n) < p.service.never_started_share,
        alliance_level=rng.normal(0.0, p.alliance.patient_sd, n),
        view_bias=rng.normal(p.therapist_view.bias_mean, p.therapist_view.bias_sd, n),
        symptoms=rng.normal(p.symptoms.intake_mean, p.symptoms.intake_sd, n),
        slope_noise=rng.normal(0.0, p.symptoms.slope_sd, n),
        planned_sessions=np.minimum(planned, p.ending.planned_cap),
    )
