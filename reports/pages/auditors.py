"""Pages that stand with the tables of the night: row level, for auditors."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from reports.pages.shared import Page, by_clinic, shared, stem
from reports.rows import Row, Tables, in_order

# Auditors read the managers' pages too.
_BESIDE: Final = {"root": "../managers/"}
FRONT: Final = "index.html"
SCORES: Final = "scores.html"
REVIEW: Final = "review.html"


def pages(tables: Tables) -> Iterator[Page]:
    """Lists every page for auditors."""
    yield Page(FRONT, "audit_front.html.j2", partial(_front, tables), "The trail")
    yield Page(SCORES, "scores.html.j2", partial(_scores, tables), "Scores")
    yield Page(REVIEW, "review.html.j2", partial(_review, tables), "For review")
    for clinic in in_order(tables, "clinic", "clinic_name", "clinic_id"):
        gather = partial(_clinic_review, tables, clinic)
        yield Page(_review_path(clinic), "review_clinic.html.j2", gather)


def _front(tables: Tables) -> dict[str, Any]:
    return shared(tables, "audit_front") | _BESIDE


def _scores(tables: Tables) -> dict[str, Any]:
    forms = in_order(tables, "scored_form", "form_order")
    return shared(tables, "scores") | _BESIDE | {"groups": by_clinic(forms)}


def _review(tables: Tables) -> dict[str, Any]:
    cases = {
        name: Counter(row["clinic_id"] for row in tables[name])
        for name in ("risk_flag", "deterioration")
    }
    return (
        shared(tables, "review")
        | _BESIDE
        | {
            "refused": in_order(
                tables, "refused_risk", "clinic_name", "file_name", "delivery_id", "message"
            ),
            "unread": in_order(
                tables, "unread_risk", "clinic_name", "read_on", "file_name", "delivery_id"
            ),
            "clinics": [
                {
                    "name": clinic["clinic_name"],
                    "path": _review_path(clinic),
                    "n_flags": cases["risk_flag"][clinic["clinic_id"]],
                    "n_worse": cases["deterioration"][clinic["clinic_id"]],
                }
                for clinic in in_order(tables, "clinic", "clinic_name", "clinic_id")
            ],
        }
    )


def _review_path(clinic: Row) -> str:
    return f"review.{stem(clinic)}.html"


def _clinic_review(tables: Tables, clinic: Row) -> dict[str, Any]:
    """Gathers one clinic's cases; a service has too many for one page."""
    of_it = {
        name: [
            row for row in in_order(tables, table, order) if row["clinic_id"] == clinic["clinic_id"]
        ]
        for name, table, order in (
            ("flags", "risk_flag", "flag_order"),
            ("worse", "deterioration", "review_order"),
        )
    }
    about = {"clinic": clinic, **of_it}
    return shared(tables, "review", clinic["clinic_id"]) | _BESIDE | about
