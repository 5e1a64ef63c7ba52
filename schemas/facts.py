"""Facts that an export may state beside an episode, appointment or action: which, and what each may say.

They describe who is treated and how the sessions are held; figures use them to compare like with
like. None of them is guessed: what an export does not state is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

YES_NO = ("yes", "no")
EPISODE_FACTS: Mapping[str, tuple[str, ...] | re.Pattern[str]] = {
    "sex": ("female", "male", "other"),
    "age_band": ("under_18", "18_25", "26_35", "36_45", "46_55", "56_65", "over_65"),
    # ISO 639
    "language": re.compile("[a-z]{2,3}"),
    "interpreter_needed": YES_NO,
    "diagnosis_group": (
        "depressive", "anxiety", "obsessive_compulsive", "stress_related", "somatoform", "eating",
        "substance", "personality", "bipolar_or_psychotic", "neurodevelopmental", "other", "none",
    ),
    "previous_treatment": YES_NO,
    "employment": (
        "employed", "unemployed", "in_education", "unable_to_work", "retired", "caring", "other",
    ),
    "end_planned": YES_NO,
}  # fmt: skip
# What a clinic did for a patient, and what came of it.
ACTION_KINDS = (
    "call", "message", "letter", "appointment_offered", "alliance_talk", "case_discussed",
    "none_needed", "other",
)  # fmt: skip
ACTION_FACTS: Mapping[str, tuple[str, ...] | re.Pattern[str]] = {
    "outcome": ("reached", "not_reached", "appointment_made", "declined"),
}
APPOINTMENT_FACTS: Mapping[str, tuple[str, ...] | re.Pattern[str]] = {
    "mode": ("in_person", "video", "telephone", "chat", "group"),
    "interpreter": YES_NO,
}


def fact_fault(name: str, targets: set[str], facts: Mapping[str, object]) -> str | None:
    """What is wrong with the targets of a fact's map, or None.

    Args:
        name: of the fact.
        targets: what its map leads to; empty where there is no map.
        facts: the table of facts it is from.
    """
    allowed = facts[name]
    if isinstance(allowed, re.Pattern):
        wrong = sorted(target for target in targets if not allowed.fullmatch(target))
        return f"{name}: {', '.join(wrong)} does not fit {allowed.pattern}" if wrong else None
    if not isinstance(allowed, tuple):
        raise TypeError(name)
    wrong = sorted(targets - set(allowed))
    if targets and not wrong:
        return None
    told = f"{', '.join(wrong)} is not one" if wrong else "there is no map"
    return f"{name}: map must lead to {', '.join(allowed)}: {told}"
