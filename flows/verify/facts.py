"""What second computations are fed with: rows of the night's tables as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

import duckdb

from flows.second.change import METHODS, Group, Norm
from flows.second.course import Course
from flows.second.rules import Questionnaire, Row, Rules, Scale, Threshold
from flows.second.rupture import RuptureRules

Rows = list[dict[str, Any]]
# Key → what was computed, or what the SQL says.
Figures = dict[tuple[Any, ...], tuple[Any, ...]]
# By topic.
Told = dict[str, Figures]
# The courses of the patients drawn.
DRAWN_COURSES = "select episode_id from score.course where patient_id in (from drawn)"
IN_COURSES = f"where episode_id in ({DRAWN_COURSES})"


@dataclass(frozen=True)
class Sample:
    """Patients whose figures are computed again, and out of how many they were drawn."""

    patients: tuple[str, ...]
    n_patients: int
    seed: int

    @property
    def is_whole(self) -> bool:
        """Whether nobody was left out."""
        return len(self.patients) == self.n_patients


@dataclass
class Patient:
    """Everything of one patient that the figures rest on."""

    courses: list[Course] = field(default_factory=list)
    forms: Rows = field(default_factory=list)


@dataclass(frozen=True)
class Constants:
    """What stands for a quarter, or is set: the second computation takes it as it is."""

    groups: Mapping[str, Group]
    critical: Mapping[str, float]
    spreads: Mapping[str, float]
    rupture: RuptureRules
    # The patient's form, the therapist's, and whether they ask the same.
    counterparts: Sequence[tuple[str, str, bool]]
    dyad_min_pairs: int


@dataclass(frozen=True)
class Facts:
    """The sampled patients, and what the rules and questionnaires say."""

    as_of: date
    sample: Sample
    rules: Rules
    questionnaires: Mapping[str, Questionnaire]
    norms: Mapping[str, Norm]
    patients: Mapping[str, Patient]
    stated: Mapping[str, Mapping[str, Fraction]]
    data_through: Mapping[str, date]
    # Per clinic: instrument and every how many sessions; None first and last.
    protocol: Mapping[str, Sequence[tuple[str, int | None]]]
    preference: Sequence[str]
    constants: Constants


def rows(con: duckdb.DuckDBPyConnection, query: str, *given: Any) -> Rows:
    """The rows of a query as dictionaries."""
    found = con.execute(query, list(given))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def draw_sample(con: duckdb.DuckDBPyConnection, most: int, seed: int) -> Sample:
    """All patients, or as many as asked for, drawn by a hash of seed and pseudonym."""
    everyone = "(select patient_id from score.form_place union select patient_id from score.course)"
    counted = con.execute(f"select count(*) from {everyone} where patient_id is not null")
    (n,) = counted.fetchone() or (0,)
    drawn = con.execute(
        f"select patient_id from {everyone} where patient_id is not null"
        " order by md5(? || patient_id), patient_id limit ?",
        [f"{seed}/", most],
    ).fetchall()
    return Sample(tuple(sorted(patient for (patient,) in drawn)), n, seed)


def read_facts(con: duckdb.DuckDBPyConnection, sample: Sample) -> Facts:
    """Read what the second computations of the sampled patients need."""
    con.execute(
        "create or replace temp table drawn as select unnest(?::varchar[]) as patient_id",
        [list(sample.patients)],
    )
    patients: dict[str, Patient] = defaultdict(Patient)
    _add_courses(con, patients)
    for form in rows(
        con,
        "select form_id, clinic_id, patient_id, episode_id, session_label, instrument_id,"
        " respondent, answered_at, answered_on, answers, missing, input_form"
        " from valid.form where patient_id in (from drawn) order by form_id",
    ):
        patients[form["patient_id"]].forms.append(form)
    stated: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for row in rows(
        con,
        "select form_id, scale, value from valid.stated_score where role = 'score' and value is"
        " not null and form_id in (select form_id from valid.form where patient_id in (from drawn))",
    ):
        stated[row["form_id"]][row["scale"]] = Fraction(row["value"])
    (as_of,) = con.execute("select getvariable('as_of')::date").fetchone() or (None,)
    assert isinstance(as_of, date)
    return Facts(
        as_of,
        sample,
        read_rules(con),
        read_questionnaires(con),
        read_norms(con),
        patients,
        stated,
        dict(con.execute("select clinic_id, data_through from valid.clinic").fetchall()),
        _protocol(con),
        [r["instrument_id"] for r in rows(con, "from ref.outcome_preference order by rank")],
        read_constants(con),
    )


def _add_courses(con: duckdb.DuckDBPyConnection, patients: dict[str, Patient]) -> None:
    appointments: dict[str, Rows] = defaultdict(list)
    for row in rows(
        con,
        "select placed.session_id, placed.episode_id, placed.session_on, placed.status,"
        " placed.session_label, placed.therapist_id, appointment.planned_at"
        " from score.course_appointment as placed"
        " join score.appointment as appointment using (session_id)"
        " where placed.patient_id in (from drawn) order by placed.session_id",
    ):
        appointments[row["episode_id"]].append(row)
    for row in rows(
        con,
        "select course.*, factor.diagnosis_group from score.course as course"
        " left join score.intake_factor as factor using (episode_id)"
        " where patient_id in (from drawn) order by all",
    ):
        course = Course(row, appointments[row["episode_id"]])
        patients[row["patient_id"]].courses.append(course)


def _protocol(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, int | None]]]:
    found: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for row in rows(con, "from score.protocol order by clinic_id, instrument_id"):
        found[row["clinic_id"]].append((row["instrument_id"], row["every"]))
    return found


def read_rules(con: duckdb.DuckDBPyConnection) -> Rules:
    """The numbers that held on the night, a service's own among them."""
    values = dict(con.execute("select name, value from ref.setting").fetchall())
    return Rules(**{name: Fraction(values[name]) for name in Rules.__dataclass_fields__})


