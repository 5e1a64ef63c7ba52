"""Turning pages into HTML text; whoever calls writes the files."""

import base64
import datetime
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.exports import Exports, export, exporting
from reports.language import _, counted, spoken
from reports.pages import AUDIENCES
from reports.pages.shared import Page
from reports.rows import Tables

UNKNOWN: Final = "–"
QUESTIONNAIRE: Final = re.compile(r"\([^\s()]+\)$")
CARE_TEAM: Final = "care_team"


def render(
    audience: str,
    tables: Tables,
    progress: Callable[[], None] | None = None,
    keep: Callable[[str, str], object] | None = None,
) -> Iterator[tuple[str, str]]:
    """Yields every page of an audience as (path in its folder, HTML), the front page first.

    `tables` maps the bare name of each report table (night, clinic, therapist, figure, fix_list,
    delivery, definition, instrument) to its rows, in any order; `progress` is called once per page,
    `keep` with the path and the text of every CSV file that a page leads to.
    The same rows give the same bytes. Raises KeyError where a table is missing, jinja2's
    UndefinedError where a column is, ValueError for a page name that is not a plain file stem.
    """
    environment = _environment()
    listed = list(AUDIENCES[audience](tables))
    for page in listed:
        template = environment.get_template(page.template)
        # What is told of single patients stays on the page.
        exports = None if audience == CARE_TEAM else Exports(page.path)
        with exporting(exports):
            text = template.render(
                page.data() | {"nav": _nav(page, listed), "file": PurePosixPath(page.path).name}
            )
        yield page.path, text
        if exports is not None and keep is not None:
            for path, content in exports.files.items():
                keep(path, content)
        if progress is not None:
            progress()


def _nav(page: Page, listed: list[Page]) -> list[tuple[str, str, bool]]:
    """Where a page leads: the named pages of its own folder, and which of them it is itself."""
    folder = PurePosixPath(page.path).parent
    return [
        (PurePosixPath(other.path).name, other.name, other is page)
        for other in listed
        if other.name is not None and PurePosixPath(other.path).parent == folder
    ]


def count_pages(audience: str, tables: Tables) -> int:
    """Counts the pages `render` will yield, for a progress bar."""
    return len(list(AUDIENCES[audience](tables)))


def _script() -> tuple[Markup, Markup]:
    """Returns the one script of the pages, and the hash by which their policy lets it run."""
    source = files("reports").joinpath("templates", "sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    # Both are this program's own words.
    return Markup(source), Markup("'sha256-{}'").format(digest)  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    script, script_hash = _script()
    environment.globals |= {"day": _day, "spoken": spoken, "export": export}
    environment.filters["whole"] = _whole
    environment.globals |= {"script": script, "script_hash": script_hash}
    environment.install_gettext_callables(_, counted, newstyle=False)  # pyright: ignore[reportAttributeAccessIssue]
    return environment


def _shown(cell: Any) -> Any:
    """Prints what is not known as a dash; it is never an empty cell and never zero."""
    return UNKNOWN if cell is None else cell


def _whole(label: str) -> Markup | str:
    """Keeps the questionnaire at the end of a label, such as (GAD-7), on one line."""
    found = QUESTIONNAIRE.search(label)
    if found is None:
        return label
    return Markup('{}<span class="whole">{}</span>').format(label[: found.start()], found[0])


def _day(date: datetime.date | None) -> Markup | None:
    """Writes a date as people say it, with the machine's form beside it."""
    if date is None:
        return None
    return Markup('<time datetime="{}">{}</time>').format(date.isoformat(), spoken().day(date))
