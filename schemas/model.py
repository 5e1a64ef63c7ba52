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
FILLED_TABLES: Mapping[str, tuple[str, Columns]] = {
    "model.coefficient": ("Coefficient of a fitted model", COEFFICIENT_COLUMNS),
    "model.fit": ("Model that was fitted, or the reason why not", FIT_COLUMNS),
}
