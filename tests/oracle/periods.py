"""What periods that lie in each other must have in common."""

from typing import Any

import duckdb

from tests.sql.warehouse_fixture import rows

UNLIKE = """
    with figure as (
        select figure.*, period_kind, period_start, period_end
        from measure.every_measure as figure join ref.period using (period_id)
        -- how many courses are open on the last day
        where measure <> 'course_open'
    )
    select
        quarter.measure, quarter.clinic_id, quarter.therapist_id, quarter.period_id, quarter.instrument_id
    from figure as quarter left join figure as month
        on month.period_kind = 'month' and quarter.measure = month.measure
        and quarter.clinic_id = month.clinic_id
        and month.period_start >= quarter.period_start and month.period_end <= quarter.period_end
        and quarter.therapist_id is not distinct from month.therapist_id
        and quarter.instrument_id is not distinct from month.instrument_id
    where quarter.period_kind = 'quarter'
        and quarter.period_start >= (select min(period_start) from ref.period where period_kind = 'month')
    group by all
    having max(quarter.n) is distinct from sum(month.n)
        or max(quarter.n_eligible) is distinct from sum(month.n_eligible)
        or max(quarter.sum_x) is distinct from sum(month.sum_x)"""


def unlike_their_months(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Quarters that hold something else than their months do: a day is in both or in neither."""
    return rows(con, UNLIKE)
