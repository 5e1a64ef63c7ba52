"""A small service whose records open, change, move and vanish by chance, night after night."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import duckdb
import polars as pl

OPEN_END = date(9999, 12, 31)
BEGIN = date(2025, 1, 6)
Row = dict[str, Any]
# Instrument, respondent, items, lowest and highest answer.
FORMS = (
    ("phq9", "patient", 9, 0, 3),
    ("gad7", "patient", 7, 0, 3),
    ("wai_sr_c", "patient", 12, 1, 5),
    ("wai_sr_t", "therapist", 10, 1, 5),
)
STATUS = ("attended",) * 7 + ("no_show", "cancelled_by_patient", "cancelled_by_service", "booked")


class RandomNights:
    """Fills the base tables of a warehouse as reading would, with what one night brings.

    Clinic a exports appointments, b none, and c begins to only later. Ids of courses are now and then
    those of another patient.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, seed: int, patients: int) -> None:
        self.con = con
        self.chance = Random(seed)
        self.patients = [f"{'abc'[n % 3]}{n}" for n in range(patients)]
        self.open: dict[str, dict[str, Row]] = {"form": {}, "appointment": {}, "episode": {}}
        self.count = 0

    def deliver(self, night: date, changes: int) -> None:
        """So many records that are new, corrected, moved or taken back."""
        for _ in range(changes):
            kind = self.chance.choice(
                ("form", "form", "form", "appointment", "appointment", "episode")
            )
            known = sorted(self.open[kind])
            what = self.chance.random()
            if known and what < 0.1:
                self._close(kind, self.chance.choice(known), night)
            elif known and what < 0.3:
                self._correct(kind, self.chance.choice(known), night)
            else:
                self._enter(kind, night)

    def rename(self, night: date) -> None:
        """One patient turns out to be another."""
        one, other = self.chance.sample(self.patients, 2)
        self.con.execute(
            "insert into landed.alias_record values ('patient', ?, ?, date '2000-01-01',"
            " date '9999-12-31', ?, date '9999-12-31')",
            [one, other, night],
        )

    def _enter(self, kind: str, night: date) -> None:
        patient = self.chance.choice(self.patients)
        if kind == "appointment" and (
            patient[0] == "b" or (patient[0] == "c" and night.year < 2026)
        ):
            kind = "form"
        self.count += 1
        self._insert(kind, {"row_id": f"{kind}{self.count}"} | self._record(kind, patient, night))

    def _record(self, kind: str, patient: str, night: date) -> Row:
        """What is said of one patient on a night, mostly of the last weeks."""
        chance = self.chance
        owner = patient if chance.random() > 0.004 else chance.choice(self.patients)
        course = f"{owner}/{chance.choice('12')}"
        day = night - timedelta(days=int(chance.expovariate(1 / 25)))
        row: Row = {
            "clinic_id": patient[0], "patient_id": patient, "known_from": night, "source_name": "rows",
            "therapist_id": chance.choice((None, f"{patient[0]}-t1", f"{patient[0]}-t2")),
            "episode_id": chance.choice((None, course, course, course)), "known_to": OPEN_END,
            "delivery_id": f"d{night}", "line": chance.randrange(999),
        }  # fmt: skip
        if kind == "episode":
            ended = chance.choice((None, None, day, day + timedelta(days=chance.randrange(60))))
            return row | {
                "episode_id": course, "started_on": day - timedelta(days=chance.randrange(90)),
                "ended_on": ended, "end_reason": ended and chance.choice(("completed", "dropout", None)),
                "referred_on": chance.choice((None, day - timedelta(days=120))),
                "diagnosis_group": chance.choice((None, "anxiety", "depressive")),
            }  # fmt: skip
        label = chance.choice((None, str(chance.randrange(1, 9))))
        if kind == "appointment":
            status = chance.choice(STATUS)
            day += timedelta(days=chance.randrange(1, 40) if status == "booked" else 0)
            return row | {"session_label": label, "planned_at": day, "status": status}
        name, respondent, count, low, high = chance.choice(FORMS)
        level = chance.uniform(low, high)
        answers = [
            min(high, max(low, round(chance.gauss(level, 0.7)))) if chance.random() > 0.02 else None
            for _ in range(count)
        ]
        return row | {
            "instrument_id": name, "respondent": respondent, "answered_at": day,
            "answered_precision": "date", "answers": answers, "input_form": "raw",
            "session_label": label,
        }  # fmt: skip

    def _close(self, kind: str, row_id: str, night: date) -> Row:
        self.con.execute(
            f"update valid.{kind}_version set known_to = ? where row_id = ? and known_to = ?",
            [night, row_id, OPEN_END],
        )
        return self.open[kind].pop(row_id)

    def _correct(self, kind: str, row_id: str, night: date) -> None:
        """The same record says something else; now and then of another patient of the clinic."""
        old = self._close(kind, row_id, night)
        own = [patient for patient in self.patients if patient[0] == old["clinic_id"]]
        patient = old["patient_id"] if self.chance.random() > 0.2 else self.chance.choice(own)
        self._insert(kind, {"row_id": row_id} | self._record(kind, patient, night))

    def _insert(self, kind: str, row: Row) -> None:
        plain = {
            name: [str(item) if item is not None else None for item in value]
            if isinstance(value, list)
            else value
            for name, value in row.items()
        }
        self.con.register("given", pl.DataFrame([plain]))
        self.con.execute(f"insert into valid.{kind}_version by name select * from given")
        self.con.unregister("given")
        self.open[kind][row["row_id"]] = row
