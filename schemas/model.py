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
    ("quantity", "varchar", "share_clinic, share_therapist, share_patient, share_session: of the variance of the"
     " alliance; standardized: slope of symptoms on the alliance of the session before, in standard"
     " deviations within courses; share_early, share_overall, share_final: of the variance of the last"
     " score that the alliance adds to the first score"),
    ("alliance_instrument_id", "varchar", "alliance questionnaire rated by the patient"),
    ("outcome_instrument_id", "varchar", "symptom or well-being questionnaire; NULL none"),
    ("n", "integer", "ratings, sessions or courses it is computed from"),
    ("n_courses", "integer", "courses behind them"),
    ("n_therapists", "integer", "therapists behind them"),
    ("estimate", "double", "the quantity, to six decimals; NULL none"),
    ("low", "double", "lower end of its 95 % interval: of a share of the alliance's variance from the"
     " likelihood, of the others from resampling therapists"),
    ("high", "double", "upper end of its 95 % interval"),
    ("why_not", "varchar", "why there is none; NULL there is"),
)  # fmt: skip
CUSUM_COLUMNS: Columns = (
    ("model_id", "varchar", "model of an event"),
    ("odds_ratio", "double", "change that the sum looks for: events so many times as likely"),
    ("false_alarms", "double", "share of runs of 100 courses in which chance alone gives an alarm"),
    ("h", "double", "threshold of the alarm, by simulation"),
)
CALIBRATION_COLUMNS: Columns = (
    ("month", "varchar", "month of the test"),
    ("n", "integer", "sessions tested"),
    ("n_dropouts", "integer", "of these, dropouts"),
    ("intercept", "double", "calibration in the large; NULL not tested"),
    ("intercept_error", "double", "its standard error"),
    ("slope", "double", "calibration slope"),
    ("slope_error", "double", "its standard error"),
    ("why_not", "varchar", "why there is none; NULL there is"),
)
RECALIBRATION_COLUMNS: Columns = (
    ("model_id", "varchar", "recalibrated_ and the month it was looked into"),
    ("fitted_on", "date", "night on which the model in use was fitted"),
    ("looked_on", "date", "night on which it was held against newer sessions"),
    ("n", "integer", "newer sessions that went on or were the last by dropout"),
    ("n_dropouts", "integer", "of these, dropouts"),
    ("changed", "varchar", "nothing, intercept, or intercept and slope; NULL not looked into"),
    ("shift", "double", "added to the logit of dropout against going on, after the slope"),
    ("slope", "double", "the logit is taken times this"),
    ("why_not", "varchar", "why it was not looked into; NULL it was"),
)
FILLED_TABLES: Mapping[str, tuple[str, Columns]] = {
    "model.coefficient": ("Coefficient of a fitted model", COEFFICIENT_COLUMNS),
    "model.association": (
        "What goes with the alliance in the service, descriptive, or the reason why it cannot be said",
        ASSOCIATION_COLUMNS,
    ),
    "model.calibration": (
        "Monthly test of the model on sessions it had not seen: every month so far",
        CALIBRATION_COLUMNS,
    ),
    "model.recalibration": (
        "What newer sessions changed of the model in use before it is fitted anew, month by month",
        RECALIBRATION_COLUMNS,
    ),
    "model.cusum_limit": (
        "Threshold of a cumulative sum, by simulation of courses that go as expected",
        CUSUM_COLUMNS,
    ),
    "model.fit": ("Model that was fitted, or the reason why not", FIT_COLUMNS),
}
