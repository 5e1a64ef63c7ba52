"""Fills the ref.* tables: instruments, numbers of the rules, clinics, periods, definitions."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from flows.reference_period import periods
from flows.reference_rows import INSTRUMENT_TABLES, Row, instrument_rows
from flows.reference_rules import rule_rows
from flows.sql_files import SQL_ROOT, measures, read_sql_files
from flows.targets import Target, target_faults, target_rows
from schemas.instrument import find
from schemas.instrument_types import Instrument

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
DEFAULTS = SCHEMAS / "defaults.toml"
OUTCOME_SET = SCHEMAS / "talking_therapies.toml"

# Defaults that are lists; a service sets them, if at all, elsewhere than among the thresholds.
LISTS = frozenset({"outcome_preference", "phase_ends", "worklist_facts", "worklist_before_chance"})

TABLES: Mapping[str, str] = {
    **INSTRUMENT_TABLES,
    "clinic": "clinic_id varchar, clinic_name varchar",
    "setting": "name varchar, value decimal(18,6), source varchar",
    # The agreement that figures of therapists rest on stands here too, and what chances of single
    # patients may be shown on; NULL there is none.
    "night": "service_name varchar, revision integer, program_version varchar, agreement varchar,"
    " agreed_on date, risk_owner varchar, risk_basis varchar, risk_assessment varchar,"
    " risk_assessed_on date",
    # Levels that have the period, NULL for all; the longer period that its figures add up to; whether
    # it is only the part so far of a period that goes on.
    "period": "period_id varchar, period_kind varchar, period_start date, period_end date,"
    " label varchar, levels varchar[], block_id varchar, is_partial boolean, period_order integer",
    # Days on which deliveries are due, and the night by which each must have come.
    "delivery_due": "clinic_id varchar, due_on date, night date",
    "protocol": "clinic_id varchar, instrument_id varchar, respondent varchar, every integer,"
    " is_inferred boolean",
    # Phases of treatment by session; the last has no end.
    "phase": "phase integer, session_from integer, session_to integer, label varchar",
    # Plain facts that put a course on the worklist, the most pressing first; those that together put
    # it before every chance.
    "worklist_fact": "rank integer, sign varchar, is_before_chance boolean",
    "outcome_preference": "rank integer, instrument_id varchar",
    # Everything that is compared with the night before to say whether a rule changed.
    "rule": "kind varchar, name varchar, content varchar",
    # The outcome set of NHS Talking Therapies; its thresholds are those of this population.
    "outcome_set": "instrument_id varchar, role varchar, rank integer, population varchar,"
    " diagnosis_groups varchar[]",
    "target": "level varchar, unit_id varchar, measure varchar, instrument_id varchar,"
    " value decimal(18,6), direction varchar, source varchar",
    "definition": "measure varchar, label varchar, version varchar, numerator varchar,"
    " denominator varchar, minimum integer, better varchar, why varchar, source varchar,"
    " sql_path varchar, section varchar, figure_order integer, kind varchar, sql_text varchar,"
    " levels varchar[], is_where_used boolean, has_funnel boolean, counts_endings boolean",
}

# A measure that reads one of these moves for weeks after its period, as silence becomes an ending.
ENDINGS = frozenset({"score.finished_course", "score.open_at_end"})


# No course has so many sessions.
FOREVER = 1_000_000


class ReferenceFaults(Exception):
    """Everything wrong with the numbers and names handed to fill_reference."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True)
class Service:
    """What the workspace says of its service, in plain values."""

    name: str
    clinics: Mapping[str, str]  # clinic id to the name printed
    revision: int = 1
    financial_year_starts: int = 1  # month
    program_version: str = ""
    # Overrides of schemas/defaults.toml by name.
    thresholds: Mapping[str, Decimal | float | int] = field(default_factory=dict)
    # Days on which deliveries are due: clinic id, day, night by which it must have come.
    deliveries_due: Sequence[tuple[str, date, date]] = ()
    # Expected forms: {clinic, instrument, every}; every = 1 each session, k each k-th session,
    # None first and last only. The instrument may be an id or a name.
    protocol: Sequence[Mapping[str, Any]] = ()
    outcome_preference: Sequence[str] = ()  # instrument ids or names, first decides
    disabled_instruments: Sequence[str] = ()
    targets: Sequence[Target] = ()
    # What figures of therapists rest on: where it is found, and from when it holds.
    therapist_agreement: tuple[str, date] | None = None
    # What chances of single patients may be shown on: owner, legal basis, assessment, its date.
    patient_risk: tuple[str, str, str, date] | None = None


