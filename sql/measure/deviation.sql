-- How far a therapist's patients did from what was to be expected of them, with its error if
-- therapists did not differ.
--
-- What was to be expected comes from the patients at intake; without such a model it is the
-- service's own value. The therapist is compared with what is usual for such patients, not with
-- another therapist.
--
-- grain:   unit_id, period_id, measure, instrument_id?
-- inputs:  measure.spread, measure.total
-- columns: unit_id VARCHAR                  therapist
--          clinic_id VARCHAR                clinic
--          period_id VARCHAR                period
--          measure VARCHAR                  measure
--          instrument_id VARCHAR            questionnaire; NULL where the measure is not per one
--          kind VARCHAR                     rate or mean
--          n INTEGER                        courses or values
--          observed DECIMAL(38,9)           sum observed: events of a rate
--          expected DECIMAL(38,9)           sum expected
--          deviation DECIMAL(18,9)          observed less expected, per course
--          standard_error DECIMAL(18,9)     its error by chance alone; NULL not known
--          usual DECIMAL(18,9)              what was to be expected of the service's patients,
--                                           per course
--          is_adjusted BOOLEAN              whether the patients are taken into account
-- version: 1
with paired as (
    select
        total.*,
        spread.variance_within,
        service.expected is not null as is_adjusted,
        coalesce(service.expected, service.sum_x)::double / service.n as usual,
    from measure.total as total
    join measure.total as service
        on
            service.level = 'service'
            and total.period_id = service.period_id
            and total.measure = service.measure
            and total.instrument_id is not distinct from service.instrument_id
    join measure.spread as spread
        on
            total.period_id = spread.period_id
            and total.measure = spread.measure
            and total.instrument_id is not distinct from spread.instrument_id
    where total.level = 'therapist' and total.n > 0
),

known as (
    select
        *,
        case when is_adjusted then expected::double else n * usual end as sum_expected,
        case
            when kind = 'mean' then n * variance_within::double
            when is_adjusted then expected_variance::double
            else n * usual * (1 - usual)
        end as variance,
    from paired
)

select
    unit_id::varchar as unit_id,
    clinic_id::varchar as clinic_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    kind::varchar as kind,
    n::integer as n,
    round(sum_x, 9)::decimal(38, 9) as observed,
    round(sum_expected, 9)::decimal(38, 9) as expected,
    round((sum_x::double - sum_expected) / n, 9)::decimal(18, 9) as deviation,
    round(sqrt(case when variance > 0 then variance end) / n, 9)::decimal(18, 9) as standard_error,
    round(usual, 9)::decimal(18, 9) as usual,
    is_adjusted::boolean as is_adjusted,
from known
