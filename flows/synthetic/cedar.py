"""Clinic Cedar: a Qualtrics survey after every session, two plain lists from the booking system."""

import json
from datetime import date

import polars as pl

from flows.synthetic.cells import (
    episode_rows,
    item_cells,
    item_count,
    padded,
    response_id,
    session_rows,
    time_cell,
    years_of_age,
)
from flows.synthetic.faults import as_exported
from flows.synthetic.parameters import load
from flows.synthetic.world import World

STATUS = {
    "booked": "Scheduled",
    "attended": "Kept",
    "no_show": "No show",
    "cancelled_by_patient": "Cancelled by client",
    "cancelled_by_service": "Cancelled by clinic",
    "too_late_not_seen": "Arrived late, not seen",
}
REASON = {
    "completed": "Goals met / planned",
    "dropout": "Client stopped",
    "transferred": "Transferred",
    "service_ended": "Closed by clinic",
    "died_other": "Deceased / other",
}
SEX = {"female": "F", "male": "M", "other": "X"}
QUESTIONS = {"core10": ("Q1_{}", 1), "ors": ("Q2_{}", 0), "srs_v3": ("Q3_{}", 0)}
SYSTEM = {
    "StartDate": ("Start Date", "startDate"),
    "EndDate": ("End Date", "endDate"),
    "Status": ("Response Type", "status"),
    "IPAddress": ("IP Address", "ipAddress"),
    "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"),
    "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"),
    "ResponseId": ("Response ID", "_recordId"),
    "ExternalReference": ("External Data Reference", "externalDataReference"),
    "UserLanguage": ("User Language", "userLanguage"),
}
PREVIEW = 1 << 40  # keeps the ids of previews apart from those of answers
STAMP = "%Y-%m-%d %H:%M:%S"
KEYS = [
    "patient_id", "episode_id", "episode_no", "therapist_id", "appointment_no", "session_no",
    "answered_at",
]  # fmt: skip


def cedar_files(world: World, from_date: date | None, to_date: date) -> dict[str, bytes]:
    """Return survey answers recorded from from_date to to_date, and both lists restated in full."""
    stamp = to_date.isoformat()
    survey = _survey(world, from_date, to_date)
    files = {
        f"cedar_appointments_{stamp}.csv": _appointments(world, to_date).write_csv().encode(),
        f"cedar_episodes_{stamp}.csv": _episodes(world, to_date).write_csv().encode(),
    }
    if survey.height:
        body = survey.write_csv(include_header=False, null_value="")
        files[f"Session+Feedback_{stamp}_22.05.csv"] = (_header(survey.columns) + body).encode(
            "utf-8-sig"
        )
    return files


def _header(columns: list[str]) -> str:
    labels = [SYSTEM.get(c, (f"Session feedback\n - {c}", c))[0] for c in columns]
    known_as = [SYSTEM.get(c, ("", f"QID{c[1:]}" if c[0] == "Q" else c))[1] for c in columns]
    ids = [json.dumps({"ImportId": name}, separators=(",", ":")) for name in known_as]
    rows = pl.DataFrame([columns, labels, ids], orient="col").transpose()
    return rows.write_csv(include_header=False)


def _responses(world: World, to_date: date) -> pl.DataFrame:
    """Join the three questionnaires of one response; it is recorded when its last part is."""
    parts: list[pl.DataFrame] = []
    for instrument_id, (pattern, shift) in QUESTIONS.items():
        forms = world.forms[instrument_id]
        cells = item_cells(forms, pattern, ("-99",), shift, decimals=instrument_id != "core10")
        shown = as_exported(forms, item_count(forms), to_date).select(
            *KEYS,
            pl.col("entered_on").alias(f"entered_{instrument_id}"),
            pl.col("changed_on").alias(f"changed_{instrument_id}"),
            pl.col("fault").alias(f"fault_{instrument_id}"),
            *cells,
        )
        parts.append(shown)
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.join(part, on=KEYS, how="full", coalesce=True)
    return whole.with_columns(
        entered_on=pl.max_horizontal(*(f"entered_{k}" for k in QUESTIONS)),
        changed_on=pl.max_horizontal(*(f"changed_{k}" for k in QUESTIONS)),
        fault=pl.col("fault_core10"),
    ).filter(pl.col("entered_on") <= to_date)


