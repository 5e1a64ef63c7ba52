"""Who is told of a night: by mail or webhook, without a patient in it; and the heartbeat."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from flows.errors import RapportError
from flows.night import Outcome
from flows.settings import NotifySettings, read_settings
from flows.workspace import Workspace

TIMEOUT_SECONDS = 15


def tell_outcome(workspace: Workspace, outcome: Outcome) -> list[str]:
    """Tell of a published night where it needs attention; touch the heartbeat of a green one.

    Returns:
        What could not be told, one sentence each; a night does not fail for that.
    """
    settings = read_settings(workspace)
    notify, service = settings.notify, settings.service.name
    happened: dict[str, list[str]] = {
        "partly green": [f"clinic {c} failed: {why}" for c, why in sorted(outcome.failed.items())],
        "refused": [f"{c}: {name} is not used [{rule}]" for c, name, rule in outcome.refused],
        "late": [f"clinic {clinic} is late" for clinic in late_clinics(outcome)],
    }
    lines = [line for kind in notify.on for line in happened.get(kind, [])]
    problems = []
    if lines:
        where = f"Report: {outcome.front_page}"
        problems += _send(notify, f"{service}: night {outcome.as_of}", [*lines, where])
    if not outcome.failed:
        problems += _beat(notify)
    return problems


def tell_failure(workspace: Workspace, reason: str) -> list[str]:
    """Tell that a night was not published."""
    try:
        settings = read_settings(workspace)
    except RapportError:
        return ["settings cannot be read, so nobody can be told"]
    if "failed" not in settings.notify.on:
        return []
    title = f"{settings.service.name}: the night was not published"
    return _send(settings.notify, title, [reason, "The last green night stands."])


def late_clinics(outcome: Outcome) -> list[str]:
    """Clinics whose data end too long ago."""
    import json

    summary = json.loads((outcome.folder / "night.json").read_text(encoding="utf-8"))
    return [clinic["clinic_id"] for clinic in summary["clinics"] if clinic["is_late"]]


def _send(notify: NotifySettings, title: str, lines: list[str]) -> list[str]:
    if not notify.urls:
        return []
    import apprise

    sender = apprise.Apprise()
    wrong = [n for n, url in enumerate(notify.urls, start=1) if not sender.add(url)]
    problems = [f"notify.urls.{n}: is not a URL that apprise knows" for n in wrong]
    if len(sender) and not sender.notify(title=title, body="\n".join(lines)):
        problems.append("notify: not everybody could be told")
    return problems


def _beat(notify: NotifySettings) -> list[str]:
    target = notify.heartbeat
    if target is None:
        return []
    try:
        if target.startswith(("http://", "https://")):
            with urllib.request.urlopen(target, timeout=TIMEOUT_SECONDS):  # noqa: S310 - http(s) only
                pass
        else:
            Path(target).touch()
    except OSError as error:
        return [f"notify.heartbeat: {error.__class__.__name__}; the night itself is green"]
    return []
