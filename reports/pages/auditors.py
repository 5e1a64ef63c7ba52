"""Pages that stand with the tables of the night: row level, for auditors."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from reports.pages.shared import Page, by_clinic, shared
from reports.rows import Tables, in_order

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


def _front(tables: Tables) -> dict[str, Any]:
    return shared(tables, "audit_front") | _BESIDE


def _scores(tables: Tables) -> dict[str, Any]:
    forms = in_order(tables, "scored_form", "form_order")
    return shared(tables, "scores") | _BESIDE | {"groups": by_clinic(forms)}


def _review(tables: Tables) -> dict[str, Any]:
    flags = in_order(tables, "risk_flag", "flag_order")
    worse = in_order(tables, "deterioration", "review_order")
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
            "flags": by_clinic(flags),
            "worse": by_clinic(worse),
        }
    )
