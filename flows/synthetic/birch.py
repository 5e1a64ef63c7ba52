"""Clinic Birch: a REDCap project, one record per episode, exported flat, raw and in full."""

from datetime import date

import polars as pl

from flows.synthetic.actions import action_log
from flows.synthetic.cells import (
    episode_rows,
    evening,
    form_rows,
    item_cells,
    session_rows,
    time_cell,
    years_of_age,
)
from flows.synthetic.world import World

STATUS = {
    "booked": "1",
    "attended": "2",
    "no_show": "3",
    "cancelled_by_patient": "4",
    "cancelled_by_service": "5",
    "too_late_not_seen": "6",
}
REASON = {
    "completed": "1",
    "dropout": "2",
    "transferred": "3",
    "service_ended": "4",
    "died_other": "5",
}
SEX = {"female": "1", "male": "2", "other": "3"}
DIAGNOSIS = {
    "depressive": "1",
    "anxiety": "2",
    "stress_related": "3",
    "personality": "4",
    "somatoform": "5",
    "obsessive_compulsive": "6",
    "other": "7",
}
EMPLOYMENT = {
    "employed": "1",
    "unemployed": "2",
    "in_education": "3",
    "unable_to_work": "4",
    "retired": "5",
    "caring": "6",
}
YES_NO = {"yes": "1", "no": "0"}
FORMS = {"phq9": "phq9", "gad7": "gad7", "wai_sr_c": "wai_sr", "wai_sr_t": "wai_srt"}
STAMP = "%Y-%m-%d %H:%M:%S"
CLOSING = (
    "referral_date", "sex", "age", "language", "interpreter", "dx_group", "prior_treatment",
    "employment", "start_date", "end_date", "end_reason", "closing_complete",
)  # fmt: skip


def birch_files(world: World, from_date: date | None, to_date: date) -> dict[str, bytes]:
    """Return the flat file and the log of actions; both restate everything up to to_date."""
    del from_date
    rows = session_rows(world, "birch", to_date)
    for instrument_id, form in FORMS.items():
        rows = rows.join(
            _form(world, instrument_id, form, to_date),
            on=["episode_no", "appointment_no"],
            how="left",
            maintain_order="left",
        )
    rows = _fill_status(rows)
    table = pl.concat([_intake(world, to_date), _sessions(rows)], how="diagonal")
    columns = ["record_id", "redcap_event_name", "therapist", *_order(table)]
    table = table.sort("record_id", "event_no").select(columns)
    text = table.write_csv(quote_style="non_numeric", null_value="")
    return {
        f"BirchOutcomes_DATA_{to_date.isoformat()}_2205.csv": text.encode(),
        f"birch_actions_{to_date.isoformat()}.csv": action_log(world, "birch", to_date),
    }


def _form(world: World, instrument_id: str, form: str, to_date: date) -> pl.DataFrame:
    forms = form_rows(world, "birch", instrument_id, to_date)
    items = [c for c in forms.columns if c[0] == "i" and c[1:].isdigit()]
    cells = [
        time_cell("answered_at", STAMP, "2026-02-30 10:00:00").alias(f"{form}_timestamp"),
        *item_cells(forms, form + "_{}"),
    ]
    if form == "phq9":
        wrong = (pl.col("fault") == "wrong_total").fill_null(False).cast(pl.Int64) * 2
        total = pl.sum_horizontal(items).cast(pl.Int64) + wrong
        cells.append(total.cast(pl.String).alias("phq9_total"))
    return forms.select(
        "episode_no",
        "appointment_no",
        *cells,
        pl.lit("2").alias(f"{form}_complete"),
        pl.col("changed_on").alias(f"{form}_changed_on"),
    )


def _fill_status(rows: pl.DataFrame) -> pl.DataFrame:
    """At attended sessions an absent form is incomplete; elsewhere its cells stay blank."""
    seen = pl.col("status") == "attended"
    return rows.with_columns(
        *(
            pl.when(seen).then(pl.col(f"{form}_{field}").fill_null(blank)).alias(f"{form}_{field}")
            for form in FORMS.values()
            for field, blank in (("complete", "0"), ("timestamp", "[not completed]"))
        ),
        changed_on=pl.max_horizontal("changed_on", *(f"{p}_changed_on" for p in FORMS.values())),
    )  # fmt: skip


def _sessions(rows: pl.DataFrame) -> pl.DataFrame:
    forms = [
        c
        for c in rows.columns
        if c.split("_")[0] in ("phq9", "gad7", "wai") and c[-10:] != "changed_on"
    ]
    status = pl.col("status").replace_strict(STATUS)
    return rows.select(
        pl.col("episode_id").alias("record_id"),
        pl.format("session_{}_arm_1", "appointment_no").alias("redcap_event_name"),
        pl.col("appointment_no").alias("event_no"),
        pl.col("therapist_id").alias("therapist"),
        *forms,
        time_cell("planned_at", "%Y-%m-%d %H:%M", "2026-02-30 09:00").alias("appt_datetime"),
        pl.when(pl.col("fault") == "undeclared_code")
        .then(pl.lit("9"))
        .otherwise(status)
        .alias("appt_status"),
        pl.lit("2").alias("attendance_complete"),
        evening("changed_on").alias("last_modified"),
    )


def _intake(world: World, to_date: date) -> pl.DataFrame:
    return episode_rows(world, "birch", to_date).select(
        pl.col("episode_id").alias("record_id"),
        pl.lit("intake_arm_1").alias("redcap_event_name"),
        pl.lit(0, dtype=pl.Int64).alias("event_no"),
        pl.col("therapist_id").alias("therapist"),
        pl.col("referred_on").cast(pl.String).alias("referral_date"),
        pl.col("sex").replace_strict(SEX).alias("sex"),
        years_of_age("age_band").alias("age"),
        pl.col("language").alias("language"),
        pl.col("interpreter_needed").replace_strict(YES_NO).alias("interpreter"),
        pl.col("diagnosis_group").replace_strict(DIAGNOSIS).alias("dx_group"),
        pl.col("previous_treatment").replace_strict(YES_NO).alias("prior_treatment"),
        pl.col("employment").replace_strict(EMPLOYMENT).alias("employment"),
        pl.col("started_on").cast(pl.String).alias("start_date"),
        pl.col("ended_on").cast(pl.String).alias("end_date"),
        pl.col("end_reason").replace_strict(REASON).alias("end_reason"),
        pl.when(pl.col("ended_on").is_null())
        .then(pl.lit("1"))
        .otherwise(pl.lit("2"))
        .alias("closing_complete"),
        evening("changed_on").alias("last_modified"),
    )


def _order(table: pl.DataFrame) -> list[str]:
    """Fields in the order of the forms, each form's status after its fields, the stamp last."""
    first = ("record_id", "redcap_event_name", "event_no", "therapist", "last_modified")
    rest = [name for name in table.columns if name not in first]
    closing = [n for n in CLOSING if n in rest]
    return [*(n for n in rest if n not in closing), *closing, "last_modified"]
