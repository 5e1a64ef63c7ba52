"""The pages of a night, one folder for each audience; nothing leads from a wider folder into a narrower."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reports.pages import auditors, care_team, managers, public
from reports.pages.shared import Page
from reports.rows import Tables

AUDIENCES: Final[Mapping[str, Callable[[Tables], Iterator[Page]]]] = {
    "managers": managers.pages,
    "care_team": care_team.pages,
    "public": public.pages,
    "auditors": auditors.pages,
}