def _survey(world: World, from_date: date | None, to_date: date) -> pl.DataFrame:
    """Return text cells: real responses, a few left half-way, a few previews by staff."""
    rows = _responses(world, to_date).sort("answered_at", "episode_no")
    if from_date is not None:
        rows = rows.filter(pl.col("changed_on") >= from_date)
    number = rows["episode_no"] * 100 + rows["session_no"]
    items = [c for c in rows.columns if c[0] == "Q"]
    partial = (number * 7919 % 1000) < 1000 * load().returns.partial
    # Left after the first pages: at least three items were seen, never all.
    cut = number * 31 % (len(items) - 4) + 3
    rows = rows.with_columns(
        pl.Series("number", number), pl.Series("partial", partial), pl.Series("cut", cut)
    )
    blanked = [
        pl.when(pl.col("partial") & (pl.col("cut") <= k)).then(None).otherwise(c).alias(c)
        for k, c in enumerate(items)
    ]
    real = rows.with_columns(blanked).with_columns(
        Status=pl.lit("0"), ResponseId=response_id(rows["number"], 0)
    )
    previews = real.filter(pl.col("number") * 13 % 997 == 3).with_columns(Status=pl.lit("1"))
    previews = previews.with_columns(ResponseId=response_id(previews["number"], PREVIEW))
    return _cells(pl.concat([real, previews]).sort("answered_at", "ResponseId"), items)


def _cells(rows: pl.DataFrame, items: list[str]) -> pl.DataFrame:
    seconds = pl.col("number") % 240 + 120
    started = pl.col("answered_at") - pl.duration(seconds=seconds)
    odd = "2026-02-30 10:00:00"
    return rows.select(
        started.dt.strftime(STAMP).alias("StartDate"),
        time_cell("answered_at", STAMP, odd).alias("EndDate"),
        "Status",
        pl.format("203.0.113.{}", pl.col("number") % 250 + 1).alias("IPAddress"),
        pl.when("partial").then(pl.col("cut") * 100 // len(items)).otherwise(100).alias("Progress"),
        seconds.alias("Duration (in seconds)"),
        pl.when("partial").then(pl.lit("0")).otherwise(pl.lit("1")).alias("Finished"),
        pl.col("answered_at").dt.offset_by("1s").dt.strftime(STAMP).alias("RecordedDate"),
        "ResponseId",
        pl.col("patient_id").alias("ExternalReference"),
        pl.lit("EN").alias("UserLanguage"),
        *items,
        pl.when(pl.col("number") % 89 == 0)
        .then(pl.lit('Felt "heard" today,\nbut the room was cold'))
        .alias("Q4_TEXT"),
        "episode_id",
        pl.col("appointment_no").alias("visit_no"),
        pl.col("therapist_id").alias("clinician_id"),
    )


def _appointments(world: World, to_date: date) -> pl.DataFrame:
    status = pl.col("status").replace_strict(STATUS)
    return (
        session_rows(world, "cedar", to_date)
        .select(
            pl.format("V{}{}", padded("episode_no", 5), padded("appointment_no", 2)).alias(
                "appointment_id"
            ),
            pl.col("patient_id").alias("patient_id"),
            "episode_id",
            pl.col("therapist_id").alias("clinician_id"),
            pl.col("appointment_no").alias("visit_no"),
            time_cell("planned_at", "%m/%d/%Y %I:%M %p", "02/30/2026 09:00 AM").alias(
                "scheduled_at"
            ),
            pl.when(pl.col("fault") == "undeclared_code")
            .then(pl.lit("Rescheduled"))
            .otherwise(status)
            .alias("outcome"),
        )
        .sort("appointment_id")
    )


def _episodes(world: World, to_date: date) -> pl.DataFrame:
    return episode_rows(world, "cedar", to_date).select(
        "episode_id",
        pl.col("patient_id").alias("patient_id"),
        pl.col("therapist_id").alias("clinician_id"),
        pl.col("started_on").dt.strftime("%m/%d/%Y").alias("opened"),
        pl.col("ended_on").dt.strftime("%m/%d/%Y").alias("closed"),
        pl.col("end_reason").replace_strict(REASON).alias("closing_reason"),
        pl.col("sex").replace_strict(SEX).alias("gender"),
        years_of_age("age_band").alias("age_at_intake"),
    )
