"""Keeps what the care team is shown of single patients: every line of the worklists, night by night.

What was kept counts once the night is published; a past night that is rendered again shows nobody
anything new, and keeps nothing.
"""

from __future__ import annotations

from datetime import date

import duckdb

from flows.ledger import is_past


def keep_alerts(con: duckdb.DuckDBPyConnection, as_of: date, revision: int) -> None:
    """Keep tonight's lists in place of those of the same revision; those never published go.

    Args:
        con: with the stage `report` built.
        as_of: the night.
        revision: of it.
    """
    if is_past(con, as_of):
        return
    con.execute(
        "delete from landed.alert_record where (as_of, revision) = (?, ?) or (as_of, revision) not in"
        " (select as_of, revision from landed.night_record where state = 'published')",
        [as_of, revision],
    )
    con.execute(
        """
        insert into landed.alert_record
        select ?, ?, clinic_id, therapist_id, patient_id, episode_id, session_id, section, place,
               ordered_by, facts, chance, model_id, fitted_on, factors, contributions, input_names,
               inputs
        from report.worklist where section in ('to_do', 'acted_on')
        order by therapist_id, section, place""",
        [as_of, revision],
    )
