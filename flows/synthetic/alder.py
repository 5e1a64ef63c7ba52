"""Clinic Alder: a German practice that exports from Excel; appended files, four kinds."""

from datetime import date

import polars as pl

from flows.synthetic.cells import (
    episode_rows,
    evening,
    form_rows,
    item_cells,
    padded,
    session_rows,
    time_cell,
)
from flows.synthetic.world import World

DAY = "%d.%m.%Y"
MISSING = ("-9", "k.A.", "")
STATUS = {
    "booked": "geplant",
    "attended": "erschienen",
    "no_show": "nicht erschienen",
    "cancelled_by_patient": "Absage Patient",
    "cancelled_by_service": "Absage Praxis",
    "too_late_not_seen": "zu spät",
}
REASON = {
    "completed": "regulär beendet",
    "dropout": "Abbruch",
    "transferred": "verlegt",
    "service_ended": "Praxis beendet",
    "died_other": "verstorben/sonstiges",
}
SEX = {"female": "w", "male": "m", "other": "d"}
AGE = {
    "18_25": "18 bis 25",
    "26_35": "26 bis 35",
    "36_45": "36 bis 45",
    "46_55": "46 bis 55",
    "56_65": "56 bis 65",
    "over_65": "über 65",
}
DIAGNOSIS = {
    "depressive": "Depression",
    "anxiety": "Angst",
    "stress_related": "Belastung",
    "personality": "Persönlichkeit",
    "somatoform": "Körperbeschwerden",
    "obsessive_compulsive": "Zwang",
    "other": "Sonstige",
}
EMPLOYMENT = {
    "employed": "berufstätig",
    "unemployed": "arbeitslos",
    "in_education": "Ausbildung",
    "unable_to_work": "krankgeschrieben",
    "retired": "Rente",
    "caring": "Familienarbeit",
}
YES_NO = {"yes": "ja", "no": "nein"}
MODE = {"in_person": "Praxis", "video": "Video"}
REMARKS = (
    "Bogen zu Hause ausgefüllt; telefonisch ergänzt",
    'sagt, die Fragen seien "immer gleich"',
    "Zeile 1: zu spät\nZeile 2: bat um Kopie; erledigt",
)


def alder_files(world: World, from_date: date | None, to_date: date) -> dict[str, bytes]:
    """Return file names and bytes; only what was entered or changed from from_date to to_date."""
    stamp = to_date.isoformat()
    frames = {
        f"alder_fragebogen_{stamp}.csv": ("Ergebnisfragebögen", _questionnaires(world, to_date)),
        f"alder_beziehung_{stamp}.csv": ("Stundenbögen", _alliance(world, to_date)),
        f"alder_termine_{stamp}.csv": ("Termine", _appointments(world, to_date)),
        f"alder_behandlungen_{stamp}.csv": ("Behandlungen", _episodes(world, to_date)),
    }
    return {
        name: _as_excel(title, part, to_date)
        for name, (title, frame) in frames.items()
        if (part := _since(frame, from_date)).height
    }


def _since(frame: pl.DataFrame, from_date: date | None) -> pl.DataFrame:
    part = frame if from_date is None else frame.filter(pl.col("changed_on") >= from_date)
    return part.drop("changed_on")


def _as_excel(title: str, frame: pl.DataFrame, to_date: date) -> bytes:
    body = frame.write_csv(separator=";", line_terminator="\r\n", null_value="")
    gap = ";" * (frame.width - 2)
    text = (
        f"Praxis Alder – {title}\r\nStand {to_date.strftime(DAY)}\r\n\r\n{body}"
        f"Summe;{frame.height}{gap}\r\n"
        f"Exportiert am {to_date.strftime(DAY)} 21:30 vom Sekretariat\r\n"
    )
    return text.encode("cp1252")


def _names(world: World) -> pl.Expr:
    mine = world.therapists.filter(clinic_id="alder")
    name = pl.col("therapist_id").replace_strict(
        dict(mine.select("therapist_id", "name").iter_rows())
    )
    return pl.when(pl.col("fault") == "unknown_therapist").then(
        pl.lit("Dr. Vera Vertretung")
    ).otherwise(name)  # fmt: skip


