"""Turning pages into HTML text; whoever calls writes the files."""

import datetime
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.language import _, counted, spoken
from reports.pages import Page, audit_pages, care_team_pages, pages
from reports.rows import Tables

UNKNOWN: Final = "–"


def render_site(
    tables: Tables, progress: Callable[[], None] | None = None
) -> Iterator[tuple[str, str]]:
    """Yields every page of the site as (relative path, HTML), the overview first.

    `tables` maps the bare name of each report table (night, clinic, therapist, figure, fix_list,
    delivery, definition, instrument) to its rows, in any order; `progress` is called once per page.
    The same rows give the same bytes. Raises KeyError where a table is missing, jinja2's
    UndefinedError where a column is, ValueError for a page name that is not a plain file stem.
    """
    for path, text in _render(pages(tables)):
        yield path, text
        if progress is not None:
            progress()


def render_audit(tables: Tables) -> Iterator[tuple[str, str]]:
    """Yields the pages that stand in the audit folder, beside the site's own; see `render_site`."""
    return _render(audit_pages(tables))


def render_care_team(tables: Tables) -> Iterator[tuple[str, str]]:
    """Yields the pages of open courses, one per therapist; see `render_site`."""
    return _render(care_team_pages(tables))


def _render(listed: Iterator[Page]) -> Iterator[tuple[str, str]]:
    environment = _environment()
    for page in listed:
        template = environment.get_template(page.template, globals={"day": _day, "spoken": spoken})
        yield page.path, template.render(page.data())


def count_pages(tables: Tables) -> int:
    """Counts the pages `render_site` will yield, for a progress bar."""
    return sum(1 for _ in pages(tables))


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
    environment.install_gettext_callables(_, counted, newstyle=False)  # pyright: ignore[reportAttributeAccessIssue]
    return environment


def _shown(cell: Any) -> Any:
    """Prints what is not known as a dash; it is never an empty cell and never zero."""
    return UNKNOWN if cell is None else cell


def _day(date: datetime.date | None) -> Markup | None:
    """Writes a date as people say it, with the machine's form beside it."""
    if date is None:
        return None
    return Markup('<time datetime="{}">{}</time>').format(date.isoformat(), spoken().day(date))
