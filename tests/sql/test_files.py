"""What a SQL file says of itself is what it does; the street of stages runs one way."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from flows.reference import Service
from flows.sql_files import SQL_ROOT, STAGES, BrokenTable, SqlFile, build, measures, read_sql_files
from flows.sql_header import HeaderFault, read_header
from tests.sql.warehouse_fixture import TABLES, build_stages, rows, warehouse

FILES = [pytest.param(file, id=file.name) for file in read_sql_files()]
ON_DISK = [
    pytest.param(path, id=f"{path.parent.name}.{path.stem}") for path in SQL_ROOT.rglob("*.sql")
]


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of a night on which nothing has ever arrived, with every stage built."""
    con = warehouse(date(2026, 11, 22))
    build_stages(con)
    yield con
    con.close()


def tables_read(select: str) -> list[str]:
    """The tables a SELECT reads, its own steps left out."""
    tree = sqlglot.parse_one(select, dialect="duckdb")
    return sorted({f"{t.db}.{t.name}" for t in tree.find_all(exp.Table) if t.db})


@pytest.mark.parametrize("file", FILES)
def test_header_names_the_tables_the_select_reads(file: SqlFile) -> None:
    assert sorted(file.header.inputs) == tables_read(file.text)


@pytest.mark.parametrize("file", FILES)
def test_header_names_the_columns_the_table_has(
    empty: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    real = [(r["column_name"], r["column_type"]) for r in rows(empty, f"describe {file.name}")]
    assert [(column.name, column.type) for column in file.header.columns] == real
    assert {column.name for column in file.header.grain} <= {name for name, _ in real}


@pytest.mark.parametrize("file", FILES)
def test_no_table_reads_a_later_stage(file: SqlFile) -> None:
    stages = [STAGES.index(name.partition(".")[0]) for name in file.inputs]
    assert max(stages) <= STAGES.index(file.stage)
    # patients and sessions end at measure: pages are made of figures; what moved one is told by course
    if file.stage == "measure" and file.table not in ("total", "course_cause"):
        assert "episode_id" not in {column.name for column in file.header.columns}


@pytest.mark.parametrize("path", ON_DISK)
def test_sql_gives_the_same_result_every_time(path: Path) -> None:
    """The clock, chance, unordered picks and sums of binary fractions differ between runs."""
    text = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    tree = sqlglot.parse_one(text, dialect="duckdb")
    # a list in a stated order is the same every time
    calls = [call for call in tree.find_all(exp.Func) if not isinstance(call.this, exp.Order)]
    names = {node.sql_name().lower() for node in calls}
    names |= {str(node.this).lower() for node in tree.find_all(exp.Anonymous)}
    banned = {"now", "current_date", "current_timestamp", "today", "random", "uuid", "any_value"}
    banned |= {"avg", "stddev", "stddev_samp", "var_samp", "corr", "regr_slope", "fsum", "mode"}
    banned |= {"first", "last", "list"}
    assert not names & banned
    for listed in tree.find_all(exp.ArrayAgg):
        assert isinstance(listed.this, exp.Order), listed.sql()
    for total in tree.find_all(exp.Sum):
        assert "double" not in total.sql(dialect="duckdb").lower()


@pytest.mark.parametrize("path", ON_DISK)
def test_last_select_names_and_casts_every_column(path: Path) -> None:
    tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), dialect="duckdb")
    assert isinstance(tree, exp.Query)
    for column in tree.selects:
        assert isinstance(column, exp.Alias), column.sql()
        assert isinstance(column.this, exp.Cast | exp.Case), column.sql()