def fill_reference(
    con: duckdb.DuckDBPyConnection,
    instruments: Mapping[str, Instrument],
    service: Service,
    as_of: date,
    sql_root: Path = SQL_ROOT,
) -> None:
    """Create and fill every ref.* table; what was there before is replaced.

    Raises:
        ReferenceFaults: when a threshold, instrument or clinic is named that does not exist.
    """
    defaults = _defaults()
    preference = defaults.pop("outcome_preference")["value"]
    phase_ends = defaults.pop("phase_ends")["value"]
    worklist_facts = defaults.pop("worklist_facts")["value"]
    before_chance = defaults.pop("worklist_before_chance")["value"]
    faults = reference_faults(service, instruments)
    if faults:
        raise ReferenceFaults(faults)
    disabled = _ids(instruments, service.disabled_instruments)
    rows = instrument_rows(instruments, disabled)
    rows["clinic"] = sorted(service.clinics.items())
    rows["setting"] = _settings(defaults, service.thresholds)
    agreement = service.therapist_agreement or (None, None)
    risk = service.patient_risk or (None,) * 4
    about = (service.name, service.revision, service.program_version)
    rows["night"] = [(*about, *agreement, *risk)]
    rows["worklist_fact"] = [
        (rank, sign, sign in before_chance) for rank, sign in enumerate(worklist_facts, start=1)
    ]
    rows["period"] = periods(as_of, service.financial_year_starts)
    rows["delivery_due"] = sorted(service.deliveries_due)
    rows["protocol"] = _protocol(service.protocol, instruments)
    wanted = _ids(instruments, service.outcome_preference) or preference
    rows["phase"] = _phases(phase_ends)
    rows["outcome_preference"] = _preference(wanted, instruments)
    rows["outcome_set"] = _outcome_set()
    rows["definition"] = definitions(sql_root, {name: value for name, value, _ in rows["setting"]})
    rows["target"] = target_rows(service.targets, instruments)
    files = read_sql_files(sql_root)
    rows["rule"] = rule_rows(files, instruments, disabled, rows, service.program_version)
    con.execute("create schema if not exists ref")
    for table, columns in TABLES.items():
        con.execute(f"create or replace table ref.{table} ({columns})")
        _insert(con, table, rows[table])


def fill_instruments(con: duckdb.DuckDBPyConnection, instruments: Mapping[str, Instrument]) -> None:
    """Create and fill the ref.* tables that scoring alone reads."""
    con.execute("create schema if not exists ref")
    rows = instrument_rows(instruments, ())
    for table, columns in INSTRUMENT_TABLES.items():
        con.execute(f"create or replace table ref.{table} ({columns})")
        _insert(con, table, rows[table])


def threshold_names() -> frozenset[str]:
    """The names a workspace may override."""
    return frozenset(_defaults()) - LISTS


def _defaults() -> dict[str, Any]:
    return tomllib.loads(DEFAULTS.read_text(encoding="utf-8"), parse_float=Decimal)


def reference_faults(service: Service, instruments: Mapping[str, Instrument]) -> list[str]:
    """Return every name in the service's settings that stands for nothing, as sentences."""
    known = sorted(instrument.name for instrument in instruments.values())
    faults = _threshold_faults(service.thresholds)
    named = [
        *(
            (f"protocol[{i}].instrument", row["instrument"])
            for i, row in enumerate(service.protocol)
        ),
        *((f"outcome_preference[{i}]", word) for i, word in enumerate(service.outcome_preference)),
        *((f"disabled_instruments[{i}]", w) for i, w in enumerate(service.disabled_instruments)),
    ]
    faults += [
        f"{path}: no instrument {word!r}; there are {', '.join(known)}"
        for path, word in named
        if find(instruments, word) is None
    ]
    faults += [
        f"instrument {i.name}: counterpart.instrument: no form rated by the patient has the id"
        f" {i.counterpart.instrument!r}"
        for i in instruments.values()
        if i.counterpart and not _is_patient_form(instruments.get(i.counterpart.instrument))
    ]
    due = sorted({clinic for clinic, _, _ in service.deliveries_due} - set(service.clinics))
    faults += [f"calendar: no clinic {clinic!r}" for clinic in due]
    faults += [
        f"protocol[{i}].clinic: no clinic {row['clinic']!r}"
        for i, row in enumerate(service.protocol)
        if row["clinic"] not in service.clinics
    ]
    return faults + target_faults(service.targets, service.clinics, instruments)


