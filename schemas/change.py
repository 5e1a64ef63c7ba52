"""Tables that the program fills before measures are built, so that they can be held against last night's."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.model import Columns

NIGHT_BEFORE_COLUMNS: Columns = (
    ("as_of", "date", "newest night published before this one; NULL none"),
    ("revision", "integer", "its newest revision"),
    ("why_not", "varchar", "why nothing is held against it; NULL it is"),
)
TOTAL_BEFORE_COLUMNS: Columns = (
    ("level", "varchar", "service or clinic"),
    ("unit_id", "varchar", "service, or the clinic's id"),
    ("period_id", "varchar", "period"),
    ("measure", "varchar", "measure"),
    ("instrument_id", "varchar", "instrument; NULL where the measure is not per one"),
    ("kind", "varchar", "rate, mean or count"),
    ("n", "integer", "denominator, or number of values, as the night before had it"),
    ("sum_x", "decimal(38,6)", "sum of values; of a rate its numerator"),
    ("ruled_n", "integer", "the same scores counted by tonight's definition; NULL cannot be"),
    ("ruled_sum_x", "decimal(38,6)", "their sum"),
    ("is_shown", "boolean", "whether the night before showed it"),
)
RULE_CHANGE_COLUMNS: Columns = (
    ("kind", "varchar", "definition, setting, instrument, expected form, order of questionnaires,"
     " constant or program"),
    ("name", "varchar", "what it is called"),
    ("was", "varchar", "the night before; NULL there was none"),
    ("now", "varchar", "tonight; NULL there is none"),
)  # fmt: skip
RULED_MEASURE_COLUMNS: Columns = (
    ("measure", "varchar", "measure whose scores rest on a rule that changed"),
)
CHANGED_ROW_COLUMNS: Columns = (
    ("row_id", "varchar", "row of valid.*; the pseudonym where a patient was renumbered"),
    ("kind", "varchar", "form, appointment, episode or patient"),
    ("change", "varchar", "new, corrected (or taken back), or rule: read again under other rules"),
    ("delivery_id", "varchar", "delivery that brought it; NULL taken back or renumbered"),
    ("episode_id", "varchar", "course it stands in, tonight or the night before"),
)
COURSE_BEFORE_COLUMNS: Columns = (
    ("episode_id", "varchar", "course of the night before"),
    ("patient_id", "varchar", "patient"),
    ("is_ended", "boolean", "whether it had ended then"),
    ("is_paired", "boolean", "whether it had a first and a last score then"),
)
COURSE_PART_COLUMNS: Columns = (
    ("episode_id", "varchar", "course"),
    ("clinic_id", "varchar", "clinic"),
    ("period_id", "varchar", "period"),
    ("measure", "varchar", "measure"),
    ("instrument_id", "varchar", "instrument; NULL where the measure is not per one"),
    ("n", "integer", "what the course counts tonight less what it counted the night before"),
    ("sum_x", "decimal(38,6)", "what it adds to the sum, less what it added"),
)
CHANGE_TABLES: Mapping[str, tuple[str, Columns]] = {
    "measure.night_before": ("Night that tonight is held against", NIGHT_BEFORE_COLUMNS),
    "measure.total_before": ("Figures of the night before", TOTAL_BEFORE_COLUMNS),
    "measure.rule_change": ("Rules that are not those of the night before", RULE_CHANGE_COLUMNS),
    "measure.ruled_measure": ("Measures that a rule of scoring moved", RULED_MEASURE_COLUMNS),
    "measure.changed_row": ("Rows that came or changed since, with their courses", CHANGED_ROW_COLUMNS),
    "measure.course_before": ("Courses of the night before", COURSE_BEFORE_COLUMNS),
    "measure.course_part": ("What single courses count otherwise than the night before", COURSE_PART_COLUMNS),
}  # fmt: skip
