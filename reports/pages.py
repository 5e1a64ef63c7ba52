"""The list of pages: which template, with which rows, at which path."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from reports import words
from reports.artist import Artist
from reports.rows import (
    Figures,
    Row,
    Tables,
    figure_key,
    in_order,
    levels_without_course,
    only_row,
)

STEM: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*")
OVERVIEW: Final = "index.html"
DATA_QUALITY: Final = "data-quality.html"
ALLIANCE: Final = "alliance.html"
ENDINGS: Final = "endings.html"
MODEL_CARD: Final = "model-card.html"
METHODS: Final = "methods.html"
ON_TRACK: Final = "on-track.html"
SCORES: Final = "scores.html"
REVIEW: Final = "review.html"


@dataclass(frozen=True)
class Page:
    """One page: its path in the site, its template, and a function that gathers its data."""

    path: str
    template: str
    data: Callable[[], dict[str, Any]]


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page of the site; data is gathered only when a page is rendered."""
    figures = Figures(tables["figure"])
    yield Page(OVERVIEW, "overview.html.j2", lambda: _overview(tables, figures))
    for clinic in in_order(tables, "clinic", "clinic_name", "clinic_id"):
        yield Page(
            page_path(clinic),
            "clinic.html.j2",
            lambda clinic=clinic: _clinic(tables, figures, clinic),
        )
    for therapist in in_order(tables, "therapist", "clinic_id", "label", "therapist_id"):
        if has_page(tables, therapist):
            yield Page(
                page_path(therapist),
                "therapist.html.j2",
                lambda row=therapist: _therapist(tables, figures, row),
            )
    yield Page(ALLIANCE, "alliance.html.j2", lambda: _alliance(tables))
    yield Page(ENDINGS, "endings.html.j2", lambda: _facts(tables, "endings", "ending_fact"))
    yield Page(
        MODEL_CARD,
        "model_card.html.j2",
        lambda: _facts(tables, "model_card", "model_fact", "model_test"),
    )
    yield Page(DATA_QUALITY, "data_quality.html.j2", lambda: _data_quality(tables))
    yield Page(ON_TRACK, "on_track.html.j2", lambda: _on_track(tables))
    yield Page(METHODS, "methods.html.j2", lambda: _methods(tables))


def audit_pages(tables: Tables) -> Iterator[Page]:
    """Lists the pages that stand with the audit snapshot: row level, not for managers."""
    yield Page(SCORES, "scores.html.j2", lambda: _scores(tables))
    yield Page(REVIEW, "review.html.j2", lambda: _review(tables))


def care_team_pages(tables: Tables) -> Iterator[Page]:
    """Lists the pages of open courses, one per therapist: row level, for the care team alone."""
    by_page: dict[str, list[Row]] = {}
    for row in in_order(tables, "open_course", "page", "course_order"):
        by_page.setdefault(page_path(row), []).append(row)
    for path, courses in by_page.items():
        yield Page(path, "care_team.html.j2", lambda courses=courses: _care_team(tables, courses))


def page_path(row: Row) -> str:
    """Returns the path of a unit's page; ValueError where its stem could leave the folder."""
    if not STEM.fullmatch(row["page"] or ""):
        raise ValueError(f"not a usable page name: {row['page']!r}")
    return f"{row['page']}.html"


def has_page(tables: Tables, therapist: Row) -> bool:
    """Says whether a therapist gets a page: never where the night withholds therapist figures."""
    is_withheld = only_row(tables, "night")["therapist_figures"] != "shown"
    return not is_withheld and therapist["has_page"] is True


def _overview(tables: Tables, figures: Figures) -> dict[str, Any]:
    service = figures.of("service", "service")
    draw = Artist("Whole service")
    return _shared(tables, "overview") | {
        "clinics": _clinics(tables),
        "completeness_chart": draw.completeness(service),
        "sections": draw.sections(service),
    }


