"""What changed since the night before: deliveries of known effect, rules that changed, nights without one before."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from flows.changes import NEEDED, _is_whole, night_before
from flows.workspace import Workspace
from tests.nightly.conftest import CANARY, SESSIONS, drop, form, form_file, make_service, run

FIRST, SECOND, THIRD = date(2026, 4, 20), date(2026, 4, 21), date(2026, 4, 22)
UNPAIRED, PAIRED, NEW = range(101, 107), range(201, 206), range(301, 306)


def sessions(patients: range, days: tuple[str, ...]) -> str:
    return "\n".join(
        [
            SESSIONS,
            *(
                f"{100 * p + s},{CANARY} {p},Canary Therapist,1,{s},{day},seen"
                for p in patients
                for s, day in enumerate(days, start=1)
            ),
            "",
        ]
    )


def forms(patients: range, session: int, day: str, answer: int) -> str:
    lines = (form(100 * p + session, f"{CANARY} {p}", session, day, answer) for p in patients)
    return form_file(*lines)


def query(workspace: Workspace, sql: str) -> list[tuple]:
    """Rows from the tables of the newest night, by the name of their file."""
    con = duckdb.connect()
    for path in workspace.current.glob("auditors/*/*.parquet"):
        con.execute(f"create schema if not exists {path.parent.name}")
        con.execute(f"create view {path.parent.name}.{path.stem} as from '{path}'")
    return con.execute(sql).fetchall()


def parts(workspace: Workspace, measure: str) -> dict[str, tuple[int, Decimal, int]]:
    rows = query(
        workspace,
        "select part, n, sum_x, n_courses from measure.movement where level = 'service'"
        f" and period_id = 'year' and measure = '{measure}'",
    )
    return {part: (n, sum_x, courses) for part, n, sum_x, courses in rows}


def page(workspace: Workspace, name: str) -> str:
    text = (workspace.current / "managers" / name).read_text(encoding="utf-8")
    return " ".join(text.split())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Six courses without a last form, five with one; all have ended by silence."""
    workspace = make_service(tmp_path_factory.mktemp("changes") / "service")
    days = ("2026-02-07", "2026-02-14", "2026-02-21")
    for number, patients in enumerate((UNPAIRED, PAIRED)):
        drop(workspace, "north", f"sessions_2{number}.csv", sessions(patients, days))
        drop(workspace, "north", f"forms_2{number}.csv", forms(patients, 1, days[0], 2))
    drop(workspace, "north", "forms_25.csv", forms(PAIRED, 3, days[2], 0))
    drop(workspace, "north", "sessions_29.csv", sessions(range(999, 1000), ("2026-04-20",)))
    run(workspace, FIRST)
    return workspace


@pytest.fixture(scope="module")
def second(service: Workspace) -> Workspace:
    """The night after: six last forms, five corrected ones, five new courses."""
    assert "no night was published before" in page(service, "changed.html")
    assert "no night was published before" in page(service, "index.html")
    drop(service, "north", "forms_31.csv", forms(UNPAIRED, 3, "2026-02-21", 0))
    drop(service, "north", "forms_32.csv", forms(PAIRED, 3, "2026-02-21", 2))
    drop(service, "north", "sessions_33.csv", sessions(NEW, ("2026-04-20",)))
    drop(service, "north", "forms_33.csv", forms(NEW, 1, "2026-04-20", 2))
    run(service, SECOND)
    return service


def test_each_course_moves_a_figure_by_what_came_of_it(second: Workspace) -> None:
    moved = parts(second, "reliable_improvement")
    assert moved == {"late pair": (6, 6, 6), "corrected": (0, -5, 5)}
    assert parts(second, "paired_outcome") == {"late pair": (0, 6, 6)}
    assert parts(second, "course_started") == {"new": (5, 0, 5)}
    assert parts(second, "start_score") == {"new": (5, 90, 5)}


def test_parts_add_up_to_the_movement_of_every_figure(second: Workspace) -> None:
    keys = "level, unit_id, period_id, measure, instrument_id"
    same = " and ".join(
        f"a.{k.strip()} is not distinct from b.{k.strip()}" for k in keys.split(",")
    )
    moved = query(
        second,
        f"""
        with part as (
            select {keys}, sum(n) as n, sum(sum_x) as sum_x from measure.movement group by all
        ),
        whole as (
            select a.*, a.n - b.n as moved_n, a.sum_x - b.sum_x as moved_x
            from measure.total as a join measure.total_before as b on {same}
        )
        select count(*), count(*) filter (
            moved_n <> coalesce(b.n, 0) or moved_x <> coalesce(b.sum_x, 0)
        ), count(*) filter (moved_n <> 0 or moved_x <> 0)
        from whole as a left join part as b on {same}""",
    )
    [(n_figures, n_wrong, n_moved)] = moved
    assert n_figures > 500 and n_moved > 10 and n_wrong == 0


