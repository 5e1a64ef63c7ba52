-- Therapist who may be a point in a funnel: enough courses, in a service with enough therapists, on
-- a measure that therapists may be compared on.
--
-- Only over windows that close with a month: what a therapist is compared on stands still until then.
--
-- grain:   unit_id, period_id, measure, instrument_id?
-- inputs:  measure.deviation, measure.disclosure, measure.spread, ref.definition, ref.period,
--          ref.setting
-- columns: unit_id VARCHAR               therapist
--          clinic_id VARCHAR             clinic
--          period_id VARCHAR             window
--          measure VARCHAR               measure
--          instrument_id VARCHAR         questionnaire; NULL where the measure is not per one
--          kind VARCHAR                  rate or mean
--          n INTEGER                     courses
--          expected DECIMAL(38,9)        sum expected
--          deviation DECIMAL(18,9)       observed less expected, per course
--          standard_error DECIMAL(18,9)  its error by chance alone
--          is_adjusted BOOLEAN           whether the patients are taken into account
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'funnel_min_therapists') as min_therapists,
        max(value) filter (where name = 'funnel_min_courses') as min_courses,
    from ref.setting
)

select
    deviation.unit_id::varchar as unit_id,
    deviation.clinic_id::varchar as clinic_id,
    deviation.period_id::varchar as period_id,
    deviation.measure::varchar as measure,
    deviation.instrument_id::varchar as instrument_id,
    deviation.kind::varchar as kind,
    deviation.n::integer as n,
    deviation.expected::decimal(38, 9) as expected,
    deviation.deviation::decimal(18, 9) as deviation,
    deviation.standard_error::decimal(18, 9) as standard_error,
    deviation.is_adjusted::boolean as is_adjusted,
from measure.deviation as deviation
join ref.definition as definition
    on deviation.measure = definition.measure and definition.has_funnel
join ref.period as period
    on deviation.period_id = period.period_id and period.period_kind = 'window'
join measure.spread as spread
    on
        deviation.period_id = spread.period_id
        and deviation.measure = spread.measure
        and deviation.instrument_id is not distinct from spread.instrument_id
join measure.disclosure as disclosure
    on
        disclosure.level = 'therapist'
        and disclosure.is_compared
        and deviation.unit_id = disclosure.unit_id
        and deviation.period_id = disclosure.period_id
        and deviation.measure = disclosure.measure
        and deviation.instrument_id is not distinct from disclosure.instrument_id
cross join setting
where
    spread.n_therapists >= setting.min_therapists
    and deviation.n >= setting.min_courses
    and deviation.standard_error > 0
