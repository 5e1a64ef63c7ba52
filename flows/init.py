"""A new workspace, commented, with all defaults shown, and the table in which clinics log what they did."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import schemas
from flows.errors import WorkspaceError
from flows.workspace import Workspace

TEMPLATE = Path(__file__).with_name("rapport.template.toml")
# The log of actions: an empty table, and the source that reads it.
ACTIONS = tuple(Path(__file__).with_name(f"actions.template.{kind}") for kind in ("csv", "toml"))
DEFAULTS = Path(schemas.__file__).with_name("defaults.toml")


def make_workspace(
    workspace: Workspace, name: str, key: bytes | None = None, more_settings: str = ""
) -> None:
    """Create the folders, the settings, the pseudonymisation key and the templates for clinics.

    Args:
        workspace: where; must not hold a workspace yet.
        name: of the service, printed on every page.
        key: pseudonymisation key; made at random where None.
        more_settings: TOML put behind the commented defaults.

    Raises:
        WorkspaceError: when there is a workspace already, or the folder cannot be made.
    """
    if workspace.settings.exists() or workspace.key_path.exists():
        raise WorkspaceError(f"{workspace.root}: there is a workspace already")
    try:
        workspace.make_folders()
        workspace.write_key(key)
        workspace.settings.write_text(_settings(name) + more_settings, encoding="utf-8")
        workspace.templates.mkdir(exist_ok=True)
        for template in ACTIONS:
            copy = workspace.templates / template.name.replace(".template", "")
            copy.write_bytes(template.read_bytes())
    except OSError as error:
        raise WorkspaceError(f"{workspace.root}: cannot be written ({error.strerror})") from None


def _settings(name: str) -> str:
    """The settings file with every threshold as a comment: name, default, source."""
    defaults = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    lines = [
        f"# {key} = {entry['value']}".ljust(36) + f" # {entry['source']}"
        for key, entry in defaults.items()
        if not isinstance(entry["value"], list)
    ]
    # A TOML string is written as a JSON one.
    quoted = json.dumps(name, ensure_ascii=False)
    text = TEMPLATE.read_text(encoding="utf-8").replace('"@NAME@"', quoted)
    return text.replace("@THRESHOLDS@", "\n".join(lines))
