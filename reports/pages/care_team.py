"""Pages for the care team: a folder for each therapist, row level, nobody else's, and one for each supervisor."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from reports import folder_words
from reports.pages import supervisors, units
from reports.pages.shared import FRONT, Page, by_number, called, has_page, shared, stem, to_do
from reports.rows import Figures, Row, Tables, in_order

OPEN_COURSES: Final = "open-courses.html"
FIGURES: Final = "figures.html"
WORKLIST: Final = "worklist.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for the care team, a front page in each folder that has any other."""
    folders: dict[str, list[Page]] = {}
    for list_pages in LISTS:
        for page in list_pages(tables):
            folders.setdefault(page.path.partition("/")[0], []).append(page)
    therapists = {stem(row): row for row in (*tables["therapist"], *tables["open_course"])}
    for folder, listed in sorted(folders.items()):
        front = partial(_front, tables, therapists[folder], listed)
        yield Page(f"{folder}/{FRONT}", "care_front.html.j2", front, "Your patients")
        yield from listed
    yield from supervisors.pages(tables, therapists, folders)


def _front(tables: Tables, therapist: Row, listed: list[Page]) -> dict[str, Any]:
    return in_folder(tables, therapist, "care_front") | {
        "folder_words": folder_words,
        "overseers": supervisors.of(tables, therapist),
        "listed": [(page.path.partition("/")[2], page.name) for page in listed],
        "own": to_do(tables, therapist),
    }


def in_folder(tables: Tables, therapist: Row, page: str) -> dict[str, Any]:
    """Gives what every page in a therapist's folder says; the name is in no other folder."""
    name = called(tables, therapist)
    return shared(tables, page, therapist["clinic_id"]) | {
        "root": "../../managers/",
        "home": (FRONT, name),
        "therapist": {**therapist, "label": name, "code": therapist["label"]},
    }


def open_courses(tables: Tables) -> Iterator[Page]:
    """Lists the pages of open courses."""
    by_folder: dict[str, list[Row]] = {}
    for row in in_order(tables, "open_course", "page", "course_order"):
        by_folder.setdefault(stem(row), []).append(row)
    for folder, courses in by_folder.items():
        gather = partial(_open_courses, tables, courses)
        yield Page(f"{folder}/{OPEN_COURSES}", "care_team.html.j2", gather, "Open courses")


def _open_courses(tables: Tables, courses: list[Row]) -> dict[str, Any]:
    drawn = {
        (row["episode_id"], row["kind"]): row
        for row in tables["course_line"]
        if row["line_order"] == 1
    }
    return in_folder(tables, courses[0], "care_team") | {
        "courses": [
            {
                **course,
                "alliance": drawn.get((course["episode_id"], "alliance")),
                "symptom": drawn.get((course["episode_id"], "symptom")),
            }
            for course in by_number(tables, courses)
        ],
    }


def own_figures(tables: Tables) -> Iterator[Page]:
    """Lists the pages of therapists' own figures, where there may be any."""
    figures = units.TherapistFigures(tables, Figures(tables["figure"]))
    for row in in_order(tables, "therapist", "clinic_id", "label", "therapist_id"):
        if has_page(tables, row):
            gather = partial(_own_figures, tables, figures, row)
            yield Page(f"{stem(row)}/{FIGURES}", "therapist.html.j2", gather, "Your figures")


def _own_figures(tables: Tables, figures: units.TherapistFigures, therapist: Row) -> dict[str, Any]:
    found = figures.gather(therapist)
    # What leads to the managers' pages of the clinic and of the methods is said in words here.
    apart = {"clinic": {**found["clinic"], "path": None}, "defined": frozenset[str]()}
    return found | in_folder(tables, therapist, "therapist") | apart


def worklists(tables: Tables) -> Iterator[Page]:
    """Lists the worklists: whom to think of this week."""
    for head in in_order(tables, "worklist_page", "page"):
        gather = partial(_worklist, tables, head)
        yield Page(f"{stem(head)}/{WORKLIST}", "worklist.html.j2", gather, "Worklist")


def _worklist(tables: Tables, head: Row) -> dict[str, Any]:
    return in_folder(tables, head, "worklist") | {
        "head": head,
        "courses": by_number(
            tables,
            [
                row
                for row in in_order(tables, "worklist", "section", "place")
                if row["therapist_id"] == head["therapist_id"]
            ],
        ),
    }


# What stands in a therapist's folder, in the order of its navigation.
LISTS: Final[tuple[Callable[[Tables], Iterator[Page]], ...]] = (
    worklists,
    open_courses,
    own_figures,
)
