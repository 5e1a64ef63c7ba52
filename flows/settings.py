"""rapport.toml: the only reader of settings, as one typed, frozen object."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from flows.errors import SettingsError
from flows.workspace import Workspace
from schemas.export_format import describe_fault


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(_Strict):
    """Who this service is, and whose clock counts."""

    name: str = Field(min_length=1)
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name} is not a time zone") from error
        return name


class InboxSettings(_Strict):
    """When a dropped file counts as complete.

    Attributes:
        settle_seconds: size and time of change must stand still for so long.
        done_marker: a file counts only once `<name>.done` lies beside it.
    """

    settle_seconds: float = Field(default=2, ge=0, le=3600)
    done_marker: bool = False


class Protocol(_Strict):
    """A form the service expects, and how often."""

    clinic: str
    instrument: str
    every: int | Literal["session", "first_last"] = "session"

    def sessions(self) -> int | None:
        """Every how many sessions; None means first and last only."""
        if self.every == "first_last":
            return None
        return 1 if self.every == "session" else self.every


class OutcomeSettings(_Strict):
    """Which instrument decides an episode's outcome where several were filled in: first one wins."""

    preference: tuple[str, ...] = ()


class InstrumentSettings(_Strict):
    """Instruments that are in the registry and not to be scored here."""

    disabled: tuple[str, ...] = ()


class Settings(_Strict):
    """Everything rapport.toml may say."""

    service: ServiceSettings
    inbox: InboxSettings = InboxSettings()
    protocol: tuple[Protocol, ...] = ()
    outcome: OutcomeSettings = OutcomeSettings()
    instruments: InstrumentSettings = InstrumentSettings()
    thresholds: dict[str, Decimal] = {}


def read_settings(workspace: Workspace) -> Settings:
    """Read and check rapport.toml.

    Raises:
        SettingsError: with every fault, each beginning with its dotted path.
    """
    name = workspace.settings.name
    try:
        content = tomllib.loads(workspace.settings.read_text(encoding="utf-8"), parse_float=Decimal)
        return Settings.model_validate(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: is not TOML: {error}") from None
    except ValidationError as error:
        raise SettingsError([describe_fault(name, fault) for fault in error.errors()]) from None
