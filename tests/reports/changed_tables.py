"""Rows of what changed since the night before, as the report stage hands them over."""

from datetime import date
from typing import Any


def changed_tables(hostile: str) -> dict[str, list[dict[str, Any]]]:
    """One figure of the service and one of a clinic moved; a setting changed."""
    row = {
        "level": "service", "unit_id": "service", "unit_name": None, "page": None,
        "period_id": "year", "period_kind": "year", "period_label": "12 months to 20 November 2026",
        "measure": "reliable_improvement", "instrument_id": None, "label": "Reliably improved",
        "is_visible": True, "before_text": "44.0 %", "now_text": "45.5 %", "moved_text": "+1.5",
        "n_text": "200 → 212", "rule_text": None, "time_text": "-0.5", "corrected_text": None,
        "late_text": None, "new_text": "+1.8", "together_text": "+0.2",
        "together_of": "corrected rows; late pairs", "change_order": 1,
    }  # fmt: skip
    clinic = row | {
        "level": "clinic", "unit_id": "birch", "unit_name": hostile, "page": "clinic-birch",
        "period_kind": "quarter", "period_id": "2026-Q3", "change_order": 2,
    }  # fmt: skip
    night = {
        "as_of": date(2026, 11, 20), "before": date(2026, 11, 19), "why_not": None, "n_files": 3,
        "n_new": 40, "n_corrected": 2, "n_again": 0, "late_text": "fewer than 5", "n_moved": 4,
        "n_visible": 2,
    }  # fmt: skip
    rule = {"kind": "Setting", "name": "gap_days", "was": "42", "now": "56"}
    hidden = clinic | {"measure": "early_ending", "is_visible": False, "change_order": 3}
    return {"changed": [hidden, clinic, row], "change_night": [night], "rule_change": [rule]}


def mend_tables(hostile: str) -> dict[str, list[dict[str, Any]]]:
    """One clinic with a cause of refusals in the file of the fix list, one with nothing to mend."""
    cause = {
        "clinic_id": "birch", "severity": "reject", "rule": "answer_not_declared", "column_name": hostile, "n": 14,
        "n_files": 1, "message": hostile, "what_to_do": "=cmd|' /C calc'!A0", "before": 82, "at_most": 91,
        "effect_text": "mending it lifts outcome known from 82 % to at most 91 % of 60 finished courses", "cause_order": 1,
    }  # fmt: skip
    birch = {
        "clinic_id": "birch", "clinic_name": hostile, "page": "mend-birch", "n_causes": 1,
        "n_warnings": 0,
        "effect_text": "mending all that was refused lifts outcome known from 82 % to at most 91 % of 60 finished courses",
    }  # fmt: skip
    alder = birch | {
        "clinic_id": "alder", "clinic_name": "Alder practice", "page": "mend-alder", "n_causes": 0,
        "effect_text": None,
    }  # fmt: skip
    return {"fix_cause": [cause], "fix_clinic": [birch, alder]}
