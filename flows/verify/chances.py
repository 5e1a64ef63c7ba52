"""Chances that a session was the last, of the sampled patients: computed a second time."""

from __future__ import annotations

from collections import defaultdict

import duckdb

from flows.second.hazard import Coefficient, chances, leaves_within, recalibrated
from flows.verify.facts import IN_COURSES, Figures, rows

Models = dict[str, dict[str, Coefficient]]
CHANCES = ["dropout", "planned", "other", "dropout_within_five"]
IN_USE, HELD_OUT = "last_session", "held_out"
DROPOUT = f"{IN_USE}/dropout"


def stated_chances(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL says: family of models and session to chances."""
    found = rows(
        con,
        "from model.risk where session_id in"
        f" (select session_id from model.person_session {IN_COURSES})",
    )
    return {
        (row["family"], row["session_id"]): tuple(row[name] for name in CHANCES) for row in found
    }


def told_chances(con: duckdb.DuckDBPyConnection) -> Figures:
    """The same from the coefficients, session by session; what is known at each is taken as stated."""
    sessions = rows(
        con,
        "select session.*, row.session_id is not null as is_held_out"
        " from model.person_session as session"
        " left join model.hazard_row as row on row.session_id = session.session_id and row.is_held_out"
        f" {IN_COURSES} and session.clinic_id in"
        " (select clinic_id from model.reason_share where is_enough)",
    )
    told: Figures = {}
    for family, models in _models(con).items():
        for known in sessions:
            if models and (family == IN_USE or known["is_held_out"]):
                ends = chances(models, known, known["session_no"])
                told[family, known["session_id"]] = (
                    *(ends[outcome] for outcome in CHANCES[:3]),
                    leaves_within(models, known, known["session_no"]),
                )
    return told


def _models(con: duckdb.DuckDBPyConnection) -> dict[str, Models]:
    """Coefficients by family and outcome: of the model in use, put right, and of the newest one tested."""
    listed: Models = defaultdict(dict)
    fitted_on = {}
    for row in rows(con, "from model.fit join model.coefficient using (model_id) where is_used"):
        listed[row["model_id"]][row["term"]] = (row["estimate"], row["centre"])
        fitted_on[row["model_id"]] = row["fitted_on"]
    tested = max(
        (name.partition("/")[0] for name in listed if name.startswith(f"{HELD_OUT}_")), default=None
    )
    changes = rows(con, "from model.recalibration where why_not is null order by model_id")
    for change in changes[-1:]:
        if change["fitted_on"] == fitted_on.get(DROPOUT):
            listed[DROPOUT] = recalibrated(listed[DROPOUT], change["shift"], change["slope"])
    return {
        family: {
            name.partition("/")[2]: terms
            for name, terms in listed.items()
            if name.partition("/")[0] == prefix
        }
        for family, prefix in ((IN_USE, IN_USE), (HELD_OUT, tested))
    }
