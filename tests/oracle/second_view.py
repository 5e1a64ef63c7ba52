"""The shipped questionnaires as second computations see them, straight from the files."""

from functools import lru_cache

from flows.second.rules import Questionnaire, Scale, Threshold
from schemas.instrument_types import Instrument
from tests.sql.warehouse_fixture import shipped


@lru_cache(maxsize=1)
def questionnaires() -> dict[str, Questionnaire]:
    """Every shipped questionnaire by id."""
    return {instrument.id: second_view(instrument) for instrument in shipped().values()}


def second_view(i: Instrument) -> Questionnaire:
    change = [t for t in i.reliable_change if t.is_default and t.scale == i.primary]
    cutoff = [t for t in i.cutoffs if t.is_default and t.scale == i.primary]
    return Questionnaire(
        i.kind, i.respondent, i.direction, i.item_count, i.answer_min, i.answer_max, i.reversed,
        i.is_key_known, i.not_applicable, i.not_applicable_value, i.primary,
        {
            name: Scale(s.items, s.parts, s.method, s.factor, s.range_min, s.range_max,
                        s.missing_rule, s.max_missing, s.missing_over)
            for name, s in i.scales.items()
        },
        {
            name: tuple(sorted((b.low, b.label) for b in i.bands if b.scale == name))
            for name in i.scales
        },
        tuple((r.item, Threshold(r.op, r.value)) for r in i.risk),
        Threshold(change[0].op, change[0].value) if change else None,
        Threshold(cutoff[0].op, cutoff[0].value) if cutoff else None,
    )  # fmt: skip