def _is_patient_form(instrument: Instrument | None) -> bool:
    return instrument is not None and instrument.respondent == "patient"


def _threshold_faults(thresholds: Mapping[str, Decimal | float | int]) -> list[str]:
    defaults, faults = _defaults(), []
    for name, value in sorted(thresholds.items()):
        if name not in threshold_names():
            names = ", ".join(sorted(threshold_names()))
            faults.append(f"thresholds.{name}: no such threshold; there are {names}")
        elif not defaults[name]["least"] <= value <= defaults[name]["most"]:
            least, most = defaults[name]["least"], defaults[name]["most"]
            faults.append(f"thresholds.{name}: must lie between {least} and {most}")
    return faults


def definitions(sql_root: Path, settings: Mapping[str, Decimal]) -> list[Row]:
    """One row per measure file: its words, and its SQL as text.

    A threshold that the words name in braces is told as it is set.
    """
    told = {name: f"{value.normalize():f}" for name, value in settings.items()}
    rows: list[Row] = []
    for file in measures(sql_root):
        words = dict(file.header.words) | {
            key: file.header.words[key].format_map(told)
            for key in ("label", "numerator", "denominator", "why")
        }
        first = [words[key] for key in ("label", "version", "numerator", "denominator")]
        rest = [words[key] for key in ("better", "why", "source")]
        placed = [words["section"], int(words["order"]), words["kind"], file.text]
        levels = words.get("levels", "service, clinic, therapist").split(", ")
        shown = [levels, words.get("where") == "used", words.get("funnel") == "yes"]
        shown.append(not ENDINGS.isdisjoint(file.inputs))
        rows.append((file.table, *first, int(words["minimum"]), *rest, file.path, *placed, *shown))
    return rows


def _ids(instruments: Mapping[str, Instrument], words: Iterable[str]) -> list[str]:
    return [found.id for word in words if (found := find(instruments, word))]


def _settings(
    defaults: Mapping[str, Any], overrides: Mapping[str, Decimal | float | int]
) -> list[Row]:
    return [
        (name, Decimal(str(overrides[name])), "set by the service")
        if name in overrides
        else (name, Decimal(str(row["value"])), row["source"])
        for name, row in sorted(defaults.items())
    ]


def _protocol(
    protocol: Sequence[Mapping[str, Any]], instruments: Mapping[str, Instrument]
) -> list[Row]:
    rows: list[Row] = []
    for row in protocol:
        instrument = instruments[_ids(instruments, [row["instrument"]])[0]]
        respondent = row.get("respondent") or instrument.respondent
        rows.append((row["clinic"], instrument.id, respondent, row.get("every"), False))
    return rows


def _phases(ends: Sequence[int]) -> list[Row]:
    starts = [1, *(end + 1 for end in ends)]
    closed = [
        (number, start, end, f"sessions {start} to {end}")
        for number, (start, end) in enumerate(zip(starts, ends, strict=False), start=1)
    ]
    return [*closed, (len(starts), starts[-1], FOREVER, f"session {starts[-1]} and later")]


def _preference(wanted: Sequence[str], instruments: Mapping[str, Instrument]) -> list[Row]:
    outcome = [i.id for i in instruments.values() if i.kind != "alliance"]
    ordered = [w for w in wanted if w in outcome] + sorted(set(outcome) - set(wanted))
    return [(rank, instrument_id) for rank, instrument_id in enumerate(ordered, start=1)]


def _outcome_set() -> list[Row]:
    listed = tomllib.loads(OUTCOME_SET.read_text(encoding="utf-8"))
    return [
        (row["instrument"], row["role"], rank, listed["population"], row.get("diagnosis_groups"))
        for rank, row in enumerate(listed["measure"], start=1)
    ]


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    """One statement for all rows: these tables are small, and executemany is slow in DuckDB."""
    if rows:
        marks = "(" + ", ".join("?" * len(rows[0])) + ")"
        values = [value for row in rows for value in row]
        con.execute(f"insert into ref.{table} values {', '.join([marks] * len(rows))}", values)