def _clinic(tables: Tables, figures: Figures, clinic: Row) -> dict[str, Any]:
    own = figures.of("clinic", clinic["clinic_id"])
    draw = Artist("This clinic")
    fixes = [row for row in _fixes(tables) if row["clinic_id"] == clinic["clinic_id"]]
    therapists = [
        {**row, "path": page_path(row) if has_page(tables, row) else None}
        for row in in_order(tables, "therapist", "label", "therapist_id")
        if row["clinic_id"] == clinic["clinic_id"]
    ]
    return _shared(tables, "clinic", clinic["clinic_id"]) | {
        "clinic": clinic,
        "completeness_chart": draw.completeness(own),
        "comparisons": draw.comparisons(own),
        "sections": draw.sections(own),
        "therapists": therapists,
        "funnels": _funnels(tables, clinic, draw),
        "rejects": [row for row in fixes if row["severity"] == "reject"],
        "warnings": [row for row in fixes if row["severity"] != "reject"],
    }


def _funnels(tables: Tables, clinic: Row, draw: Artist) -> list[dict[str, Any]]:
    """Gives the service's funnels, the clinic's own points marked; none without therapist figures."""
    if only_row(tables, "night")["therapist_figures"] != "shown":
        return []
    points = in_order(tables, "funnel_point", "point")
    return [
        {
            "row": row,
            "chart": draw.funnel(
                row, [p for p in points if figure_key(p) == figure_key(row)], clinic["clinic_id"]
            )
            if row["is_drawn"]
            else None,
        }
        for row in in_order(tables, "funnel", "funnel_order", "instrument_id")
    ]


def _therapist(tables: Tables, figures: Figures, therapist: Row) -> dict[str, Any]:
    own = figures.of("therapist", therapist["therapist_id"])
    alone = levels_without_course(own)
    paired = [figure for figure in own if figure.key not in alone]
    # A therapist's quarter is a handful of courses: drawn, it would look like a trend.
    draw = Artist("This therapist", has_trends=False)
    clinic = next(row for row in tables["clinic"] if row["clinic_id"] == therapist["clinic_id"])
    return _shared(tables, "therapist", clinic["clinic_id"]) | {
        "therapist": therapist,
        "clinic": {**clinic, "path": page_path(clinic)},
        "comparisons": draw.comparisons(paired),
        "completeness_chart": draw.completeness(own),
        "sections": draw.sections(own, kept_back=alone),
        "compared": [
            row
            for row in in_order(tables, "comparison", "comparison_order", "instrument_id")
            if row["therapist_id"] == therapist["therapist_id"]
        ],
        "sums": [
            row
            for row in in_order(tables, "running_sum", "sum_order", "model_id")
            if row["therapist_id"] == therapist["therapist_id"]
        ],
    }


def _alliance(tables: Tables) -> dict[str, Any]:
    draw = Artist("Whole service")
    phases = in_order(tables, "alliance_phase", "instrument", "instrument_id", "phase")
    service = [row for row in phases if row["level"] == "service"]
    associations = in_order(tables, "association", "row_order")
    factors = in_order(tables, "patient_factor", "row_order")
    return _shared(tables, "alliance") | {
        "phases": draw.phases(service),
        "congruence": in_order(
            tables,
            "congruence",
            "patient_instrument_id",
            "therapist_instrument_id",
            "level",
            "unit_id",
        )[::-1],
        "topics": [
            {
                "id": topic,
                "title": title,
                "lead": lead,
                "rows": [row for row in associations if row["topic"] == topic],
            }
            for topic, title, lead in words.TOPICS
        ],
        "factors": [
            {"name": name, "rows": [row for row in factors if row["instrument"] == name]}
            for name in dict.fromkeys(row["instrument"] for row in factors)
        ],
    }


def _facts(tables: Tables, page: str, *names: str) -> dict[str, Any]:
    """Gathers the lines of a page by topic; a topic without lines has an empty list."""
    facts: defaultdict[str, list[Row]] = defaultdict(list)
    for name in names:
        for row in in_order(tables, name, "topic", "line_order"):
            facts[row["topic"]].append(row)
    return _shared(tables, page) | {"facts": facts}


def _data_quality(tables: Tables) -> dict[str, Any]:
    fixes = _fixes(tables)
    night = only_row(tables, "night")
    checks = in_order(tables, "table_check", "check_order")
    deliveries = in_order(tables, "delivery", "as_of", "clinic_id", "file_name", "sha256")
    return _shared(tables, "data_quality") | {
        "agreement": in_order(tables, "agreement", "agreement_order"),
        "clinics": _clinics(tables),
        "rejects": [row for row in fixes if row["severity"] == "reject"],
        "warnings": [row for row in fixes if row["severity"] != "reject"],
        "failed_checks": [row for row in checks if row["status"] == "failed"],
        "unjudged_checks": [row for row in checks if row["status"] == "not applicable"],
        "passed_checks": [row for row in checks if row["status"] == "passed"],
        "tonight": [row for row in deliveries if row["as_of"] == night["as_of"]],
        "earlier": [row for row in reversed(deliveries) if row["as_of"] != night["as_of"]],
    }


