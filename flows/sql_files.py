"""Finds, orders, runs and checks the files of sql/: one file, one SELECT, one table."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import duckdb

from flows.frozen import SO_FAR, THIS_QUARTER, all_held, keep, recall
from flows.sql_header import GrainColumn, Header, HeaderColumn, HeaderFault, read_header
from schemas.change import CHANGE_TABLES
from schemas.model import FILLED_TABLES

# A table where a SELECT reads one, with the name it gives it.
_READ = re.compile(r"\b(from|join)(\s+)(\w+\.\w+)(\s+as\b)?")
SQL_ROOT = Path(__file__).resolve().parent.parent / "sql"
STAGES = ("ref", "landed", "valid", "finding", "score", "model", "measure", "report")
BUILT_STAGES = ("finding", "score", "model", "measure", "report")
# Tables of a built stage that no SELECT builds: the program fills them before they are read.
FILLED = frozenset(
    {
        "finding.finding", "finding.refused_risk", "finding.check", "measure.agreement",
        *FILLED_TABLES, *CHANGE_TABLES,
    }
)  # fmt: skip
# What every measure states; a measure's own file leaves out what does not apply to it.
MEASURE_SHAPE = (
    HeaderColumn("clinic_id", "VARCHAR", "clinic the episode or session belongs to"),
    HeaderColumn("therapist_id", "VARCHAR", "therapist it is attributed to; NULL not known"),
    HeaderColumn("period_id", "VARCHAR", "period"),
    HeaderColumn("instrument_id", "VARCHAR", "instrument; NULL where the measure is not per one"),
    HeaderColumn("n", "INTEGER", "denominator of a rate, number of values of a mean"),
    HeaderColumn("numerator", "INTEGER", "numerator of a rate; NULL for a mean"),
    HeaderColumn("sum_x", "DECIMAL(38,6)", "sum of the values; of a rate its numerator"),
    HeaderColumn("sum_xx", "DECIMAL(38,6)", "sum of squares; of a rate its numerator"),
    HeaderColumn("n_eligible", "INTEGER", "how many should have had a value"),
    HeaderColumn("n_known", "INTEGER", "of these, how many have one; where left out, n"),
    HeaderColumn("numerator_low", "INTEGER", "numerator over all eligible, unknown ones as no"),
    HeaderColumn("numerator_high", "INTEGER", "numerator over all eligible, unknown ones as yes"),
)


class BrokenTable(Exception):
    """A built table that is not what its file promises; the text holds no row values."""


@dataclass(frozen=True)
class SqlFile:
    """One table-building SELECT with its header."""

    stage: str
    table: str
    path: str
    text: str
    header: Header

    @property
    def name(self) -> str:
        """The table's full name."""
        return f"{self.stage}.{self.table}"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tables it reads, sorted, as its header says; tests hold the header to the SELECT."""
        return tuple(sorted(self.header.inputs))

    def reading(self, elsewhere: Mapping[str, str]) -> str:
        """The SELECT with other rows in the place of some tables that it reads.

        Args:
            elsewhere: by the name of a table, what is read instead: a table's name, or a SELECT in brackets.
        """

        def aim(found: re.Match[str]) -> str:
            word, space, name, named = found.groups()
            if name not in elsewhere:
                return found[0]
            return f"{word}{space}{elsewhere[name]}{named or ' as ' + name.partition('.')[2]}"

        return _READ.sub(aim, self.text)


@lru_cache(maxsize=4)
def read_sql_files(root: Path = SQL_ROOT) -> tuple[SqlFile, ...]:
    """Read every file below root, in an order in which they can be built.

    Raises:
        HeaderFault: when a header is wrong, a table reads a later stage, or tables read in a ring.
    """
    files = [_read(path, root) for path in sorted(root.glob("*/*.sql"))]
    measures = [file for file in files if file.stage == "measure" and file.header.is_measure]
    if measures:
        files.append(_every_measure(measures))
    return tuple(_ordered(files))


def measures(root: Path = SQL_ROOT) -> tuple[SqlFile, ...]:
    """The files that define a published measure, in build order."""
    return tuple(file for file in read_sql_files(root) if file.header.is_measure)


def build(
    con: duckdb.DuckDBPyConnection,
    stage: str,
    root: Path = SQL_ROOT,
    only: Collection[str] | None = None,
    leave_out: Collection[str] = (),
) -> list[str]:
    """Build the tables of one stage, all or only those named; return their names in build order.

    Raises:
        BrokenTable: when a built table has duplicate or NULL keys.
    """
    con.execute(f"create schema if not exists {stage}")
    built = [
        file
        for file in read_sql_files(root)
        if file.stage == stage
        and (only is None or file.name in only)
        and file.name not in leave_out
    ]
    for file in built:
        build_table(con, file)
    return [file.name for file in built]


def build_table(con: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    """Build one table anew.

    Raises:
        BrokenTable: when it has duplicate or NULL keys.
    """
    con.execute(f"create or replace table {file.name} as {_text(con, file)}")
    _describe(con, file)
    check_grain(con, file, file.name)


def _text(con: duckdb.DuckDBPyConnection, file: SqlFile) -> str:
    """What the table is made of: its SELECT, or what was kept of it this quarter or for good."""
    frozen, closed = file.header.frozen_by, file.header.closed_by
    if not (frozen or closed):
        return file.text
    name = f"{file.stage}_{file.table}_v{file.header.words['version']}"
    keys, span = frozen or closed, SO_FAR if closed else THIS_QUARTER
    if closed or not all_held(con, name, keys, file.header.words.get("keys")):
        keep(con, name, keys, file.text, span)
    return recall(name, keys, span)


def built_after(tables: Collection[str], root: Path = SQL_ROOT) -> frozenset[str]:
    """The built tables that read one of these tables, or a table that does, and so on."""
    late: set[str] = set()
    for file in read_sql_files(root):
        if any(name in tables or name in late for name in file.inputs):
            late.add(file.name)
    return frozenset(late)


def _read(path: Path, root: Path) -> SqlFile:
    shown = path.relative_to(root.parent).as_posix()
    text = path.read_text(encoding="utf-8").strip().removesuffix(";")
    if path.parent.name not in BUILT_STAGES:
        raise HeaderFault(f"{shown}: {path.parent.name} is not one of {', '.join(BUILT_STAGES)}")
    return SqlFile(path.parent.name, path.stem, shown, text, read_header(text, shown))


def _every_measure(files: list[SqlFile]) -> SqlFile:
    """The union of all measures, so that adding one is adding one file."""
    selects = []
    for file in files:
        given = {column.name for column in file.header.columns}
        parts = [
            column.name if column.name in given else f"null::{column.type} as {column.name}"
            for column in MEASURE_SHAPE
        ]
        named = f"'{file.table}'::varchar as measure"
        selects.append(f"select {named}, {', '.join(parts)} from {file.name}")
    header = Header(
        description="All measures of all files in one shape (written by the program).",
        grain=tuple(
            GrainColumn(name, name in {"therapist_id", "instrument_id"})
            for name in ("clinic_id", "therapist_id", "period_id", "measure", "instrument_id")
        ),
        inputs=tuple(file.name for file in files),
        columns=(HeaderColumn("measure", "VARCHAR", "measure (file stem)"), *MEASURE_SHAPE),
        words={"version": "1"},
    )
    text = "\nunion all by name\n".join(selects)
    return SqlFile("measure", "every_measure", "sql/measure/*.sql", text, header)


def _ordered(files: Iterable[SqlFile]) -> list[SqlFile]:
    by_name = {file.name: file for file in files}
    for file in by_name.values():
        for name in file.inputs:
            stage = name.partition(".")[0]
            if stage in BUILT_STAGES and name not in by_name and name not in FILLED:
                raise HeaderFault(f"{file.path}: reads {name}, which no file builds")
            if stage not in STAGES or STAGES.index(stage) > STAGES.index(file.stage):
                raise HeaderFault(f"{file.path}: reads {name}, which is not an earlier stage")
    keys = sorted(by_name, key=lambda name: (STAGES.index(by_name[name].stage), name))
    graph = {key: [n for n in by_name[key].inputs if n in by_name] for key in keys}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise HeaderFault(f"tables read each other in a ring: {error.args[1]}") from None
    return sorted((by_name[name] for name in order), key=lambda file: STAGES.index(file.stage))


def _describe(con: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    said = [f"comment on table {file.name} is {_quoted(file.header.description)}"]
    said += [
        f'comment on column {file.name}."{column.name}" is {_quoted(column.description)}'
        for column in file.header.columns
    ]
    con.execute("; ".join(said))


def check_grain(con: duckdb.DuckDBPyConnection, file: SqlFile, table: str) -> None:
    """See that a table made of a file has the keys its header promises.

    Raises:
        BrokenTable: when it has duplicate or NULL keys.
    """
    keys = ", ".join(f'"{column.name}"' for column in file.header.grain)
    required = [f'"{column.name}" is null' for column in file.header.grain if not column.nullable]
    missing = f"filter (where {' or '.join(required) or 'false'})"
    # As many hashes as rows means as many keys; only where two may be alike are they told apart.
    row = con.execute(
        f"select count(*) - count(distinct hash({keys})), count(*) {missing} from {table}"
    ).fetchone()
    if row == (0, 0):
        return
    row = con.execute(
        f"select count(*) filter (where n > 1), coalesce(sum(n) {missing}, 0)"
        f" from (select {keys}, count(*) as n from {table} group by {keys})"
    ).fetchone()
    duplicates, nulls = row or (0, 0)
    if duplicates or nulls:
        raise BrokenTable(
            f"{file.name}: {duplicates} keys occur more than once and {nulls} rows have no key"
            f" ({keys}); see {file.path}"
        )


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
