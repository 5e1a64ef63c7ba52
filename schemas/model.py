"""Tables of the model stage that the program fills after fitting: their columns, and what each means."""

from __future__ import annotations

from collections.abc import Mapping

Columns = tuple[tuple[str, str, str], ...]

COEFFICIENT_COLUMNS: Columns = (
    ("model_id", "varchar", "model"),
    ("term", "varchar", "intercept, name of a number, or factor=level; a reference level is 0"),
    ("estimate", "double", "coefficient, to twelve decimals"),
    ("standard_error", "double", "its standard error; NULL for a reference level"),
    ("centre", "double", "mean of the term in the data fitted; the intercept stands for it"),
)
FIT_COLUMNS: Columns = (
    ("model_id", "varchar", "model"),
    ("outcome", "varchar", "what it predicts: the measure it is for"),
    ("fitted_on", "date", "night on which it was fitted"),
    ("data_to", "date", "last day of the data fitted"),
    ("n", "integer", "rows fitted"),
    ("n_events", "integer", "of these, with the event; NULL for a number"),
    ("residual_sd", "double", "standard deviation around the prediction; NULL for an event"),
    ("left_out", "varchar", "factors left out because the data are too few; NULL none"),
    ("is_used", "boolean", "whether its predictions are used"),
    ("why_not", "varchar", "why they are not used; NULL used"),
)
ASSOCIATION_COLUMNS: Columns = (
    ("model_id", "varchar", "what is associated, and on which questionnaires"),
    ("quantity", "varchar", "share_therapist, share_patient, share_session: of the variance of the"
     " alliance; standardized: slope of symptoms on the alliance of the session before, in standard"
     " deviations within courses; share_early, share_overall, share_final: of the variance of the last"
     " score that the alliance adds to the first score"),
    ("alliance_instrument_id", "varchar", "alliance questionnaire rated by the patient"),
    ("outcome_instrument_id", "varchar", "symptom or well-being questionnaire; NULL none"),
    ("n", "integer", "ratings, sessions or courses it is computed from"),
    ("n_courses", "integer", "courses behind them"),
    ("n_therapists", "integer", "therapists behind them"),
    ("estimate", "double", "the quantity, to six decimals; NULL none"),
    ("low", "double", "lower end of its 95 % interval, from resampling therapists"),
    ("high", "double", "upper end of its 95 % interval"),
    ("why_not", "varchar", "why there is none; NULL there is"),
)  # fmt: skip
CUSUM_COLUMNS: Columns = (
    ("model_id", "varchar", "model of an event"),
    ("odds_ratio", "double", "change that the sum looks for: events so many times as likely"),
    ("false_alarms", "double", "share of runs of 100 courses in which chance alone gives an alarm"),
    ("h", "double", "threshold of the alarm, by simulation"),
)
FILLED_TABLES: Mapping[str, tuple[str, Columns]] = {
    "model.coefficient": ("Coefficient of a fitted model", COEFFICIENT_COLUMNS),
    "model.association": (
        "What goes with the alliance in the service, descriptive, or the reason why it cannot be said",
        ASSOCIATION_COLUMNS,
    ),
    "model.cusum_limit": (
        "Threshold of a cumulative sum, by simulation of courses that go as expected",
        CUSUM_COLUMNS,
    ),
    "model.fit": ("Model that was fitted, or the reason why not", FIT_COLUMNS),
}
