"""What a clinic did where patients stayed away, as its staff log it in the table that Rapport offers."""

from datetime import date

import polars as pl

from flows.synthetic.cells import session_rows
from flows.synthetic.world import World

# The clinic began to keep a log when it first saw worklists.
SINCE = date(2026, 8, 1)
MISSED = ("no_show", "cancelled_by_patient")
# Out of every ten missed appointments six are followed up, in these ways and with this result.
DONE = (
    ("call", "not reached"),
    ("call", "appointment made"),
    ("call", "reached"),
    ("message", ""),
    ("appointment offered", "appointment made"),
    ("case discussed", ""),
)
OUT_OF = 10


def action_log(world: World, clinic_id: str, to_date: date) -> bytes:
    """Return the log as it stands on to_date: a line for each missed appointment that was followed up.

    Nothing is drawn: which ones, how and when follows from their numbers, so that the rest of the
    world stays as it is.
    """
    turn = pl.col("episode_no") * 37 + pl.col("appointment_no") * 11
    kinds, outcomes = (pl.Series(list(column)) for column in zip(*DONE, strict=True))
    place = (turn % OUT_OF).cast(pl.UInt32)
    log = (
        session_rows(world, clinic_id, to_date)
        .filter(pl.col("status").is_in(MISSED), pl.col("planned_on") >= SINCE, place < len(DONE))
        .with_columns(
            acted_on=pl.col("planned_on").dt.add_business_days(turn // OUT_OF % 3, roll="forward")
        )
        .filter(pl.col("acted_on") <= to_date)
        .sort("acted_on", "episode_no", "appointment_no")
        .select(
            patient=pl.col("patient_id"),
            therapist=pl.col("therapist_id"),
            acted_on=pl.col("acted_on").dt.strftime("%Y-%m-%d"),
            action=pl.lit(kinds.implode()).list.get(place),
            outcome=pl.lit(outcomes.implode()).list.get(place),
            remark=pl.lit(""),
        )
    )
    return log.write_csv(quote_style="necessary").encode()
