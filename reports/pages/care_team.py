"""Pages for a therapist and their supervisor: a folder for each therapist, row level, nobody else's."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from reports.pages.shared import Page, has_page, page_path, shared, stem
from reports.rows import Row, Tables, in_order

FRONT: Final = "index.html"
OPEN_COURSES: Final = "open-courses.html"
WORKLIST: Final = "worklist.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for the care team, a front page in each folder that has any other."""
    folders: dict[str, list[Page]] = {}
    for list_pages in LISTS:
        for page in list_pages(tables):
            folders.setdefault(page.path.partition("/")[0], []).append(page)
    therapists = {stem(row): row for row in tables["open_course"]}
    for folder, listed in sorted(folders.items()):
        front = partial(_front, tables, therapists[folder], listed)
        yield Page(f"{folder}/{FRONT}", "care_front.html.j2", front, "Your patients")
        yield from listed


def _front(tables: Tables, therapist: Row, listed: list[Page]) -> dict[str, Any]:
    return _own(tables, therapist, "care_front") | {
        "listed": [(page.path.partition("/")[2], page.name) for page in listed],
    }


def _own(tables: Tables, therapist: Row, page: str) -> dict[str, Any]:
    """Gives what every page in a therapist's folder says."""
    return shared(tables, page, therapist["clinic_id"]) | {
        "root": "../../managers/",
        "therapist": therapist,
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
    own = [
        page_path(row)
        for row in tables["therapist"]
        if row["therapist_id"] == courses[0]["therapist_id"] and has_page(tables, row)
    ]
    return _own(tables, courses[0], "care_team") | {
        "figures_path": own[0] if own else None,
        "courses": [
            {
                **course,
                "alliance": drawn.get((course["episode_id"], "alliance")),
                "symptom": drawn.get((course["episode_id"], "symptom")),
            }
            for course in courses
        ],
    }


def worklists(tables: Tables) -> Iterator[Page]:
    """Lists the worklists: whom to think of this week."""
    for head in in_order(tables, "worklist_page", "page"):
        gather = partial(_worklist, tables, head)
        yield Page(f"{stem(head)}/{WORKLIST}", "worklist.html.j2", gather, "Worklist")


def _worklist(tables: Tables, head: Row) -> dict[str, Any]:
    return _own(tables, head, "worklist") | {
        "head": head,
        "courses": [
            row
            for row in in_order(tables, "worklist", "section", "place")
            if row["therapist_id"] == head["therapist_id"]
        ],
    }


# What stands in a therapist's folder, in the order of its navigation.
LISTS: Final[tuple[Callable[[Tables], Iterator[Page]], ...]] = (worklists, open_courses)
