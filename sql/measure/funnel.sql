-- Place of a therapist in a funnel: how far from what was to be expected, in units of what chance
-- and the usual spread beyond it would give.
--
-- Limits are on the scale of z. Nobody has a rank: a place within the limits says nothing.
--
-- grain:   unit_id, period_id, measure, instrument_id?, method
-- inputs:  measure.funnel_point, measure.overdispersion, ref.setting
-- columns: unit_id VARCHAR         therapist
--          clinic_id VARCHAR       clinic
--          period_id VARCHAR       window
--          measure VARCHAR         measure
--          instrument_id VARCHAR   questionnaire; NULL where the measure is not per one
--          method VARCHAR          corrected, or published
--          kind VARCHAR            rate or mean
--          n INTEGER               courses
--          expected DECIMAL(38,9)  sum expected
--          z DECIMAL(18,9)         distance in standard errors, chance alone
--          z_adjusted DECIMAL(18,9) distance, the usual spread beyond chance taken into account
--          p DECIMAL(18,9)         probability of as far a z_adjusted or farther, either side; errs
--                                  by less than 0.0000002
--          zone VARCHAR            within, above 95, below 95, above 99.8 or below 99.8
-- version: 1
-- source:  Spiegelhalter 2005, Stat Med 24:1185-1202; the normal distribution by Abramowitz &
--          Stegun 1964, 26.2.17
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z_95,
        max(value) filter (where name = 'z_998')::double as z_998,
    from ref.setting
),

placed as (
    select
        point.*,
        overdispersion.method,
        point.deviation::double / point.standard_error::double as z,
        point.deviation::double / sqrt(
            pow(point.standard_error::double, 2) + overdispersion.tau_squared::double
        ) as z_adjusted,
    from measure.funnel_point as point
    join measure.overdispersion as overdispersion
        on
            point.period_id = overdispersion.period_id
            and point.measure = overdispersion.measure
            and point.instrument_id is not distinct from overdispersion.instrument_id
),

tail as (
    select
        *,
        1 / (1 + 0.2316419 * abs(z_adjusted)) as t,
        2 * exp(-z_adjusted * z_adjusted / 2) / sqrt(2 * pi()) as twice_density,
    from placed
)

select
    tail.unit_id::varchar as unit_id,
    tail.clinic_id::varchar as clinic_id,
    tail.period_id::varchar as period_id,
    tail.measure::varchar as measure,
    tail.instrument_id::varchar as instrument_id,
    tail.method::varchar as method,
    tail.kind::varchar as kind,
    tail.n::integer as n,
    tail.expected::decimal(38, 9) as expected,
    round(tail.z, 9)::decimal(18, 9) as z,
    round(tail.z_adjusted, 9)::decimal(18, 9) as z_adjusted,
    round(
        tail.twice_density * tail.t * (
            0.319381530 + tail.t * (
                -0.356563782
                + tail.t * (1.781477937 + tail.t * (-1.821255978 + tail.t * 1.330274429))
            )
        ), 9
    )::decimal(18, 9) as p,
    case
        when tail.z_adjusted > setting.z_998 then 'above 99.8'
        when tail.z_adjusted < -setting.z_998 then 'below 99.8'
        when tail.z_adjusted > setting.z_95 then 'above 95'
        when tail.z_adjusted < -setting.z_95 then 'below 95'
        else 'within'
    end::varchar as zone,
from tail
cross join setting