def _questionnaires(world: World, to_date: date) -> pl.DataFrame:
    forms = form_rows(world, "alder", "oq45_2", to_date).sort(
        "entered_on", "episode_no", "session_no"
    )
    turn = pl.col("episode_no") * 31 + pl.col("session_no") * 17
    minutes = ((turn % 70 + 45) / 10).round(1).cast(pl.String).str.replace(".", ",", literal=True)
    remark = pl.when(turn % 97 == 0).then(
        pl.lit(pl.Series(REMARKS).implode()).list.get((turn % 3).cast(pl.UInt32))
    )
    return forms.select(
        pl.concat_str(padded("episode_no", 5), padded("session_no", 2)).alias("Bogen-Nr"),
        pl.col("patient_id").alias("Pat-Nr"),
        pl.col("episode_id").alias("Fall-Nr"),
        _names(world).alias("Therapeut"),
        pl.col("session_no").cast(pl.String).alias("Sitzung"),
        time_cell("answered_at", DAY, "31.02.2026").alias("Datum"),
        *item_cells(forms, "OQ{}", MISSING),
        minutes.alias("Dauer (Min)"),
        remark.alias("Bemerkung"),
        evening("changed_on").alias("Geändert"),
        "changed_on",
    )


def _alliance(world: World, to_date: date) -> pl.DataFrame:
    kinds = {"wai_sr_c": ("WAI-SR Patient", "P"), "wai_sr_t": ("WAI-SR Therapeut", "T")}
    parts: list[pl.DataFrame] = []
    for instrument_id, (label, letter) in kinds.items():
        forms = form_rows(world, "alder", instrument_id, to_date)
        parts.append(
            forms.select(
                "entered_on",
                pl.concat_str(
                    padded("episode_no", 5), padded("session_no", 2), pl.lit(letter)
                ).alias("Bogen-Nr"),
                pl.col("patient_id").alias("Pat-Nr"),
                pl.col("episode_id").alias("Fall-Nr"),
                _names(world).alias("Therapeut"),
                pl.col("session_no").cast(pl.String).alias("Sitzung"),
                time_cell("answered_at", DAY, "31.02.2026").alias("Datum"),
                pl.lit(label).alias("Fragebogen"),
                *item_cells(forms, "F{}", MISSING),
                pl.format("Raum {}", pl.col("episode_no") % 6 + 1).alias("Raum"),
                evening("changed_on").alias("Geändert"),
                "changed_on",
            )
        )
    both = pl.concat(parts, how="diagonal").select(parts[0].columns)
    return both.sort("entered_on", "Bogen-Nr").drop("entered_on")


def _appointments(world: World, to_date: date) -> pl.DataFrame:
    status = pl.col("status").replace_strict(STATUS)
    return (
        session_rows(world, "alder", to_date)
        .sort("planned_at", "episode_no")
        .select(
            pl.concat_str(padded("episode_no", 5), padded("appointment_no", 2)).alias("Termin-Nr"),
            pl.col("patient_id").alias("Pat-Nr"),
            pl.col("episode_id").alias("Fall-Nr"),
            _names(world).alias("Therapeut"),
            time_cell("planned_at", f"{DAY} %H:%M", "31.02.2026 09:00").alias("Termin"),
            pl.col("session_no").cast(pl.String).alias("Sitzung"),
            pl.when(pl.col("fault") == "undeclared_code")
            .then(pl.lit("verschoben?"))
            .otherwise(status)
            .alias("Status"),
            pl.col("mode").replace_strict(MODE).alias("Ort"),
            pl.col("interpreter").replace_strict(YES_NO).alias("Dolmetscher"),
            evening("changed_on").alias("Geändert"),
            "changed_on",
        )
    )


def _episodes(world: World, to_date: date) -> pl.DataFrame:
    return (
        episode_rows(world, "alder", to_date)
        .with_columns(fault=pl.lit(None, dtype=pl.String))
        .select(
            pl.col("episode_id").alias("Fall-Nr"),
            pl.col("patient_id").alias("Pat-Nr"),
            _names(world).alias("Therapeut"),
            pl.col("started_on").dt.strftime(DAY).alias("Beginn"),
            pl.col("ended_on").dt.strftime(DAY).alias("Ende"),
            pl.col("end_reason").replace_strict(REASON).alias("Grund"),
            pl.col("referred_on").dt.strftime(DAY).alias("Überweisung"),
            pl.col("sex").replace_strict(SEX).alias("Geschlecht"),
            pl.col("age_band").replace_strict(AGE).alias("Alter"),
            pl.col("language").alias("Sprache"),
            pl.col("interpreter_needed").replace_strict(YES_NO).alias("Dolmetscher nötig"),
            pl.col("diagnosis_group").replace_strict(DIAGNOSIS).alias("Diagnose"),
            pl.col("previous_treatment").replace_strict(YES_NO).alias("Vorbehandlung"),
            pl.col("employment").replace_strict(EMPLOYMENT).alias("Erwerb"),
            evening("changed_on").alias("Geändert"),
            "changed_on",
        )
    )
