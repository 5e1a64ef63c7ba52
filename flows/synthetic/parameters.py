"""Typed reader of parameters.toml."""

import tomllib
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar


@dataclass(frozen=True)
class Service:
    """Size of the whole service and the rare events of a treatment's administration."""

    start_days: int
    episodes_per_therapist_small: int
    returning_share: float
    switch_share: float
    never_started_share: float


@dataclass(frozen=True)
class Clinic:
    """Size of one clinic and how well it codes endings."""

    therapists: int
    therapists_small: int
    episodes: int
    times_large: int
    reason_coded: float


@dataclass(frozen=True)
class Alliance:
    """Patient-rated alliance, item mean 1-5."""

    mean: float
    therapist_sd: float
    patient_sd: float
    per_log_session: float
    ar_phi: float
    ar_sd: float


@dataclass(frozen=True)
class Rupture:
    """Sudden drops of the alliance and their repair."""

    onset: float
    depth_mean: float
    depth_sd: float
    repair: float


@dataclass(frozen=True)
class TherapistView:
    """How the therapist's rating follows the patient's."""

    between: float
    within: float
    bias_mean: float
    bias_sd: float


@dataclass(frozen=True)
class Symptoms:
    """Latent symptom course in PHQ-9 points."""

    intake_mean: float
    intake_sd: float
    per_log_session: float
    therapist_sd: float
    per_alliance_sd: float
    slope_sd: float
    per_alliance_deviation: float
    ar_phi: float
    ar_sd: float


@dataclass(frozen=True)
class Dropout:
    """Logit coefficients of an unagreed ending after a session."""

    base: list[float]
    base_later: float
    therapist_sd: float
    per_alliance_sd: float
    per_within_sd: float
    open_rupture: float
    per_three_points: float
    severity_centre: float
    after_no_show: float


@dataclass(frozen=True)
class Ending:
    """Planned length, competing endings, and how endings are recorded."""

    planned_minimum: int
    planned_shape: int
    planned_extra_mean: float
    planned_cap: int
    transferred: float
    service_ended: float
    died_other: float
    dropout_closed_after: list[int]
    no_end_record: float


@dataclass(frozen=True)
class Facts:
    """Who comes to treatment, and what the record leaves out."""

    female: float
    other_sex: float
    age_bands: dict[str, float]
    other_language: float
    other_languages: list[str]
    interpreter: float
    diagnosis_groups: dict[str, float]
    employment: dict[str, float]
    previous_treatment: float
    per_three_points: float
    not_recorded: float
    referral_days: list[int]
    video: float


@dataclass(frozen=True)
class Diary:
    """Appointments: attendance and spacing."""

    no_show: float
    cancelled_by_patient: float
    cancelled_by_service: float
    too_late_not_seen: float
    fortnightly: float
    jitter: float
    trailing_miss: float
    first_wait: list[int]


@dataclass(frozen=True)
class Returns:
    """Which forms come back, and when."""

    symptom_missing: float
    alliance_missing: float
    therapist_missing: float
    per_alliance_sd: float
    before_dropout: float
    answered_late: float
    entered_late: float
    partial: float


@dataclass(frozen=True)
class Faults:
    """How many errors are planted, how many answers corrected later."""

    share: float
    minimum: int
    corrected: int
    late: int


@dataclass(frozen=True)
class Instrument:
    """How a latent value becomes a score and item answers."""

    latent: Literal["symptoms", "alliance", "therapist_view"]
    items: int
    minimum: float
    maximum: float
    reversed: list[int]
    reference: float
    per_point: float
    person_sd: float
    noise_sd: float
    missing_item: float


@dataclass(frozen=True)
class Parameters:
    """All of parameters.toml."""

    service: Service
    clinics: dict[str, Clinic]
    alliance: Alliance
    rupture: Rupture
    therapist_view: TherapistView
    symptoms: Symptoms
    dropout: Dropout
    ending: Ending
    facts: Facts
    diary: Diary
    returns: Returns
    faults: Faults
    instruments: dict[str, Instrument]
    protocol: dict[str, dict[str, int]]
    names: dict[str, list[str]]


def enlarged(p: Parameters) -> Parameters:
    """The same clinics in a large service."""
    clinics = {
        clinic_id: replace(
            clinic,
            therapists=clinic.therapists * clinic.times_large,
            episodes=clinic.episodes * clinic.times_large,
        )
        for clinic_id, clinic in p.clinics.items()
    }
    return replace(p, clinics=clinics)


Group = TypeVar("Group")


def _each(kind: type[Group], tables: dict[str, Any]) -> dict[str, Group]:
    return {name: kind(**table) for name, table in tables.items()}


@cache
def load() -> Parameters:
    """Read the shipped parameters; an unknown or missing key raises TypeError."""
    text = files("flows.synthetic").joinpath("parameters.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    raw["clinics"] = _each(Clinic, raw["clinics"])
    raw["instruments"] = _each(Instrument, raw["instruments"])
    for field in fields(Parameters):
        if isinstance(field.type, type) and is_dataclass(field.type):
            raw[field.name] = _each(field.type, {field.name: raw[field.name]})[field.name]
    return Parameters(**raw)