def read_constants(con: duckdb.DuckDBPyConnection) -> Constants:
    """Pooled constants as frozen, and the numbers of rules that second computations name themselves."""
    values = {n: float(v) for n, v in con.execute("select name, value from ref.setting").fetchall()}
    moments = ("mean_pre", "sd_pre", "mean_post", "sd_post", "correlation")
    return Constants(
        {
            row["instrument_id"]: Group(*(row[name] for name in moments))
            for row in rows(con, "from score.change_group")
        },
        {
            **dict.fromkeys(METHODS, values["change_critical"]),
            "HA": values["change_critical_ha"],
        },
        dict(con.execute("select instrument_id, within_sd from score.within_sd").fetchall()),
        RuptureRules(
            onset_sd=values["rupture_sd"],
            min_prior=int(values["rupture_min_prior"]),
            repair_sd=values["repair_sd"],
            window=int(values["repair_window"]),
        ),
        [
            (row["patient_instrument_id"], row["therapist_instrument_id"], row["is_parallel"])
            for row in rows(con, "from ref.counterpart order by all")
        ],
        int(values["dyad_min_pairs"]),
    )


def read_norms(con: duckdb.DuckDBPyConnection) -> dict[str, Norm]:
    """Norms of each questionnaire's primary scale."""
    found = rows(
        con,
        "select norm.* from ref.change_norm as norm"
        " join ref.scale as scale using (instrument_id, scale) where scale.is_primary",
    )
    columns = ("mean_pre", "sd_pre", "reliability", "mean_functional", "sd_functional")
    return {
        row["instrument_id"]: Norm(*(_float(row[name]) for name in columns))  # pyright: ignore[reportArgumentType]
        for row in found
    }


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def read_questionnaires(con: duckdb.DuckDBPyConnection) -> dict[str, Questionnaire]:
    """Every questionnaire as the night knew it."""
    tables = {
        name: _by_instrument(rows(con, f"from ref.{name} order by all"))
        for name in (
            "item", "scale", "scale_item", "scale_part", "band", "risk_item",
            "reliable_change", "cutoff",
        )
    }  # fmt: skip
    return {
        row["instrument_id"]: _questionnaire(
            row, {name: table[row["instrument_id"]] for name, table in tables.items()}
        )
        for row in rows(con, "from ref.instrument")
    }


def _by_instrument(found: Rows) -> Mapping[str, Rows]:
    grouped: dict[str, Rows] = defaultdict(list)
    for row in found:
        grouped[row["instrument_id"]].append(row)
    return grouped


def _questionnaire(row: Row, of: Mapping[str, Rows]) -> Questionnaire:
    inapplicable = [item for item in of["item"] if item["can_be_not_applicable"]]
    scales = {scale["scale"]: _scale(scale, of) for scale in of["scale"]}
    primary = next(scale["scale"] for scale in of["scale"] if scale["is_primary"])
    return Questionnaire(
        row["kind"],
        row["respondent"],
        row["direction"],
        row["item_count"],
        row["answer_min"],
        row["answer_max"],
        frozenset(item["item"] for item in of["item"] if item["is_reversed"]),
        all(item["is_reversed"] is not None for item in of["item"]),
        frozenset(item["item"] for item in inapplicable),
        inapplicable[0]["not_applicable_value"] if inapplicable else None,
        primary,
        scales,
        {
            name: tuple((b["band_from"], b["label"]) for b in of["band"] if b["scale"] == name)
            for name in scales
        },
        tuple((r["item"], Threshold(r["op"], r["value"])) for r in of["risk_item"]),
        _default(of["reliable_change"], primary),
        _default(sorted(of["cutoff"], key=lambda cutoff: cutoff["use"]), primary),
    )


def _scale(row: Row, of: Mapping[str, Rows]) -> Scale:
    parts = tuple(p["part"] for p in of["scale_part"] if p["scale"] == row["scale"])
    made_of = parts or (row["scale"],)
    return Scale(
        tuple(item["item"] for item in of["scale_item"] if item["scale"] in made_of),
        parts,
        *(row["method"], row["factor"], row["range_min"], row["range_max"]),
        *(row["missing_rule"], row["max_missing"], row["missing_over"]),
    )


def _default(found: Rows, scale: str) -> Threshold | None:
    used = [row for row in found if row["is_default"] and row["scale"] == scale]
    return Threshold(used[0]["op"], used[0]["value"]) if used else None
