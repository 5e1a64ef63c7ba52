"""Pages for those who run the service and lead its clinics: figures, suppressed where few are behind."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any, Final

from reports import words
from reports.artist import Artist
from reports.pages import mend, over_time, units
from reports.pages.changed import changed, first_changes
from reports.pages.shared import Page, clinics, facts, fix_list, page_path, shared, stem
from reports.rows import Figures, Row, Tables, in_order, only_row

OVERVIEW: Final = "index.html"
CHANGED: Final = "changed.html"
ALLIANCE: Final = "alliance.html"
ON_TRACK: Final = "on-track.html"
ENDINGS: Final = "endings.html"
DATA_QUALITY: Final = "data-quality.html"
METHODS: Final = "methods.html"
MODEL_CARD: Final = "model-card.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for managers; data is gathered only when a page is rendered."""
    figures = Figures(tables["figure"], tables["target"])
    yield Page(OVERVIEW, "overview.html.j2", partial(_overview, tables, figures), "Overview")
    yield Page(CHANGED, "changes.html.j2", partial(changed, tables), "What changed")
    yield from over_time.pages(tables, figures)
    yield from units.pages(tables, figures)
    yield from mend.pages(tables)
    yield Page(ALLIANCE, "alliance.html.j2", partial(_alliance, tables), "Alliance")
    yield Page(ON_TRACK, "on_track.html.j2", partial(_on_track, tables), "On track")
    yield from _expected_courses(tables)
    yield Page(ENDINGS, "endings.html.j2", partial(_endings, tables), "Endings")
    yield Page(DATA_QUALITY, "data_quality.html.j2", partial(_data_quality, tables), "Data quality")
    yield Page(METHODS, "methods.html.j2", partial(_methods, tables), "Methods")
    yield Page(
        MODEL_CARD,
        "model_card.html.j2",
        partial(_model_card, tables),
    )


def _overview(tables: Tables, figures: Figures) -> dict[str, Any]:
    service = figures.of("service", "service")
    draw = Artist("Whole service")
    known = [f.year for f in service if f.year["measure"] == words.OUTCOME_KNOWN and f.is_shown]
    return (
        shared(tables, "overview")
        | first_changes(tables)
        | {
            "clinics": clinics(tables),
            "outcome_known": known[0] if known else None,
            "completeness_chart": draw.completeness(service),
            "sections": draw.sections(service),
        }
    )


def _alliance(tables: Tables) -> dict[str, Any]:
    draw = Artist("Whole service")
    phases = in_order(tables, "alliance_phase", "instrument", "instrument_id", "phase")
    service = [row for row in phases if row["level"] == "service"]
    associations = in_order(tables, "association", "row_order")
    factors = in_order(tables, "patient_factor", "row_order")
    return shared(tables, "alliance") | {
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
                "rows": [
                    row for row in associations if row["topic"] == topic and row["value_text"]
                ],
                # once for each questionnaire and reason, and not for every figure of it
                "withheld": dict.fromkeys(
                    (row["on_text"], row["note"])
                    for row in associations
                    if row["topic"] == topic and not row["value_text"]
                ),
            }
            for topic, title, lead in words.TOPICS
        ],
        "factors": [
            {"name": name, "rows": [row for row in factors if row["instrument"] == name]}
            for name in dict.fromkeys(row["instrument"] for row in factors)
        ],
    }


def _endings(tables: Tables) -> dict[str, Any]:
    points = in_order(tables, "incidence_point", "group_order", "group_id", "cause", "session_no")
    page = facts(tables, "endings", "ending_fact")
    return page | {
        "curves": Artist("Whole service").incidence(points),
        "sessions": _by_session(page["facts"]["by_session"]),
        "landmarks": _by_session(page["facts"]["by_alliance"]),
    }


def _by_session(lines: list[Row]) -> dict[str, Any]:
    """Puts the shares of one group and ending into one row, with a column for each number of sessions."""
    sessions = sorted({line["session_no"] for line in lines})
    rows: list[dict[str, Any]] = []
    for _, members in groupby(lines, key=lambda line: line["table_row"]):
        told = list(members)
        # where later sessions are kept back, the earlier ones still say what is counted
        counts = [line["n_text"] for line in told if line["n_text"]]
        rows.append(
            {
                "label": told[0]["label"],
                "what": told[0]["what"],
                "shares": {line["session_no"]: line["value_text"] for line in told},
                "n_text": counts[0] if counts else None,
            }
        )
    return {"sessions": sessions, "rows": rows}


