"""Pages for supervisors: the pages of the therapists whom they oversee, and of nobody else.

They are the pages that stand in the therapists' own folders, with nothing added: what a therapist may
not be shown, their supervisor is not shown either.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from reports import folder_words, words
from reports.pages.shared import FRONT, Page, called, shared, to_do
from reports.rows import Row, Tables, in_order

FOLDER: Final = "supervisor-"
# What a therapist's pages are called by another reader.
NAMES: Final = {
    "worklist.html": "Worklist",
    "open-courses.html": "Open courses",
    "figures.html": "Figures",
}
Folders = Mapping[str, Sequence[Page]]


def of(tables: Tables, therapist: Row) -> list[str]:
    """Lists the codes of those who oversee a therapist."""
    return sorted(
        row["supervisor"]
        for row in tables["supervision"]
        if row["therapist_id"] == therapist["therapist_id"]
    )


def pages(tables: Tables, therapists: Mapping[str, Row], folders: Folders) -> Iterator[Page]:
    """Lists a folder for each supervisor: a front page, and what stands in the folders of theirs.

    Args:
        tables: the report tables, with those of the edge.
        therapists: by the stem of their folder.
        folders: the pages of every therapist's folder, by its stem.
    """
    stems = {therapists[folder]["therapist_id"]: folder for folder in folders}
    overseen: dict[str, list[str]] = {}
    for row in in_order(tables, "supervision", "supervisor", "list_order"):
        overseen.setdefault(row["supervisor"], []).append(row["therapist_id"])
    for code, ids in overseen.items():
        theirs = [stems[therapist_id] for therapist_id in ids if therapist_id in stems]
        listed = {folder: _listed(folder, folders[folder]) for folder in theirs}
        overseen_pages = [(therapists[folder], files) for folder, files in listed.items()]
        front = partial(_front, tables, code, overseen_pages, len(ids) - len(theirs))
        yield Page(f"{FOLDER}{code}/{FRONT}", "supervisor.html.j2", front, "Whom you supervise")
        for folder, files in listed.items():
            for (file, _), page in zip(files, folders[folder], strict=True):
                gather = partial(_theirs, page.data, code)
                yield Page(f"{FOLDER}{code}/{file}", page.template, gather)


def _listed(folder: str, theirs: Sequence[Page]) -> list[tuple[str, str]]:
    """Gives the pages of a therapist as (file, what it holds), whosoever reads it."""
    files = [page.path.partition("/")[2] for page in theirs]
    return [(f"{folder}.{file}", NAMES[file]) for file in files]


def _front(
    tables: Tables,
    code: str,
    listed: Sequence[tuple[Row, list[tuple[str, str]]]],
    n_without: int,
) -> dict[str, Any]:
    return shared(tables, "supervisor") | {
        "root": "../../managers/",
        "home": (FRONT, words.SUPERVISOR.format(code)),
        "folder_words": folder_words,
        "n_without": n_without,
        "overseen": [
            {
                "name": called(tables, therapist),
                "code": therapist["label"],
                "listed": pages,
                **to_do(tables, therapist),
            }
            for therapist, pages in listed
        ],
    }


def _theirs(gather: Callable[[], dict[str, Any]], code: str) -> dict[str, Any]:
    """Gives what a therapist's own page shows, for the folder of their supervisor."""
    front = (FRONT, words.SUPERVISOR.format(code))
    return gather() | {"home": front, "audience": words.AUDIENCE["supervisor"]}