def _on_track(tables: Tables) -> dict[str, Any]:
    draw = Artist("Earlier patients")
    cells = in_order(tables, "expected_course", "instrument_id", "intake_band", "session_no")
    tests = in_order(tables, "track_test", "instrument_id", "figure_order")
    return _shared(tables, "on_track") | {
        "instruments": [
            {
                **row,
                "tests": [test for test in tests if test["instrument_id"] == row["instrument_id"]],
                "charts": draw.courses(
                    row["name"],
                    [cell for cell in cells if cell["instrument_id"] == row["instrument_id"]],
                ),
            }
            for row in in_order(tables, "track_rule", "name", "instrument_id")
        ],
    }


def _methods(tables: Tables) -> dict[str, Any]:
    return _shared(tables, "methods") | {
        "agreement": in_order(tables, "agreement", "agreement_order"),
        "definitions": in_order(tables, "definition", "label", "measure"),
        "instruments": in_order(tables, "instrument", "name", "instrument_id"),
        "do_not_conclude": words.DO_NOT_CONCLUDE,
    }


def _scores(tables: Tables) -> dict[str, Any]:
    forms = in_order(tables, "scored_form", "form_order")
    return _shared(tables, "scores") | {"root": "../reports/", "groups": _by_clinic(forms)}


def _review(tables: Tables) -> dict[str, Any]:
    flags = in_order(tables, "risk_flag", "flag_order")
    worse = in_order(tables, "deterioration", "review_order")
    return _shared(tables, "review") | {
        "root": "../reports/",
        "refused": in_order(
            tables, "refused_risk", "clinic_name", "file_name", "delivery_id", "message"
        ),
        "unread": in_order(
            tables, "unread_risk", "clinic_name", "read_on", "file_name", "delivery_id"
        ),
        "flags": _by_clinic(flags),
        "worse": _by_clinic(worse),
    }


def _by_clinic(rows: list[Row]) -> list[dict[str, Any]]:
    clinics = {row["clinic_id"]: row["clinic_name"] for row in rows}
    return [
        {"name": name, "rows": [row for row in rows if row["clinic_id"] == clinic_id]}
        for clinic_id, name in clinics.items()
    ]


def _care_team(tables: Tables, courses: list[Row]) -> dict[str, Any]:
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
    return _shared(tables, "care_team", courses[0]["clinic_id"]) | {
        "root": "../reports/",
        "figures_path": own[0] if own else None,
        "therapist": courses[0],
        "courses": [
            {
                **course,
                "alliance": drawn.get((course["episode_id"], "alliance")),
                "symptom": drawn.get((course["episode_id"], "symptom")),
            }
            for course in courses
        ],
    }


def _missing(tables: Tables, clinic_id: str | None) -> list[Row]:
    """Clinics whose night failed, among those that a page speaks about: one of them, or all."""
    return [
        row
        for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
        if row["state"] == "failed" and clinic_id in (None, row["clinic_id"])
    ]


def _shared(tables: Tables, page: str, clinic_id: str | None = None) -> dict[str, Any]:
    """Gives what every page says: the night, the audience, and which clinics its figures miss."""
    return {
        "night": only_row(tables, "night"),
        "audience": words.AUDIENCE[page],
        "page": page,
        "root": "",
        "words": words,
        "defined": {row["measure"] for row in tables["definition"]},
        "clinic_names": {row["clinic_id"]: row["clinic_name"] for row in tables["clinic"]},
        "missing_clinics": _missing(tables, clinic_id),
    }


def _clinics(tables: Tables) -> list[dict[str, Any]]:
    return [
        {**row, "path": page_path(row)}
        for row in in_order(tables, "clinic", "clinic_name", "clinic_id")
    ]


def _fixes(tables: Tables) -> list[Row]:
    columns = ("fix_order", "clinic_id", "file_name", "rule", "column_name")
    return in_order(tables, "fix_list", *columns)
