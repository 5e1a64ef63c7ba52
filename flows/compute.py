"""Everything after reading: judge, score, model, measure, report, in one transaction."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from flows.alerts import keep_alerts
from flows.calendar import days_due, night_after
from flows.changes import fill_changes
from flows.errors import SettingsError, StreetError
from flows.model import build_models
from flows.night import Night, all_clinics, internal_fault
from flows.program import program_version
from flows.quality import judge_tables
from flows.reference import ReferenceFaults, Service, fill_reference, reference_faults
from flows.scores import build_scores
from flows.sql_files import BrokenTable, build
from flows.sql_header import HeaderFault
from flows.validate import clinic_rules
from flows.verdict import Unjudged
from flows.verify.nightly import check_agreement
from flows.warehouse import computing, transaction

# How far back missed deliveries are counted.
CALENDAR_REACH = timedelta(days=400)
STAGES = ("finding", "score", "model", "measure", "report")


def service_of(night: Night) -> Service:
    """What the settings say, in the words of the reference tables."""
    names = {}
    for clinic_id in all_clinics(night.workspace):
        try:
            rules, _ = clinic_rules(night.workspace, clinic_id, night.instruments, night.as_of)
            names[clinic_id] = rules.mapping.clinic.name or clinic_id
        except Exception:  # noqa: BLE001 - what is wrong with this mapping was said when it was read
            names[clinic_id] = clinic_id
    settings = night.settings
    agreed, risk = settings.governance.therapist_agreement, settings.governance.patient_risk
    return Service(
        name=settings.service.name,
        clinics=names,
        revision=night.revision,
        financial_year_starts=settings.service.financial_year_starts,
        program_version=program_version(),
        thresholds=settings.thresholds,
        deliveries_due=deliveries_due(night),
        protocol=[
            {"clinic": p.clinic, "instrument": p.instrument, "every": p.sessions()}
            for p in settings.protocol
        ],
        outcome_preference=settings.outcome.preference,
        disabled_instruments=settings.instruments.disabled,
        targets=settings.target,
        therapist_agreement=(agreed.reference, agreed.date) if agreed else None,
        patient_risk=(
            (
                risk.safety_owner,
                risk.legal_basis,
                risk.impact_assessment.reference,
                risk.impact_assessment.date,
            )
            if risk
            else None
        ),
    )


def deliveries_due(night: Night) -> list[tuple[str, date, date]]:
    """Clinic, day and night of every delivery due in the year up to tonight."""
    cron = night.settings.schedule.cron
    return [
        (calendar.clinic, day, due)
        for calendar in night.settings.calendar
        for day in days_due(calendar.days, night.as_of - CALENDAR_REACH, night.as_of)
        if (due := night_after(day, calendar.latest, cron)) <= night.as_of
    ]


def compute(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Score, model, measure and report, in one transaction.

    Raises:
        StreetError: naming the stage; the text of the engine's error is kept out, it may hold cells.
    """
    service = service_of(night)
    if faults := reference_faults(service, night.instruments):
        raise SettingsError([f"rapport.toml: {fault}" for fault in faults])
    stage = "reference"
    try:
        with computing(con), transaction(con):
            fill_reference(con, night.instruments, service, night.as_of)
            for stage in STAGES:
                night.progress.step(stage)
                if stage == "measure":
                    fill_changes(con, night)
                if stage == "score":
                    computed = build_scores(con, night.as_of)
                    night.progress.say(f"scores computed for {computed}")
                elif stage == "model":
                    build_models(con, night.as_of)
                else:
                    build(con, stage)
                if stage == "finding":
                    judge_tables(con)
                if stage == "measure":
                    _compute_again(con, night)
            keep_alerts(con, night.as_of, night.revision)
    except (BrokenTable, HeaderFault, ReferenceFaults, Unjudged) as error:
        raise StreetError(f"{stage}: {error}") from None
    except duckdb.Error as error:
        raise StreetError(f"{stage}: {internal_fault(error)}") from None


def _compute_again(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    night.progress.step("compute a sample again")
    for topic in check_agreement(con).topics:
        if not topic.is_good:
            night.progress.say(topic.line())
