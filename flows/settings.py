"""rapport.toml: the only reader of settings, as one typed, frozen object."""

from __future__ import annotations

import datetime
import os
import tomllib
from datetime import time
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from flows.calendar import is_cron
from flows.errors import SettingsError
from flows.targets import Target
from flows.workspace import Workspace
from reports.language import ENGLISH, languages
from schemas.mapping_faults import describe_fault

NoticeText = Annotated[str, Field(min_length=1, max_length=400)]
DayOfMonth = Annotated[int, Field(ge=1, le=31)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(_Strict):
    """Who this service is, whose clock and calendar count, and the language of its pages.

    Attributes:
        name: of the service, as printed.
        timezone: decides on which day a night falls.
        financial_year_starts: month with which its financial years and their quarters begin.
        language: pages are written in it.
    """

    name: str = Field(min_length=1)
    timezone: str = "UTC"
    financial_year_starts: int = Field(default=1, ge=1, le=12)
    language: str = ENGLISH

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name} is not a time zone") from error
        return name

    @field_validator("language")
    @classmethod
    def _known_language(cls, code: str) -> str:
        if code not in languages():
            raise ValueError(f"{code} is not a language of the pages: {', '.join(languages())}")
        return code


class InboxSettings(_Strict):
    """When a dropped file counts as complete.

    Attributes:
        settle_seconds: size and time of change must stand still for so long.
        done_marker: a file counts only once `<name>.done` lies beside it.
    """

    settle_seconds: float = Field(default=2, ge=0, le=3600)
    done_marker: bool = False


class ScheduleSettings(_Strict):
    """When the night starts, and when its absence is worth telling.

    Attributes:
        cron: five fields at the service's time zone; None: nights are run by hand, none is missed.
        grace_hours: so long after its start a night may be unfinished.
    """

    cron: str | None = None
    grace_hours: float = Field(default=6, ge=0, le=168)

    @field_validator("cron")
    @classmethod
    def _known_cron(cls, text: str | None) -> str | None:
        if text is not None and not is_cron(text):
            raise ValueError(f"{text} is not a cron expression of five fields")
        return text


class NotifySettings(_Strict):
    """Who is told of a night that needs attention, and what is touched after each green one.

    Attributes:
        urls: where to, in apprise's notation (mailto://, json://, ...).
        on: failed, partly green, late.
        heartbeat: URL that is asked for, or file that is touched, after each green night.
    """

    urls: tuple[str, ...] = ()
    on: tuple[Literal["failed", "partly green", "late", "refused"], ...] = (
        "failed",
        "partly green",
        "late",
    )
    heartbeat: str | None = None


class Protocol(_Strict):
    """A form the service expects, and how often."""

    clinic: str
    instrument: str
    every: Annotated[int, Field(ge=1)] | Literal["session", "first_last"] = "session"

    def sessions(self) -> int | None:
        """Every how many sessions; None means first and last only."""
        if self.every == "first_last":
            return None
        return 1 if self.every == "session" else self.every


class DeliveryCalendar(_Strict):
    """Days on which a clinic's export is due.

    Attributes:
        clinic: whose.
        days: weekdays (mon .. sun) or days of the month.
        latest: local time by which the files lie in the inbox; None: the end of the day.
    """

    clinic: str
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | DayOfMonth, ...] = Field(
        min_length=1
    )
    latest: time | None = None

    @field_validator("latest", mode="before")
    @classmethod
    def _known_time(cls, text: object) -> time | None:
        try:
            return text if isinstance(text, time) else time.fromisoformat(str(text))
        except ValueError as error:
            raise ValueError("is not a time of day like 22:00") from error


class OutcomeSettings(_Strict):
    """Which instrument decides an episode's outcome where several were filled in: first one wins."""

    preference: tuple[str, ...] = ()


class InstrumentSettings(_Strict):
    """Instruments that are in the registry and not to be scored here."""

    disabled: tuple[str, ...] = ()


class Agreement(_Strict):
    """A document that something rests on.

    Attributes:
        reference: where it is found, as people of the service would cite it.
        date: from when it holds.
    """

    reference: str = Field(min_length=1, max_length=200)
    date: datetime.date


class PatientRisk(_Strict):
    """What chances of single patients may be shown on; without it they are computed for tests alone.

    Attributes:
        safety_owner: who answers for the clinical safety of showing them.
        legal_basis: what allows it, as the service's lawyers would cite it.
        impact_assessment: the assessment of what it means for patients, and from when it holds.
    """

    safety_owner: str = Field(min_length=1, max_length=200)
    legal_basis: str = Field(min_length=1, max_length=200)
    impact_assessment: Agreement


class GovernanceSettings(_Strict):
    """What the service has agreed upon, and what the law asks it to state."""

    therapist_agreement: Agreement | None = None
    patient_risk: PatientRisk | None = None


class NoticeSettings(_Strict):
    """What the notice for patients says of the service; what is not stated, the clinic is to tell.

    Attributes:
        controller: who is responsible, with an address.
        contact: whom patients may ask.
        legal_basis: on what ground their data are processed.
        kept: how long they are kept.
    """

    controller: NoticeText | None = None
    contact: NoticeText | None = None
    legal_basis: NoticeText | None = None
    kept: NoticeText | None = None


class PrivacySettings(_Strict):
    """What is kept of whom beside the warehouse.

    Attributes:
        patient_numbers: the care team's pages show the clinic's own numbers of patients, which are
            kept in names/ for that.
    """

    patient_numbers: bool = True


class Settings(_Strict):
    """Everything rapport.toml may say."""

    service: ServiceSettings
    schedule: ScheduleSettings = ScheduleSettings()
    inbox: InboxSettings = InboxSettings()
    notify: NotifySettings = NotifySettings()
    calendar: tuple[DeliveryCalendar, ...] = ()
    protocol: tuple[Protocol, ...] = ()
    outcome: OutcomeSettings = OutcomeSettings()
    instruments: InstrumentSettings = InstrumentSettings()
    governance: GovernanceSettings = GovernanceSettings()
    notice: NoticeSettings = NoticeSettings()
    privacy: PrivacySettings = PrivacySettings()
    target: tuple[Target, ...] = ()
    thresholds: dict[str, Decimal] = {}

    @field_validator("calendar")
    @classmethod
    def _one_each(cls, calendars: tuple[DeliveryCalendar, ...]) -> tuple[DeliveryCalendar, ...]:
        clinics = [calendar.clinic for calendar in calendars]
        if twice := sorted({clinic for clinic in clinics if clinics.count(clinic) > 1}):
            raise ValueError(f"more than one for {', '.join(twice)}")
        return calendars


def prefect_api_url() -> str | None:
    """The Prefect API that the environment names."""
    return os.environ.get("PREFECT_API_URL") or None


def secret(name: str) -> str | None:
    """The password that the environment holds under a name; None where there is none."""
    return os.environ.get(name) or None


def inherited_environment() -> dict[str, str]:
    """The environment a child process inherits."""
    return dict(os.environ)


def read_settings(workspace: Workspace) -> Settings:
    """Read and check rapport.toml.

    Raises:
        SettingsError: with every fault, each beginning with its dotted path.
    """
    name = workspace.settings.name
    try:
        content = tomllib.loads(
            workspace.settings.read_text(encoding="utf-8-sig"), parse_float=Decimal
        )
        return Settings.model_validate(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{name}: is not TOML: {error}") from None
    except ValidationError as error:
        raise SettingsError([describe_fault(name, fault) for fault in error.errors()]) from None
