"""Small cases for single tables: rows given, rows expected (tests/sql/<stage>/<table>/<case>.yaml).

Tables are typed by the real upstream tables, columns left out are NULL, order does not matter,
duplicates do. `each` holds what all rows of a table share.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from ruamel.yaml import YAML

from flows.sql_files import read_sql_files
from tests.sql.warehouse_fixture import build_stages, insert, rows, warehouse

HERE = Path(__file__).parent
CASES = [
    pytest.param(path, id=f"{path.parent.parent.name}.{path.parent.name}-{path.stem}")
    for path in sorted(HERE.glob("*/*/*.yaml"))
]
SELECTS = {file.name: file.text for file in read_sql_files()}


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table with its real types and no rows but those of ref.

    Without windows, months and financial years: every case would tell its year many times.
    """
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    con.execute("delete from ref.period where period_kind not in ('year', 'quarter')")
    yield con
    con.close()


def spread(table: Any) -> list[dict[str, Any]]:
    """Rows of one table, with what they share written out."""
    if isinstance(table, dict):
        return [{**table["each"], **row} for row in table["rows"]]
    return list(table)


@pytest.mark.parametrize("path", CASES)
def test_case(empty: duckdb.DuckDBPyConnection, path: Path) -> None:
    case = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    assert set(case) <= {"what", "as_of", "setting", "given", "expect"}, "unknown key in the case"
    name = f"{path.parent.parent.name}.{path.parent.name}"
    expected = spread(case["expect"])
    columns = list(dict.fromkeys(column for row in expected for column in row))
    empty.execute("begin")
    try:
        empty.execute(f"set variable as_of = date '{case.get('as_of', '2026-11-22')}'")
        for setting, value in case.get("setting", {}).items():
            empty.execute("update ref.setting set value = ? where name = ?", [value, setting])
        for table, given in case["given"].items():
            empty.execute(f"delete from {table}")
            insert(empty, table, spread(given))
        empty.execute(f"create temp table expected as select * from {name} limit 0")
        insert(empty, "expected", expected)
        empty.execute(f"create temp table found as {SELECTS[name]}")
        listed = ", ".join(columns) if columns else "*"
        found = rows(empty, f"select {listed} from found order by all")
        assert found == rows(empty, f"select {listed} from expected order by all")
    finally:
        empty.execute("rollback")


def test_tables_with_rules_of_their_own_have_cases() -> None:
    """A boundary that no case stands on can move without anyone noticing."""
    covered = {f"{path.parent.parent.name}.{path.parent.name}" for path in HERE.glob("*/*/*.yaml")}
    ruled = {
        "finding.answer_drift",
        "finding.delivery_calendar",
        "finding.delivery_profile",
        "finding.table_count",
        "finding.table_profile",
        "measure.alliance_phase",
        "measure.case_mix_total",
        "measure.change_count",
        "measure.deviation",
        "measure.disclosure",
        "measure.dropout_agreement",
        "measure.early_ending",
        "measure.effect_size_adjusted",
        "measure.estimate",
        "measure.funnel",
        "measure.funnel_point",
        "measure.patient_factor",
        "measure.published",
        "measure.ratio",
        "measure.reliable_improvement",
        "measure.review",
        "measure.risk_drift",
        "measure.risk_gate",
        "measure.risk_test",
        "measure.rupture_left",
        "measure.signal",
        "measure.spread",
        "measure.stopped_coming",
        "measure.total",
        "measure.unit",
        "model.dropout_exposure",
        "model.expected",
        "model.hazard_row",
        "model.known_row",
        "model.person_session",
        "model.rating_so_far",
        "report.alliance_phase",
        "report.calibration_curve",
        "report.chance_reason",
        "report.clinic",
        "report.congruence",
        "report.figure",
        "report.fix_list",
        "report.funnel_point",
        "report.night",
        "report.open_course",
        "report.patient_factor",
        "report.public_figure",
        "report.public_window",
        "report.refused_risk",
        "report.table_check",
        "report.therapist",
        "report.unread_risk",
        "report.worklist",
        "report.worklist_order",
        "report.worklist_page",
        "score.action",
        "score.alert",
        "score.alliance_session",
        "score.appointment",
        "score.change_cutoff",
        "score.change_group",
        "score.change_method",
        "score.clinic_with_bookings",
        "score.closed_course",
        "score.course",
        "score.course_appointment",
        "score.course_therapist",
        "score.dropout_definition",
        "score.early_alliance",
        "score.end_state",
        "score.expected_course",
        "score.expected_form",
        "score.finished_course",
        "score.form_place",
        "score.incidence_group",
        "score.intake_factor",
        "score.intake_score",
        "score.low_alliance",
        "score.objection",
        "score.outcome",
        "score.outcome_reference",
        "score.protocol",
        "score.reference_course",
        "score.reliable_change",
        "score.risk_answer",
        "score.rupture",
        "score.rupture_report",
        "score.session_end",
        "score.session_score",
        "score.standardised_change",
        "score.talking_therapies",
        "score.talking_therapies_measure",
        "score.track",
        "score.wait",
        "score.within_sd",
    }
    assert ruled <= covered