def _model_card(tables: Tables) -> dict[str, Any]:
    points = in_order(tables, "calibration_curve", "curve_order")
    return facts(tables, "model_card", "model_fact", "model_test") | {
        "curve": Artist("Whole service").calibration(points)
    }


def _on_track(tables: Tables) -> dict[str, Any]:
    drawn = {cell["instrument_id"] for cell in tables["expected_course"]}
    tests = in_order(tables, "track_test", "instrument_id", "figure_order")
    return shared(tables, "on_track") | {
        "instruments": [
            {
                **row,
                "tests": [test for test in tests if test["instrument_id"] == row["instrument_id"]],
                "path": _course_path(row) if row["instrument_id"] in drawn else None,
            }
            for row in in_order(tables, "track_rule", "name", "instrument_id")
        ],
    }


def _course_path(instrument: Row) -> str:
    return f"on-track.{instrument['instrument_id'].replace('_', '-')}.html"


def _expected_courses(tables: Tables) -> Iterator[Page]:
    """Lists a page for each questionnaire with an expected course: there is a chart for each intake score."""
    cells = in_order(tables, "expected_course", "instrument_id", "intake_band", "session_no")
    rules = {row["instrument_id"]: row for row in tables["track_rule"]}
    for instrument_id, members in groupby(cells, key=lambda cell: cell["instrument_id"]):
        rule = rules[instrument_id]
        gather = partial(_expected_course, tables, rule, list(members))
        yield Page(_course_path(rule), "expected_course.html.j2", gather)


def _expected_course(tables: Tables, rule: Row, cells: list[Row]) -> dict[str, Any]:
    charts = Artist("Earlier patients").courses(rule["name"], cells)
    return shared(tables, "on_track") | {"instrument": rule, "charts": charts}


def _data_quality(tables: Tables) -> dict[str, Any]:
    fixes = fix_list(tables)
    night = only_row(tables, "night")
    checks = in_order(tables, "table_check", "check_order")
    deliveries = in_order(tables, "delivery", "as_of", "clinic_id", "file_name", "sha256")
    return shared(tables, "data_quality") | {
        "lists": [
            {**row, "path": page_path(row), "table": f"{stem(row)}.csv"}
            for row in in_order(tables, "fix_clinic", "clinic_name", "clinic_id")
        ],
        "agreement": in_order(tables, "agreement", "agreement_order"),
        "clinics": clinics(tables),
        "completeness": _completeness(tables),
        "rejects": [row for row in fixes if row["severity"] == "reject"],
        "warnings": [row for row in fixes if row["severity"] != "reject"],
        "failed_checks": [row for row in checks if row["status"] == "failed"],
        "unjudged_checks": [row for row in checks if row["status"] == "not applicable"],
        "passed_checks": [row for row in checks if row["status"] == "passed"],
        "tonight": [row for row in deliveries if row["as_of"] == night["as_of"]],
        "earlier": [row for row in reversed(deliveries) if row["as_of"] != night["as_of"]],
    }


def _completeness(tables: Tables) -> list[list[Row]]:
    """Gives the map of completeness as rows of cells: a clinic's questionnaire, month by month."""
    columns = ("clinic_name", "clinic_id", "instrument", "instrument_id")
    cells = in_order(tables, "completeness_month", *columns, "month_no")
    grouped = groupby(cells, key=lambda cell: [cell[column] for column in columns])
    return [list(members) for _, members in grouped]


def _methods(tables: Tables) -> dict[str, Any]:
    return shared(tables, "methods") | {
        "agreement": in_order(tables, "agreement", "agreement_order"),
        "definitions": in_order(tables, "definition", "label", "measure"),
        "instruments": in_order(tables, "instrument", "name", "instrument_id"),
        "do_not_conclude": words.DO_NOT_CONCLUDE,
    }
