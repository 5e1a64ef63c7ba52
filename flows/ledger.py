"""The ledger: which files came when, under which rules they were read, and which nights stand."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from flows.calendar import nights_between
from flows.errors import FileRefused, RapportError, WorkspaceError
from flows.reading.delivery import find_source
from flows.reading.finding import Findings
from flows.validate import NOT_LANDED, Pending, enter_findings
from schemas.export_format import Mapping, Source


@dataclass(frozen=True)
class PublishedNight:
    """A revision of a night that was published."""

    revision: int
    fingerprint: str


def last_published(con: duckdb.DuckDBPyConnection, as_of: date) -> PublishedNight | None:
    """The newest published revision of a night."""
    row = con.execute(
        "select revision, fingerprint from landed.night_record"
        " where as_of = ? and state = 'published' order by revision desc limit 1",
        [as_of],
    ).fetchone()
    return PublishedNight(*row) if row else None


def begin(con: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """Begin a revision of a night, or go on with one that was interrupted; its number."""
    row = con.execute(
        "select revision from landed.night_record where as_of = ? and state = 'running'", [as_of]
    ).fetchone()
    if row:
        return int(row[0])
    last = last_published(con, as_of)
    revision = last.revision + 1 if last else 1
    con.execute("insert into landed.night_record values (?, ?, 'running', null)", [as_of, revision])
    return revision


def is_past(con: duckdb.DuckDBPyConnection, as_of: date) -> bool:
    """True where a later night has landed or published something: nothing can be landed before it."""
    row = con.execute(
        "select (select count(*) from landed.night_record where as_of > $as_of and state = 'published')"
        " + (select count(*) from landed.delivery_record where as_of > $as_of)",
        {"as_of": as_of},
    ).fetchone()
    return bool(row and row[0])


def fall_back(con: duckdb.DuckDBPyConnection, as_of: date, revision: int, stands: int) -> None:
    """Give up a revision that would be equal to the one that stands."""
    if revision == stands:
        return
    about = [as_of, revision]
    con.execute("delete from landed.night_record where as_of = ? and revision = ?", about)
    con.execute("delete from landed.clinic_night_record where as_of = ? and revision = ?", about)
    con.execute(
        "update landed.arrival_record set revision = ? where as_of = ? and revision = ?",
        [stands, *about],
    )


def mark_published(
    con: duckdb.DuckDBPyConnection, as_of: date, revision: int, fingerprint: str
) -> None:
    """Enter that a revision is published."""
    con.execute(
        "update landed.night_record set state = 'published', fingerprint = ?"
        " where as_of = ? and revision = ?",
        [fingerprint, as_of, revision],
    )


def enter_clinic(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    revision: int,
    clinic_id: str,
    state: str,
    reason: str | None,
) -> None:
    """Enter how a clinic's night went; a resumed night overwrites what it said before."""
    about = [as_of, revision, clinic_id]
    con.execute(
        "delete from landed.clinic_night_record where as_of = ? and revision = ? and clinic_id = ?",
        about,
    )
    con.execute(
        "insert into landed.clinic_night_record values (?, ?, ?, ?, ?)", [*about, state, reason]
    )


def rules_in_force(con: duckdb.DuckDBPyConnection, clinic_id: str, rules_hash: str) -> str:
    """The name under which a clinic's files are read tonight: rules that come back are news again.

    Rules that were in force, were replaced and are put back get a number behind their hash: what was
    read under them the first time has been replaced meanwhile.
    """
    places = ", ".join("?" for _ in NOT_LANDED)
    names = con.execute(
        "select rules_hash from landed.delivery_record"
        f" where clinic_id = ? and coalesce(reason, '') not in ({places})"
        " group by rules_hash order by max(sequence)",
        [clinic_id, *NOT_LANDED],
    ).fetchall()
    same = [name for (name,) in names if name.partition("~")[0] == rules_hash]
    if not same or names[-1][0] in same:
        return names[-1][0] if same else rules_hash
    return f"{rules_hash}~{len(same) + 1}"


def times_read(
    con: duckdb.DuckDBPyConnection, clinic_id: str, source: Source, sha256: str, rules_hash: str
) -> int | None:
    """How often these bytes were read under these rules; None where they are the news that stands.

    A snapshot that comes back after another one states the present again, so it is read again;
    everything else that was read before is no news.
    """
    row = con.execute(
        """
        select count(*) filter (where sha256 = $sha and rules_hash = $rules) as times,
               arg_max(sha256, sequence) filter (where state = 'read' and not is_stale) as last
        from landed.delivery_record where clinic_id = $clinic and source_name = $source""",
        {"sha": sha256, "rules": rules_hash, "clinic": clinic_id, "source": source.name},
    ).fetchone()
    times, last = row if row else (0, None)
    if not times:
        return 0
    comes_back = source.delivery == "snapshot" and last is not None and last != sha256
    return int(times) if comes_back else None


