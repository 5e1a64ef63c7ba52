-- Events of a therapist's patients beside those that were to be expected of them: the ratio, with
-- its interval by chance alone, and drawn towards the service.
--
-- A ratio says how a therapist stands beside what is usual for such patients, never beside another
-- therapist. The drawn-in figure is that of the comparison, told as a ratio.
--
-- grain:   unit_id, period_id, measure, instrument_id?
-- inputs:  measure.deviation, measure.shrunken, ref.setting
-- columns: unit_id VARCHAR             therapist
--          period_id VARCHAR           period
--          measure VARCHAR             measure of an event
--          instrument_id VARCHAR       questionnaire; NULL where the measure is not per one
--          observed INTEGER            events
--          expected DECIMAL(38,9)      events expected
--          ratio DECIMAL(18,9)         observed over expected
--          low DECIMAL(18,9)           lower end of its 95 % interval (Byar)
--          high DECIMAL(18,9)          upper end of it
--          shrunken DECIMAL(18,9)      ratio drawn towards the service; NULL none
--          shrunken_low DECIMAL(18,9)  lower end of its 95 % interval
--          shrunken_high DECIMAL(18,9) upper end of it
-- version: 1
-- source:  Breslow & Day 1987, Statistical Methods in Cancer Research II, p. 69: Byar's approximation
with compared as (
    select
        deviation.unit_id,
        deviation.period_id,
        deviation.measure,
        deviation.instrument_id,
        deviation.observed::double as o,
        deviation.expected::double as e,
        deviation.expected,
        setting.value::double as z,
        shrunken.difference::double * deviation.n as events_more,
        shrunken.difference_sd::double * deviation.n as events_sd,
    from measure.deviation as deviation
    join ref.setting as setting on setting.name = 'z_95'
    left join measure.shrunken as shrunken
        on
            deviation.unit_id = shrunken.unit_id
            and deviation.period_id = shrunken.period_id
            and deviation.measure = shrunken.measure
            and deviation.instrument_id is not distinct from shrunken.instrument_id
    where deviation.kind = 'rate' and deviation.is_adjusted and deviation.expected > 0
),

limited as (
    select
        *,
        -- without any event the lower end is nought
        case when o > 0 then o * pow(1 - 1 / (9 * o) - z / (3 * sqrt(o)), 3) else 0 end as o_low,
        (o + 1) * pow(1 - 1 / (9 * (o + 1)) + z / (3 * sqrt(o + 1)), 3) as o_high,
        e + events_more - z * events_sd as e_low,
    from compared
)

select
    unit_id::varchar as unit_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    o::integer as observed,
    expected::decimal(38, 9) as expected,
    round(o / e, 9)::decimal(18, 9) as ratio,
    round(o_low / e, 9)::decimal(18, 9) as low,
    round(o_high / e, 9)::decimal(18, 9) as high,
    round((e + events_more) / e, 9)::decimal(18, 9) as shrunken,
    round(case when e_low < 0 then 0 else e_low end / e, 9)::decimal(18, 9) as shrunken_low,
    round((e + events_more + z * events_sd) / e, 9)::decimal(18, 9) as shrunken_high,
from limited