def test_the_page_says_by_how_much_and_why(second: Workspace) -> None:
    [row] = query(
        second,
        "select before_text, now_text, moved_text, corrected_text, late_text, new_text, n_text"
        " from report.changed where level = 'service' and period_id = 'year'"
        " and measure = 'reliable_improvement'",
    )
    assert row == ("100.0 %", "73.7 %", "-26.3", "-38.5", "+12.2", None, "13 → 19")
    text = page(second, "changed.html")
    assert "Corrected rows <b>−38.5</b>" in text and "Late pairs <b>+12.2</b>" in text
    assert "Reliably improved" in page(second, "index.html").partition("What changed</h2>")[2]


def test_every_part_leads_back_to_the_file_it_came_in(second: Workspace) -> None:
    found = query(
        second,
        "select distinct cause.cause, d.file_name from measure.course_part as part"
        " join measure.course_cause as cause using (episode_id)"
        " join measure.changed_row as row using (episode_id)"
        " join landed.delivery_record as d using (delivery_id)"
        " where part.measure = 'reliable_improvement' order by all",
    )
    assert found == [("corrected", "forms_32.csv"), ("late pair", "forms_31.csv")]


def _as_of_an_older_definition(night: Path) -> None:
    """Makes a snapshot look as if its definition of a figure had found four fewer."""
    rules, totals = night / "ref/rule.parquet", night / "measure/total.parquet"
    con = duckdb.connect()
    con.execute(f"create table r as from '{rules}'")
    con.execute("update r set content = '0' where name = 'measure.reliable_improvement'")
    con.execute(f"copy r to '{rules}' (format parquet)")
    con.execute(f"create table t as from '{totals}'")
    con.execute(
        "update t set sum_x = sum_x - 4 where measure = 'reliable_improvement'"
        " and level = 'service' and period_id = 'year'"
    )
    con.execute(f"copy t to '{totals}' (format parquet)")


def test_rules_that_changed_are_told(second: Workspace) -> None:
    """A definition is held against the same scores; what a rule of scoring did is told with the rest."""
    _as_of_an_older_definition(second.current / "auditors")
    settings = second.settings.read_text(encoding="utf-8")
    settings = settings.replace("[thresholds]", "[thresholds]\nearly_sessions = 4")
    second.settings.write_text(settings, encoding="utf-8")
    run(second, THIRD)
    assert query(second, "from measure.rule_change") == [
        ("definition", "measure.reliable_improvement", "0", "1"),
        ("setting", "early_sessions", "5", "4"),
    ]
    assert parts(second, "reliable_improvement") == {"rule": (0, 4, None)}
    text = page(second, "changed.html")
    assert re.search(r">\+21.1</td> <td[^>]*><div> ?Rule change ?</div>", text)
    assert "early_sessions" in text
    moved = {measure for (measure,) in query(second, "from measure.ruled_measure")}
    assert {"early_alliance_mean", "early_alliance_slope"} <= moved
    assert "reliable_improvement" not in moved


def test_a_revision_is_held_against_the_night_before() -> None:
    con = duckdb.connect()
    con.execute("create schema landed; set variable as_of = date '2026-04-21'")
    con.execute(
        "create table landed.night_record as from (values"
        " (date '2026-04-21', 1, 'published'), (date '2026-04-20', 1, 'published'),"
        " (date '2026-04-20', 2, 'published'), (date '2026-04-22', 1, 'published'),"
        " (date '2026-04-20', 3, 'running')) as night (as_of, revision, state)"
    )
    assert night_before(con) == (SECOND - timedelta(days=1), 2)


@pytest.mark.parametrize("harm", ["gone", "cut off", "older"])
def test_a_snapshot_that_is_not_whole_is_no_fault_of_the_night(tmp_path: Path, harm: str) -> None:
    con = duckdb.connect()
    for table, columns in NEEDED.items():
        path = tmp_path / f"{table.replace('.', '/')}.parquet"
        path.parent.mkdir(exist_ok=True)
        named = ", ".join(f"1 as {column}" for column in columns.split(", "))
        con.execute(f"copy (select {named}) to '{path}'")
    assert _is_whole(tmp_path)
    path = tmp_path / "score/outcome.parquet"
    if harm == "gone":
        path.unlink()
    elif harm == "cut off":
        path.write_bytes(path.read_bytes()[:100])
    else:
        con.execute(f"copy (select 1 as episode_id) to '{path}'")
    assert not _is_whole(tmp_path)