def is_landed(con: duckdb.DuckDBPyConnection, clinic_id: str, source: Source, sha256: str) -> bool:
    """True where these bytes were landed as this source before, under whatever rules."""
    row = con.execute(
        "select count(*) from landed.delivery_record"
        " where clinic_id = ? and source_name = ? and sha256 = ?",
        [clinic_id, source.name, sha256],
    ).fetchone()
    return bool(row and row[0])


def enter_unchanged(
    con: duckdb.DuckDBPyConnection, as_of: date, revision: int, clinic_id: str, pending: Pending
) -> None:
    """Record that known bytes came again; not where the same night was only interrupted."""
    con.execute(
        """
        insert into landed.arrival_record
        select $as_of, $revision, $clinic, $name, $sha, null, 'unchanged', null
        where not exists (
            select 1 from landed.arrival_record
            where as_of = $as_of and clinic_id = $clinic and sha256 = $sha and file_name = $name)""",
        {
            "as_of": as_of,
            "revision": revision,
            "clinic": clinic_id,
            "name": pending.name,
            "sha": pending.sha256,
        },
    )


def readings_under_other_rules(
    con: duckdb.DuckDBPyConnection, clinic_id: str, rules_hash: str
) -> list[Pending]:
    """Every landed file of a clinic in order of arrival, if any was not read under these rules."""
    places = ", ".join("?" for _ in NOT_LANDED)
    rows = con.execute(
        f"""
        select file_name, sha256, min(size_bytes), repeat, bool_or(rules_hash = ?) as is_current
        from landed.delivery_record
        where clinic_id = ? and coalesce(reason, '') not in ({places})
        group by file_name, sha256, repeat order by min(sequence)""",
        [rules_hash, clinic_id, *NOT_LANDED],
    ).fetchall()
    if all(is_current for *_, is_current in rows):
        return []
    return [
        Pending(name, sha256, size, "re-read", is_released(con, clinic_id, sha256), repeat)
        for name, sha256, size, repeat, _ in rows
    ]