@pytest.mark.parametrize("file", FILES)
def test_every_table_and_column_is_described_in_the_catalogue(
    empty: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    where = f"schema_name = '{file.stage}' and table_name = '{file.table}'"
    tables = rows(empty, f"select comment from duckdb_tables() where {where}")
    columns = rows(empty, f"select comment from duckdb_columns() where {where}")
    assert tables[0]["comment"] == file.header.description
    assert all(column["comment"] for column in columns)


def test_measures_are_found_without_a_list(empty: duckdb.DuckDBPyConnection) -> None:
    names = {file.table for file in measures()}
    assert {"early_ending", "reliable_improvement", "questionnaire_completeness"} <= names
    defined = rows(empty, "select measure from ref.definition")
    assert {row["measure"] for row in defined} == names


def test_a_silent_service_still_has_its_figures(empty: duckdb.DuckDBPyConnection) -> None:
    """Clinic and service, eleven periods: a figure that says there is nothing, not no figure."""
    found = rows(
        empty, "select level, is_shown, note from report.figure where measure = 'paired_outcome'"
    )
    assert len(found) == 2 * 11
    assert {row["note"] for row in found} == {"nothing to count in this period"}
    assert rows(empty, "select state, state_text from report.clinic") == [
        {"state": "no delivery yet", "state_text": "nothing has been read from this clinic yet"}
    ]


def test_every_upstream_table_of_the_pipeline_is_in_the_fixture() -> None:
    read = {name for file in read_sql_files() for name in file.inputs}
    upstream = {name for name in read if name.split(".")[0] in {"landed", "valid", "finding"}}
    upstream -= {file.name for file in read_sql_files()}
    assert upstream <= set(TABLES)


HEADER = """-- A table.
--
-- grain:   a
-- inputs:  ref.setting
-- columns: a VARCHAR  key
-- version: 1
"""


def write(root: Path, stage: str, table: str, select: str, header: str = HEADER) -> None:
    folder = root / "sql" / stage
    folder.mkdir(parents=True, exist_ok=True)
    header = header.replace("ref.setting", ", ".join(tables_read(select)))
    (folder / f"{table}.sql").write_text(header + select, encoding="utf-8")


def test_duplicate_and_missing_keys_stop_the_build(tmp_path: Path) -> None:
    write(
        tmp_path,
        "score",
        "broken",
        "select unnest(['x', 'x', null])::varchar as a from ref.setting",
    )
    con = warehouse(date(2026, 11, 22))
    con.execute("delete from ref.setting where name <> 'z_95'")
    with pytest.raises(BrokenTable, match=r"score\.broken: 1 keys occur more than once and 1 rows"):
        build(con, "score", tmp_path / "sql")


def test_a_nullable_key_column_says_so(tmp_path: Path) -> None:
    header = HEADER.replace("grain:   a", "grain:   a?")
    write(
        tmp_path,
        "score",
        "fine",
        "select unnest(['x', null])::varchar as a from ref.setting",
        header,
    )
    con = warehouse(date(2026, 11, 22))
    con.execute("delete from ref.setting where name <> 'z_95'")
    assert build(con, "score", tmp_path / "sql") == ["score.fine"]


def test_build_order_comes_from_the_sql(tmp_path: Path) -> None:
    write(tmp_path, "score", "a_last", "select a::varchar as a from score.z_first")
    write(tmp_path, "score", "z_first", "select name::varchar as a from ref.setting")
    names = [file.name for file in read_sql_files(tmp_path / "sql")]
    assert names == ["score.z_first", "score.a_last"]


@pytest.mark.parametrize(
    ("selects", "fault"),
    [
        ({"a": "select a::varchar as a from score.nowhere"}, "which no file builds"),
        ({"a": "select a::varchar as a from report.figure"}, "which no file builds"),
        ({"a": "select a::varchar as a from mistaken.b"}, "not an earlier stage"),
        ({"a": "select a from score.b", "b": "select a from score.a"}, "in a ring"),
    ],
)
def test_a_table_that_cannot_be_built_is_named(
    tmp_path: Path, selects: dict[str, str], fault: str
) -> None:
    for table, select in selects.items():
        write(tmp_path, "score", table, select)
    with pytest.raises(HeaderFault, match=fault):
        read_sql_files(tmp_path / "sql")


def test_reading_a_later_stage_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "score", "a", "select a::varchar as a from report.b")
    write(tmp_path, "report", "b", "select name::varchar as a from ref.setting")
    with pytest.raises(HeaderFault, match="not an earlier stage"):
        read_sql_files(tmp_path / "sql")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("-- grain:   a\n", ""), "header keys missing: grain"),
        (("version: 1", "version: 1\n-- colour:  red"), "unknown header keys: colour"),
        (("version: 1", "version: 1\n-- better:  lower"), "header keys missing: denominator, kind"),
        (("a VARCHAR  key", "a VARCHAR"), "not a column line"),
        (("-- A table.\n", ""), "no first sentence"),
        (("version: 1", "version: 1\n-- version: 2"), "version is given twice"),
    ],
)
def test_a_header_that_breaks_the_grammar_is_refused(change: tuple[str, str], fault: str) -> None:
    with pytest.raises(HeaderFault, match=fault):
        read_header(HEADER.replace(*change), "sql/score/a.sql")


def test_a_long_column_description_goes_on_below() -> None:
    column = "columns: a VARCHAR  key"
    longer = f"{column}\n--                     of the table\n--          b DATE     day"
    header = read_header(HEADER.replace(column, longer), "sql/score/a.sql")
    assert [(c.name, c.description) for c in header.columns] == [
        ("a", "key of the table"),
        ("b", "day"),
    ]


def test_thresholds_in_words_are_those_the_service_has_set() -> None:
    con = warehouse(
        date(2026, 11, 22), Service("Other rules", {"a": "Alder"}, thresholds={"gap_days": 60})
    )
    words = con.execute(
        "select measure, concat_ws(' ', label, numerator, denominator, why) from ref.definition"
    ).fetchall()
    con.close()
    assert [measure for measure, text in words if "{" in text] == []
    assert (
        "silent for longer than 60 days and 3 times the patient's usual gap"
        in dict(words)["early_ending"]
    )


# Tables in which each row is compared with every one of a few: bands of one questionnaire, clinics.
COMPARED_WITH_FEW = {
    "score.track", "report.congruence", "report.ending_fact", "report.changed",
    "report.workbook_line", "report.rule_change",
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_no_outer_join_compares_every_row_with_every_other(
    empty: duckdb.DuckDBPyConnection, file: SqlFile
) -> None:
    """A condition on the kept side leaves the engine nothing to look up by."""
    (plan,) = empty.execute(f"explain (format json) {file.text}").fetchall()[0][1:]
    found = re.findall(r'"Join Type": "(LEFT|RIGHT|FULL)', "".join(_nested_loops(json.loads(plan))))
    assert bool(found) == (file.name in COMPARED_WITH_FEW)


def _nested_loops(plan: list[dict[str, Any]]) -> Iterator[str]:
    for step in plan:
        if step["name"].strip() in {"BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN"}:
            yield json.dumps(step["extra_info"])
        yield from _nested_loops(step["children"])
