"""Opens a published night as a database whose tables have the names that the night's own had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from flows.errors import NothingPublished
from flows.published import snapshot_folder
from flows.reading.cells import literal

NEEDED = ("score/scale_score", "valid/form_version", "measure/total", "ref/setting")
# What the night calls a form, an appointment's clinic and the like are views there; here they are
# made anew from the versions that the snapshot holds.
_VIEWS = """
create view valid.form as
select
    v.row_id as form_id, v.clinic_id, place.patient_id, v.episode_id, v.session_label,
    v.instrument_id, v.respondent, v.answered_at, v.answered_at::date as answered_on, v.answers,
    v.missing, v.input_form
from valid.form_version v join score.form_place place on v.row_id = place.form_id
where v.known_to > getvariable('as_of')::date;
create view valid.episode as
select v.* replace (coalesce(alias.to_id, v.patient_id) as patient_id)
from valid.episode_version v
left join landed.alias_record alias
    on alias.kind = 'patient' and alias.from_id = v.patient_id
    and alias.known_from <= getvariable('as_of')::date
    and alias.known_to > getvariable('as_of')::date
where v.known_to > getvariable('as_of')::date;
create view valid.stated_score as
select form_id, stated.scale, stated.value, stated.role
from (
    select row_id as form_id, unnest(stated) as stated from valid.form_version
    where known_to > getvariable('as_of')::date
);
create view landed.alert as
from (
    from landed.alert_record
    where as_of < getvariable('as_of')::date
    qualify revision = max(revision) over (partition by as_of)
)
where section = 'to_do';
create view landed.arrival as from landed.arrival_record;
create view valid.clinic as
select clinic_id, max(day)::date as data_through
from (
    select clinic_id, answered_at::date as day from valid.form_version
    where known_to > getvariable('as_of')::date
    union all
    select clinic_id, planned_at::date from valid.appointment_version
    where known_to > getvariable('as_of')::date and status <> 'booked'
    union all
    select clinic_id, unnest([started_on, ended_on]) from valid.episode_version
    where known_to > getvariable('as_of')::date
)
where day <= getvariable('as_of')::date
group by clinic_id;
"""


@contextmanager
def open_snapshot(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory over the Parquet files of a published night; nothing is written.

    Raises:
        NothingPublished: when the folder holds no published night, or not all of one.
    """
    audit = snapshot_folder(folder)
    as_of = night_of(folder)
    missing = [name for name in NEEDED if not (audit / f"{name}.parquet").is_file()]
    if missing:
        raise NothingPublished([f"{audit / name}.parquet: missing" for name in missing])
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.execute("set autoinstall_known_extensions = false")
        con.execute(f"set variable as_of = date '{as_of.isoformat()}'")
        try:
            for path in sorted(audit.glob("*/*.parquet")):
                con.execute(f"create schema if not exists {path.parent.name}")
                source = f"read_parquet({literal(str(path))})"
                con.execute(
                    f'create view {path.parent.name}."{path.stem}" as select * from {source}'
                )
            con.execute(_VIEWS)
        except duckdb.Error as error:
            raise NothingPublished(
                f"{audit}: cannot be read ({type(error).__name__})",
                "sha256sum --check SHA256SUMS says which file is damaged.",
            ) from None
        yield con


def night_of(folder: Path) -> date:
    """The date of a published night.

    Raises:
        NothingPublished: when the folder holds none.
    """
    try:
        night = json.loads((folder / "night.json").read_text(encoding="utf-8"))["night"]
        return date.fromisoformat(night["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        raise NothingPublished(
            f"{folder}: holds no published night",
            "Name the folder of a night: published/current, or a copy of one.",
        ) from None
