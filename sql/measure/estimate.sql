-- Estimate of one measure for one unit and period: value, 95 % interval, bounds, and the shrunken
-- figure.
--
-- Rates have Wilson intervals, means normal ones. A therapist's figure is drawn towards the
-- service's mean by empirical Bayes; its interval also carries the doubt about the mean and the
-- spread (Morris 1983, J Am Stat Assoc 78:47-55).
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.spread, measure.total, ref.setting
-- columns: level VARCHAR                service, clinic or therapist
--          unit_id VARCHAR              service, or the clinic's or therapist's id
--          clinic_id VARCHAR            clinic; NULL for the service
--          period_id VARCHAR            period
--          measure VARCHAR              measure
--          instrument_id VARCHAR        instrument; NULL where the measure is not per one
--          kind VARCHAR                 rate or mean
--          n INTEGER                    denominator, or number of values
--          numerator INTEGER            numerator of a rate
--          n_eligible INTEGER           how many should have had a value
--          n_known INTEGER              of these, how many have one
--          value DECIMAL(18,9)          rate from 0 to 1, or mean in scale units; NULL without any
--                                       value
--          low DECIMAL(18,9)            lower end of the 95 % interval
--          high DECIMAL(18,9)           upper end of the 95 % interval
--          completeness DECIMAL(18,9)   n_known over n_eligible
--          bound_low DECIMAL(18,9)      rate over all eligible if every unknown one counts as no
--          bound_high DECIMAL(18,9)     rate over all eligible if every unknown one counts as yes
--          shrunken DECIMAL(18,9)       therapists only: value drawn towards the service's mean
--          shrunken_low DECIMAL(18,9)   lower end of its 95 % interval
--          shrunken_high DECIMAL(18,9)  upper end of its 95 % interval
--          between_from VARCHAR         where the spread between therapists comes from
-- version: 1
with setting as (
    select max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

plain as (
    select
        total.*,
        spread.n_therapists::double as j,
        spread.variance_within::double as variance_within,
        spread.variance_between::double as variance_between,
        spread.between_from,
        setting.z,
        total.sum_x::double / nullif(total.n, 0) as y,
        case
            when total.kind = 'mean' and total.n > 1
                then greatest(
                    total.sum_xx::double - total.sum_x::double * total.sum_x::double / total.n, 0
                ) / (total.n - 1)
        end as variance,
        service.sum_x::double / nullif(service.n, 0) as service_y,
    from measure.total as total
    left join measure.spread as spread
        on
            total.period_id = spread.period_id
            and total.measure = spread.measure
            and total.instrument_id is not distinct from spread.instrument_id
    left join measure.total as service
        on
            service.level = 'service'
            and total.period_id = service.period_id
            and total.measure = service.measure
            and total.instrument_id is not distinct from service.instrument_id
    cross join setting
),

interval_part as (
    select
        *,
        case kind when 'rate' then (y + z * z / (2 * n)) / (1 + z * z / n) else y end as middle,
        case kind
            when 'rate' then z * sqrt(y * (1 - y) / n + z * z / (4.0 * n * n)) / (1 + z * z / n)
            else z * sqrt(variance / n)
        end as half,
        variance_within / n as error_variance,
        -- without any variance there is nothing to draw in, and no weight to compute
        case
            when level = 'therapist' and variance_between is not null and y is not null
                then
                    coalesce(
                        variance_between / nullif(variance_between + variance_within / n, 0), 0
                    )
        end as weight,
    from plain
),

shrunken_part as (
    select
        *,
        service_y + weight * (y - service_y) as shrunken,
        z * sqrt(
            error_variance * (1 - (j - 1) / j * (1 - weight))
            + 2 / greatest(j - 3, 1) * pow((1 - weight) * (y - service_y), 2)
        ) as shrunken_half,
    from interval_part
),

ends as (
    -- greatest and least would turn a missing interval into a whole one
    select
        *,
        middle - half as low,
        middle + half as high,
        shrunken - shrunken_half as shrunken_low,
        shrunken + shrunken_half as shrunken_high,
    from shrunken_part
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    clinic_id::varchar as clinic_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    kind::varchar as kind,
    n::integer as n,
    numerator::integer as numerator,
    n_eligible::integer as n_eligible,
    n_known::integer as n_known,
    round(y, 9)::decimal(18, 9) as value,
    round(case when kind = 'rate' and low < 0 then 0 else low end, 9)::decimal(18, 9) as low,
    round(case when kind = 'rate' and high > 1 then 1 else high end, 9)::decimal(18, 9) as high,
    round(n_known::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as completeness,
    round(numerator_low::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as bound_low,
    round(numerator_high::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as bound_high,
    round(shrunken, 9)::decimal(18, 9) as shrunken,
    round(case when kind = 'rate' and shrunken_low < 0 then 0 else shrunken_low end, 9)::decimal(
        18, 9
    ) as shrunken_low,
    round(case when kind = 'rate' and shrunken_high > 1 then 1 else shrunken_high end, 9)::decimal(
        18, 9
    ) as shrunken_high,
    case when weight is not null then between_from end::varchar as between_from,
from ends