def readings(con: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """Every reading up to a night, in order: part of what a night's pages depend on."""
    return [
        f"{clinic} {identity} {state}"
        for clinic, identity, state in con.execute(
            "select clinic_id, delivery_id, state from landed.delivery_record where as_of <= ?"
            " and superseded_on is null order by clinic_id, sequence, delivery_id",
            [as_of],
        ).fetchall()
    ]


def aliases(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every alias that holds tonight, in order."""
    rows = con.execute("select kind, from_id, to_id, since, until from landed.alias order by all")
    return [" ".join(map(str, row)) for row in rows.fetchall()]


def landed_files(con: duckdb.DuckDBPyConnection, as_of: date) -> list[tuple[str, str, str]]:
    """Clinic, name and hash of every file whose bytes are archived and published."""
    places = ", ".join("?" for _ in NOT_LANDED)
    rows = con.execute(
        "select distinct clinic_id, file_name, sha256 from landed.arrival_record"
        f" where as_of <= ? and coalesce(reason, '') not in ({places})"
        " order by all",
        [as_of, *NOT_LANDED],
    ).fetchall()
    return [(clinic, name, sha256) for clinic, name, sha256 in rows]


def refused(
    con: duckdb.DuckDBPyConnection, as_of: date, revision: int
) -> list[tuple[str, str, str]]:
    """Clinic, name and rule of the files a night refused or held."""
    rows = con.execute(
        "select distinct clinic_id, file_name, reason from landed.arrival_record"
        " where as_of = ? and revision = ? and outcome in ('refused', 'held') order by all",
        [as_of, revision],
    ).fetchall()
    return [(clinic, name, rule) for clinic, name, rule in rows]


def source_of(mapping: Mapping, name: str) -> tuple[Source | None, str | None, dict[str, Any]]:
    """The source a file of this name belongs to, or the rule that keeps it from being landed."""
    try:
        return find_source(mapping, name), None, {}
    except FileRefused as refusal:
        return None, refusal.rule, refusal.about


def check_key(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """See that the pseudonymisation key is the one the warehouse was filled with.

    Raises:
        WorkspaceError: when it is another one.
    """
    found = hmac.new(key, b"rapport", "sha256").hexdigest()
    row = con.execute("select fingerprint from landed.key_record").fetchone()
    if row is None:
        con.execute("insert into landed.key_record values (?)", [found])
    elif row[0] != found:
        raise WorkspaceError(
            "key: is not the key this warehouse was filled with",
            "Restore the key from your backup; with another one every patient would be counted twice.",
        )


def enter_skipped(con: duckdb.DuckDBPyConnection, cron: str | None, as_of: date) -> list[date]:
    """Enter the nights that were scheduled since the last published one and never ran."""
    row = con.execute(
        "select max(as_of) from landed.night_record where state = 'published' and as_of < ?",
        [as_of],
    ).fetchone()
    if cron is None or not row or row[0] is None:
        return []
    skipped = nights_between(row[0], as_of, cron)
    for night in skipped:
        con.execute(
            "insert into landed.skipped_night_record select $night, $as_of where not exists"
            " (select 1 from landed.skipped_night_record where night = $night)",
            {"night": night, "as_of": as_of},
        )
    return skipped


def release(con: duckdb.DuckDBPyConnection, delivery: str, why: str, on: date) -> str:
    """Release a held delivery: the next night reads it as it is. Returns its file name.

    Raises:
        RapportError: when there is no such held delivery.
    """
    held = con.execute(
        "select delivery_id, clinic_id, sha256, file_name from landed.delivery_record"
        " where state = 'held' and superseded_on is null order by clinic_id, sequence"
    ).fetchall()
    found = [row for row in held if row[0].startswith(delivery) or row[3] == delivery]
    if len(found) != 1:
        listed = [f"{row[0]}  {row[1]}/{row[3]}" for row in held] or ["nothing is held"]
        raise RapportError([f"{delivery}: names {len(found)} held deliveries", *listed])
    identity, clinic_id, sha256, name = found[0]
    con.execute(
        "insert into landed.release_record values (?, ?, ?, ?, ?)",
        [identity, clinic_id, sha256, why, on],
    )
    return f"{clinic_id}/{name}"


def is_released(con: duckdb.DuckDBPyConnection, clinic_id: str, sha256: str) -> bool:
    """True where a person released these bytes."""
    row = con.execute(
        "select count(*) from landed.release_record where clinic_id = ? and sha256 = ?",
        [clinic_id, sha256],
    ).fetchone()
    return bool(row and row[0])


def released_unread(
    con: duckdb.DuckDBPyConnection, clinic_id: str, rules_hash: str
) -> list[Pending]:
    """Held files that were released and not read since."""
    rows = con.execute(
        """
        select d.file_name, d.sha256, d.size_bytes
        from landed.delivery_record d
        where d.clinic_id = $clinic and d.state = 'held' and d.superseded_on is null
          and exists (
              select 1 from landed.release_record r
              where r.clinic_id = d.clinic_id and r.sha256 = d.sha256)
        order by d.sequence""",
        {"clinic": clinic_id},
    ).fetchall()
    known = {p.sha256 for p in readings_under_other_rules(con, clinic_id, rules_hash)}
    return [
        Pending(name, sha256, size, "released", is_released=True)
        for name, sha256, size in rows
        if sha256 not in known
    ]


class Staying:
    """Files that stay in the inbox: named every night until they are renamed, mended or taken away."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        as_of: date,
        revision: int,
        clinic_id: str,
        rules_hash: str,
    ) -> None:
        self.con = con
        self.as_of = as_of
        self.revision = revision
        self.clinic_id = clinic_id
        self.rules_hash = rules_hash

    def clear(self) -> None:
        """Forget the clinic's earlier refusals of this kind; those that still hold are entered anew."""
        places = ", ".join("?" for _ in NOT_LANDED)
        self.con.execute(
            "update landed.delivery_record set superseded_on = ? where clinic_id = ?"
            f" and superseded_on is null and reason in ({places})",
            [self.as_of, self.clinic_id, *NOT_LANDED],
        )

    def enter(self, name: str, rule: str, about: dict[str, Any]) -> None:
        """Name a file that is not landed."""
        identity = hashlib.sha256(
            "\x1f".join((self.clinic_id, name, rule, self.rules_hash)).encode()
        ).hexdigest()[:16]
        findings = Findings()
        findings.add(rule, **about)
        self.con.execute("delete from landed.delivery_record where delivery_id = ?", [identity])
        self.con.execute("delete from finding.finding_record where delivery_id = ?", [identity])
        self.con.execute(
            "delete from landed.arrival_record where delivery_id = ? and as_of = ? and revision = ?",
            [identity, self.as_of, self.revision],
        )
        self.con.execute(
            """
            insert into landed.delivery_record by name
            select $id as delivery_id, $clinic as clinic_id, $name as file_name, '' as sha256,
                   0 as size_bytes, $rules as rules_hash, $as_of as as_of, $revision as revision,
                   0 as sequence, 0 as repeat, 'refused' as state, $rule as reason, false as is_snapshot,
                   false as is_stale, 0 as n_records, 0 as n_used, 0 as n_dropped,
                   0 as n_rejected, 0 as forms_found, 0 as forms_new, 0 as forms_superseding,
                   0 as forms_unchanged, 0 as forms_rejected, 0 as forms_held""",
            {
                "id": identity, "clinic": self.clinic_id, "name": name, "rules": self.rules_hash,
                "as_of": self.as_of, "revision": self.revision, "rule": rule,
            },
        )  # fmt: skip
        self.con.execute(
            "insert into landed.arrival_record values (?, ?, ?, ?, '', ?, 'refused', ?)",
            [self.as_of, self.revision, self.clinic_id, name, identity, rule],
        )
        about_file = {"id": identity, "clinic": self.clinic_id, "name": name, "as_of": self.as_of}
        enter_findings(self.con, findings, about_file)
