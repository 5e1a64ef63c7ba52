"""What became of the alerts of clinics and the service, counted a second time from the lists as kept."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import duckdb

from flows.second.alert import Alert, figures_of
from flows.second.rules import Rules
from flows.verify.facts import Figures, rows

COUNTS = ["numerator", "n", "n_eligible", "numerator_low", "numerator_high", "sum_x"]
MEASURES = ("alert_acted_on", "alert_action_days", "alert_left")


def stated_alerts(con: duckdb.DuckDBPyConnection) -> Figures:
    """What the SQL counted: level, unit, period and measure to counts."""
    return {
        (row["level"], row["unit_id"], row["period_id"], row["measure"]): (
            row["numerator"] or 0, *(row[name] for name in COUNTS[1:]),
        )
        for row in rows(
            con,
            f"from measure.total where measure in {MEASURES} and n_eligible > 0"
            " and level <> 'therapist'",
        )
    }  # fmt: skip


def told_alerts(con: duckdb.DuckDBPyConnection, rules: Rules) -> Figures:
    """The same, alert by alert."""
    grouped: dict[tuple[str, str, str], list[Alert]] = defaultdict(list)
    periods = rows(con, "from ref.period")
    for clinic_id, alert in _alerts(con):
        for period in periods:
            if period["period_start"] <= alert.issued_on <= period["period_end"]:
                grouped["service", "service", period["period_id"]].append(alert)
                grouped["clinic", clinic_id, period["period_id"]].append(alert)
    return {
        (*unit, name): (*_cells(count), total)
        for unit, alerts in grouped.items()
        for name, (count, total) in figures_of(alerts, int(rules.action_days)).items()
    }


def _cells(count: Any) -> tuple[Any, ...]:
    return (count.numerator, count.n, count.n_eligible, count.low, count.high)


def _alerts(con: duckdb.DuckDBPyConnection) -> list[tuple[str, Alert]]:
    """Every alert with its clinic, from the lists of all nights."""
    objecting = {row["episode_id"] for row in rows(con, "from score.objection")}
    shown: dict[str, dict[str, Any]] = {}
    for row in rows(con, "from landed.alert order by as_of, place"):
        if row["episode_id"] not in objecting:
            shown.setdefault(row["session_id"], row)
    actions: dict[str, list[date]] = defaultdict(list)
    for row in rows(con, "from score.action where episode_id is not null"):
        actions[row["episode_id"]].append(row["acted_on"])
    ends = {
        row["session_id"]: row["outcome"]
        for row in rows(con, "from score.session_end where is_at_risk")
    }
    logs = _logs(con)
    return [
        (
            row["clinic_id"],
            Alert(
                row["as_of"], actions[row["episode_id"]], logs.get(row["clinic_id"]),
                ends.get(session_id),
            ),
        )
        for session_id, row in shown.items()
    ]  # fmt: skip


def _logs(con: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """The day on which each clinic's newest log of actions came."""
    carrying = {
        row["delivery_id"]
        for row in rows(con, "from landed.part_count where kind = 'action'")
        if row["found"] > row["rejected"]
    }
    newest: dict[str, date] = {}
    for row in rows(con, "from landed.arrival order by as_of"):
        if row["delivery_id"] in carrying:
            newest[row["clinic_id"]] = row["as_of"]
    return newest
