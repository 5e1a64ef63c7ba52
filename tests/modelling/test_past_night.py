"""A past night asked again has the chances it had, to the last digit, whatever was corrected or learned since."""

from datetime import date
from typing import Any

import duckdb

from flows.model import build_models
from flows.modelling.hazard import fit_hazards
from flows.reference import Service, fill_reference
from flows.sql_files import build
from flows.synthetic.world import simulate
from tests.modelling.service import NIGHT, part_of, service
from tests.sql.warehouse_fixture import shipped

# In quarters of their own, so that every model is another.
PAST, CORRECTED = date(2026, 8, 20), date(2026, 9, 10)


def night(con: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, tuple[Any, ...]]:
    """Everything a night computes of the chances, from what was known by then: rows, and a hash of all."""
    con.execute(f"set variable as_of = date '{as_of}'")
    fill_reference(con, shipped(), Service("Past", {"alder": "Alder"}), as_of)
    con.execute("update ref.setting set value = 0.9 where name = 'hazard_expected_c'")
    build(con, "score")
    build_models(con, as_of, [fit_hazards])
    tables = ("coefficient", "fit", "calibration", "recalibration", "risk", "risk_term")
    return {
        table: con.execute(
            f"select count(*), md5(string_agg(line::varchar, '' order by line::varchar)) from model.{table} line"
        ).fetchall()[0]
        for table in tables
    }


def correct(con: duckdb.DuckDBPyConnection) -> None:
    """A month after the past night a third of its courses turn out to have been otherwise."""
    some = f"known_from <= date '{PAST}' and hash(episode_id) % 3 = 0"
    changes = {
        "form": "[if(answer is null, null, 1) for answer in answers] as answers",
        "session": "if(status = 'no_show', 'cancelled_by_service', status) as status",
        "episode": "if(end_reason = 'completed', 'dropout', end_reason) as end_reason",
    }
    for table, change in changes.items():
        con.execute(
            f"create temp table newer as select * replace ({change}, date '{CORRECTED}' as known_from)"
            f" from valid.{table}_row where {some}"
        )
        con.execute(f"update valid.{table}_row set known_to = '{CORRECTED}' where {some}")
        con.execute(f"insert into valid.{table}_row from newer")
        con.execute("drop table newer")


def test_a_past_night_scores_as_it_did() -> None:
    con = service(part_of(simulate(31, NIGHT), "alder", 900))
    for table in ("form", "session", "episode"):
        con.execute(f"alter table valid.{table} rename to {table}_row")
        con.execute(
            f"create view valid.{table} as from valid.{table}_row"
            " where known_from <= getvariable('as_of')::date"
            " and getvariable('as_of')::date < coalesce(known_to, date '9999-12-31')"
        )
    con.execute("drop table valid.clinic")
    con.execute(
        "create view valid.clinic as"
        " select 'alder' as clinic_id, getvariable('as_of')::date as data_through"
    )
    then = night(con, PAST)
    correct(con)
    now = night(con, NIGHT)
    again = night(con, PAST)
    con.close()
    assert then["risk"][0] > 1_000 and then["risk_term"][0] > 100
    assert then["risk"] != now["risk"]
    assert now["calibration"][0] == 2  # the test of either quarter is remembered
    assert again == then
