"""Opens the one database; its lock is the workspace's lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

import schemas
from flows.errors import WorkspaceBusy, WorkspaceError
from flows.workspace import Workspace

# Files are read with Python's own memory beside it; the stages have all of it to themselves.
MEMORY_LIMIT = "900MB"
MEMORY_OF_STAGES = "1300MB"
THREADS = 2
# Above so many forms a service is large: their scores take six gigabytes as they are, and a quarter of
# one in memory while some of their rows are replaced.
MANY_FORMS = 3_000_000
# A database made in this format keeps repeated text in less room and time; an older one keeps its own.
STORAGE: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "v1.5.0"
}
TABLES = Path(schemas.__file__).with_name("warehouse.sql")


@contextmanager
def open_warehouse(workspace: Workspace, as_of: date) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing on one night, with all base tables and views there.

    Raises:
        WorkspaceBusy: when another process has it open.
        WorkspaceError: when the file cannot be opened.
    """
    try:
        con = duckdb.connect(str(workspace.warehouse), config=STORAGE)
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise WorkspaceBusy(
                f"{workspace.warehouse}: the database is open elsewhere",
                "Wait until that run is over; `rapport status` tells how far it is.",
            ) from None
        raise WorkspaceError(f"{workspace.warehouse}: cannot be opened") from None
    except duckdb.Error as error:
        raise WorkspaceError(
            f"{workspace.warehouse}: is damaged ({type(error).__name__})",
            "Restore the warehouse from your backup.",
        ) from None
    try:
        try:
            limit_resources(con, workspace.scratch)
            create_tables(con)
            con.execute(f"set variable as_of = date '{as_of.isoformat()}'")
        except duckdb.Error as error:
            raise WorkspaceError(
                f"{workspace.warehouse}: cannot be prepared ({type(error).__name__})",
                "Is the disk full? If not, restore the warehouse from your backup.",
            ) from None
        yield con
    finally:
        con.close()


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is not there yet; comments of the file become comments of the catalogue."""
    text = TABLES.read_text(encoding="utf-8")
    con.execute(text)
    explained = con.execute(
        "select count(*) from duckdb_columns() where comment is not null and schema_name = 'valid'"
    ).fetchone()
    if explained and explained[0]:
        return
    for table, body in re.findall(
        r"create table if not exists (\S+) \((.*?)\n\);", text, re.DOTALL
    ):
        for column, comment in re.findall(r"^ {4}(\w+) .*?-- (.*)$", body, re.MULTILINE):
            quoted = comment.replace("'", "''")
            con.execute(f"comment on column {table}.{column} is '{quoted}'")


def limit_resources(con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Two threads, bounded memory, spill into the workspace, nothing from the network."""
    con.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    con.execute(f"set threads = {THREADS}")
    con.execute("set temp_directory = ?", [str(scratch)])
    con.execute("set autoinstall_known_extensions = false")
    con.execute("set autoload_known_extensions = false")
    con.execute("set enable_progress_bar = false")


def is_large(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the service has so many forms that room and memory are dearer than time."""
    return con.execute("select count(*) from valid.form_version").fetchall()[0][0] > MANY_FORMS


@contextmanager
def computing(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Settings under which the stages are built: more memory from here on, and tables stored as they are.

    Ids are chance digits: packing them lets all of a night's tables take a fifth longer and a third of
    the room: worth it in a large service alone.
    """
    con.execute(f"set memory_limit = '{MEMORY_OF_STAGES}'")
    if not is_large(con):
        con.execute("set force_compression = 'uncompressed'")
    try:
        yield
    finally:
        con.execute("reset force_compression")


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing; after an error a commit would succeed and store nothing, so always roll back."""
    con.execute("begin transaction")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
