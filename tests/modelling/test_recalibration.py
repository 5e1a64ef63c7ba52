"""The model in use is put right by newer sessions no further than they ask for, and keeps its coefficients."""

from collections.abc import Iterator
from datetime import date

import duckdb
import numpy as np
import pytest

from flows.model import build_models
from flows.modelling.hazard import fit_hazards
from flows.modelling.recalibration import put_right
from tests.sql.warehouse_fixture import build_stages, rows, warehouse

FIRST, LATER, NEXT_QUARTER = date(2026, 10, 5), date(2026, 12, 20), date(2027, 1, 4)


def drawn(seed: int, n: int, shift: float, slope: float) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    logit = chance.normal(-3, 0.8, n)
    return logit, (chance.random(n) < 1 / (1 + np.exp(-(shift + slope * logit)))).astype(float)


@pytest.mark.parametrize(
    ("shift", "slope", "changed"),
    [(0, 1, "nothing"), (0.5, 1, "intercept"), (-1.5, 0.5, "intercept and slope")],
)
def test_no_more_is_changed_than_the_events_ask_for(
    shift: float, slope: float, changed: str
) -> None:
    name, moved, turned = put_right(*drawn(1, 40_000, shift, slope))
    assert name == changed
    assert moved == pytest.approx(shift, abs=0.2)
    assert turned == pytest.approx(slope, abs=0.06)
    if changed != "intercept and slope":
        assert turned == 1


def test_chance_alone_changes_a_model_in_one_of_twenty_cases() -> None:
    changed = [put_right(*drawn(seed, 2_500, 0, 1))[0] != "nothing" for seed in range(200)]
    assert 0.015 < np.mean(changed) < 0.1


@pytest.fixture
def service() -> Iterator[duckdb.DuckDBPyConnection]:
    """A service whose patients leave twice as often from the night on which the model was fitted."""
    con = warehouse(FIRST)
    con.execute("update ref.setting set value = 0.85 where name = 'hazard_expected_c'")
    # nothing lies before that time: no model is tested, which would cost most of the night
    con.execute("update ref.setting set value = 400 where name = 'held_out_days'")
    build_stages(con, ["finding", "score"])
    yield con
    con.close()


def night(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """The sessions due by this night, 25 a day; then the models."""
    con.execute(f"set variable as_of = date '{as_of}'")
    con.execute(
        "delete from score.session_end; delete from score.course_appointment; delete from score.end_state"
    )
    con.execute(
        """
        create or replace temp table made as
        select 's' || i as session_id, session_id as episode_id, 'a' as clinic_id, 1 + i % 12 as session_no,
            date '2026-01-01' + (i // 25)::int as due_on, due_on - 56 as session_on, true as is_at_risk,
            (hash(i) % 100000) / 100000.0 as drawn, 0.12 / session_no as usual,
            case
                when drawn < if(due_on > $first, 2.5 * usual / (1 + 1.5 * usual), usual) then 'dropout'
                when drawn > 0.99 then 'other' when drawn > 0.93 then 'planned' else 'goes_on'
            end as outcome,
        from range(25 * (getvariable('as_of')::date - date '2026-01-01')) listed (i)""",
        {"first": FIRST},
    )
    columns = "session_id, episode_id, clinic_id, session_no, session_on"
    con.execute(
        f"insert into score.session_end by name select {columns}, due_on, outcome, is_at_risk from made"
    )
    con.execute(
        "insert into score.end_state by name select episode_id, clinic_id, session_on as ended_on,"
        " 'completed' as state, 'record' as end_by, true as is_ended, true as is_resolved from made"
    )
    con.execute(
        f"insert into score.course_appointment by name select {columns}, 'attended' as status,"
        " false as is_derived from made"
    )
    build_models(con, as_of, [fit_hazards])


def test_the_model_of_the_quarter_is_put_right_and_its_coefficients_stay(
    service: duckdb.DuckDBPyConnection,
) -> None:
    night(service, FIRST)
    (first,) = rows(service, "from model.recalibration")
    assert first["why_not"] == "too few newer dropouts; 100 are needed"
    coefficients = rows(service, "from model.coefficient where model_id like 'last_session/%'")
    assert coefficients
    night(service, LATER)
    assert (
        rows(service, "from model.coefficient where model_id like 'last_session/%'") == coefficients
    )
    (found,) = rows(service, "from model.recalibration")
    assert found["fitted_on"] == FIRST and found["looked_on"] == LATER
    assert found["changed"] == "intercept" and found["n_dropouts"] > 100
    assert found["shift"] == pytest.approx(np.log(2.5), abs=0.3)
    # as many dropouts are expected of the newer sessions as there were
    (told,) = rows(
        service,
        "select sum((outcome = 'dropout')::int) as n, sum(dropout / (1 - planned - other)"
        " order by session_id) as expected from model.risk join model.hazard_row using (session_id)"
        f" where family = 'last_session' and due_on > date '{FIRST}' and outcome in ('goes_on', 'dropout')",
    )
    assert told["expected"] == pytest.approx(float(told["n"]), rel=1e-6)
    night(service, NEXT_QUARTER)
    (anew,) = rows(service, "from model.recalibration")
    assert anew["fitted_on"] == NEXT_QUARTER and anew["n"] == 0
