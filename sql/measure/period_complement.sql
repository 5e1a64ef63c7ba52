-- Figure of a shorter period that goes, because a longer period less the shorter ones printed would
-- leave fewer than may be shown. The oldest goes: clinics then lose the same one, and trends keep
-- their end.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.total, ref.definition, ref.period, ref.setting
-- columns: level VARCHAR           service, clinic or therapist
--          unit_id VARCHAR         service, or the clinic's or therapist's id
--          period_id VARCHAR       the shorter period
--          measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one
-- version: 1
with setting as (
    select max(value) filter (where name = 'minimum_shown') as minimum_shown,
    from ref.setting
),

sized as (
    select
        total.*,
        period.period_kind,
        period.period_start,
        period.period_end,
        total.n >= greatest(definition.minimum, setting.minimum_shown) as is_enough,
        greatest(definition.minimum, setting.minimum_shown) as minimum,
    from measure.total as total
    join ref.definition as definition on total.measure = definition.measure
    join ref.period as period on total.period_id = period.period_id
    cross join setting
),

left_over as (
    select
        longer.level,
        longer.unit_id,
        longer.measure,
        longer.instrument_id,
        longer.n - sum(shorter.n) as n,
        longer.minimum,
        arg_min(shorter.period_id, shorter.period_start) as oldest,
    from sized as longer
    join sized as shorter
        on
            longer.level = shorter.level
            and longer.unit_id = shorter.unit_id
            and longer.measure = shorter.measure
            and longer.instrument_id is not distinct from shorter.instrument_id
            and longer.period_kind <> shorter.period_kind
            and longer.period_start <= shorter.period_start
            and longer.period_end >= shorter.period_end
    where longer.is_enough and shorter.is_enough
    group by
        longer.level, longer.unit_id, longer.measure, longer.instrument_id, longer.period_id,
        shorter.period_kind, longer.n, longer.minimum
)

select distinct
    level::varchar as level,
    unit_id::varchar as unit_id,
    oldest::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
from left_over
where n > 0 and n < minimum
