"""What the last night drew, kept so that tonight draws only what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from flows.program import program_hash
from flows.workspace import Workspace
from reports.drawings import Drawings, keeping
from reports.svg import Drawing

DRAWN_BY = ("altair", "vl-convert-python")


@contextmanager
def last_drawings(workspace: Workspace) -> Iterator[Drawings]:
    """Draw with what the last night drew at hand; keep what this one used, and nothing else.

    Drawings of another program are not used. The file can be deleted at any time: it saves work and
    decides nothing, so one that cannot be read is made anew.
    """
    with keeping(_read(workspace)) as drawings:
        yield drawings
    kept = {"program": _program(), "drawings": drawings.used}
    partial = workspace.drawings.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    partial.replace(workspace.drawings)


def _read(workspace: Workspace) -> dict[str, Drawing]:
    try:
        kept = json.loads(workspace.drawings.read_text(encoding="utf-8"))
        if kept["program"] != _program():
            return {}
        return {key: Drawing(*parts) for key, parts in kept["drawings"].items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _program() -> str:
    return " ".join([program_hash(), *(version(name) for name in DRAWN_BY)])
