"""Publish: a night's pages and audit snapshot, built beside their place and put there whole."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from flows.drawn import last_drawings
from flows.errors import StreetError
from flows.land import sync_folder
from flows.progress import Progress
from flows.published import AUDITORS
from flows.reading.cells import literal
from flows.workspace import Workspace
from reports.attachments import attachments
from reports.language import ENGLISH, speaking
from reports.pages import AUDIENCES
from reports.render import count_pages, render
from reports.rows import Tables

UNFINISHED = ".building-"
REPLACED = ".replaced-"
AUDITED = ("landed", "valid", "finding", "ref", "score", "model", "measure", "report")
# What a night is still writing of itself while it is published, and the fingerprint of the key.
NOT_AUDITED = ("night_record", "clinic_night_record", "key_record", "score_record")
# Histories are sorted by what identifies a version; everything else by all its columns.
HISTORY_ORDER = "row_id, known_from, known_to, delivery_id, line"


def published_folder(workspace: Workspace, as_of: date, revision: int) -> Path:
    """Where a revision of a night is published; the first has the bare date."""
    suffix = "" if revision == 1 else f".r{revision}"
    return workspace.published / f"{as_of.isoformat()}{suffix}"


def remove_unfinished(workspace: Workspace) -> None:
    """Clear away what an interrupted run left beside the published nights."""
    for path in workspace.published.iterdir():
        if path.name.startswith((UNFINISHED, REPLACED)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    if workspace.scratch.is_dir():
        shutil.rmtree(workspace.scratch)
    workspace.scratch.mkdir(mode=0o700)
    for path in workspace.archive.glob(".landing-*"):
        path.unlink()


def publish(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    as_of: date,
    revision: int,
    progress: Progress,
    language: str = ENGLISH,
    edge: Mapping[str, Tables] | None = None,
) -> Path:
    """Write pages and audit snapshot, make them durable, put them in place, move `current`.

    `edge` holds, for each audience, tables for its pages alone that are in no database.

    Returns:
        The published folder. A kill at any instant leaves either the old or the new night.
    """
    place = published_folder(workspace, as_of, revision)
    building = workspace.published / f"{UNFINISHED}{place.name}"
    tables = report_tables(con)
    progress.step("publish pages")
    with speaking(language), last_drawings(workspace):
        _write_pages(tables, edge or {}, building, progress)
    progress.step("publish audit snapshot")
    _write_audit(con, building / AUDITORS)
    _write_summary(tables, con, building)
    _sync_tree(building)
    if place.exists():
        aside = workspace.published / f"{REPLACED}{place.name}"
        place.rename(aside)
        building.rename(place)
        shutil.rmtree(aside)
    else:
        building.rename(place)
    sync_folder(workspace.published)
    _move_current(workspace, place)
    return place


def report_tables(con: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Every report table as rows, in a fixed order."""
    tables = {}
    for name in _tables(con, "report"):
        found = con.execute(f"select * from report.{name} order by all")
        columns = [column[0] for column in found.description or ()]
        tables[name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return tables


def _tables(con: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = ?"
        " and database_name = current_database() order by table_name",
        [schema],
    ).fetchall()
    return [name for (name,) in rows]


def _write_pages(
    tables: Tables, edge: Mapping[str, Tables], night: Path, progress: Progress
) -> None:
    """Each audience's pages in a folder that nobody but the account of the night may open."""
    night.mkdir(mode=0o700)
    own = {audience: {**tables, **edge.get(audience, {})} for audience in AUDIENCES}
    total = sum(count_pages(audience, own[audience]) for audience in AUDIENCES)
    done = 0
    for audience in AUDIENCES:
        folder = night / audience
        folder.mkdir(mode=0o700)
        keep = partial(_write, folder)
        for name, content in render(audience, own[audience], keep=keep):
            keep(name, content)
            done += 1
            progress.advance(done, total)
        for name, held in attachments(audience, tables):
            (night / audience / name).write_bytes(held)


def _write(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # CSV has line ends of its own.
    path.write_text(content, encoding="utf-8", newline="")


def _write_audit(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """One Parquet file per table, a small database of views over them, a data dictionary."""
    names = []
    for stage in AUDITED:
        (folder / stage).mkdir(parents=True, exist_ok=True)
        for table in _tables(con, stage):
            if table in NOT_AUDITED:
                continue
            order = HISTORY_ORDER if table.endswith("_version") else "all"
            stated = table.endswith("_version") or table in ("alias_record", "objection_record")
            since = "known_from" if stated else None
            since = since or ("as_of" if table.endswith("_record") else None)
            known = f" where {since} <= valid.night()" if since else ""
            target = folder / stage / f"{table}.parquet"
            con.execute(
                f"copy (select * from {stage}.{table}{known} order by {order})"
                f" to {literal(str(target))} (format parquet, compression zstd)"
            )
            names.append((stage, table))
    _write_views(folder, names)
    (folder / "dictionary.csv").write_text(_dictionary(con), encoding="utf-8")
    (folder / "README.txt").write_text(
        "Open audit.duckdb from this folder: duckdb -readonly audit.duckdb\n"
        "Each view reads the Parquet file of the same name; dictionary.csv explains every column.\n"
        "scores.html lists the newest scores with the file and line they came from.\n"
        "review.html leads to risk answers and reliable deteriorations, case by case.\n",
        encoding="utf-8",
    )


def _write_views(folder: Path, names: list[tuple[str, str]]) -> None:
    con = duckdb.connect(str(folder / "audit.duckdb"))
    try:
        # Views hold relative paths, so that the folder can be copied to an auditor's machine.
        con.execute("set file_search_path = ?", [str(folder)])
        for stage, table in names:
            con.execute(f"create schema if not exists {stage}")
            con.execute(
                f"create view {stage}.{table} as select * from read_parquet('{stage}/{table}.parquet')"
            )
    finally:
        con.close()


def _dictionary(con: duckdb.DuckDBPyConnection) -> str:
    """Table, column, type and meaning of everything in the snapshot, as CSV."""
    rows = con.execute(
        f"""
        select c.schema_name, c.table_name, c.column_name, c.data_type, c.comment, t.comment
        from duckdb_columns() c join duckdb_tables() t
          on t.schema_name = c.schema_name and t.table_name = c.table_name
         and t.database_name = c.database_name
        where c.schema_name in {AUDITED} and c.database_name = current_database()
        order by c.schema_name, c.table_name, c.column_index"""
    ).fetchall()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["stage", "table", "column", "type", "meaning", "table_meaning"])
    writer.writerows(rows)
    return out.getvalue()


def _write_summary(
    tables: dict[str, list[dict[str, Any]]], con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    """night.json: what `rapport status` and other programs read; no clock in it, no patient."""
    refused = con.execute(
        "select d.clinic_id, d.file_name, d.state, d.reason, d.delivery_id"
        " from landed.delivery_record d"
        " where d.state <> 'read' and d.superseded_on is null and d.as_of <= valid.night()"
        " order by all"
    ).fetchall()
    keys = ("clinic_id", "file", "state", "rule", "delivery_id")
    summary = {
        "night": tables["night"][0],
        "clinics": tables["clinic"],
        "refused": [dict(zip(keys, row, strict=True)) for row in refused],
        "deliveries": [d for d in tables["delivery"] if d["as_of"] == tables["night"][0]["as_of"]],
    }
    text = json.dumps(summary, indent=1, default=str, ensure_ascii=False)
    (folder / "night.json").write_text(text + "\n", encoding="utf-8")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        else:
            sync_folder(path)
    sync_folder(folder)


def _move_current(workspace: Workspace, place: Path) -> None:
    """Point `current` at the newest night; a past night rendered again does not move it."""
    link = workspace.current
    if link.is_dir() and not link.is_symlink():
        raise StreetError(
            f"{link}: is a folder, not the link to the last green night",
            "Move it away; the next run sets the link.",
        )
    if link.is_symlink() and _night(link.readlink().name) > _night(place.name):
        return
    partial = link.with_name(".current")
    partial.unlink(missing_ok=True)
    partial.symlink_to(place.name)
    partial.replace(link)
    sync_folder(workspace.published)


def _night(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:\.r(\d+))?", name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)
