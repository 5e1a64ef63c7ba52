-- Estimate of one measure for one unit and period: value, 95 % interval, bounds, what was to be
-- expected, and the shrunken figure.
--
-- Rates have Wilson intervals, means normal ones, counts of what was exported none. The adjusted
-- value is what the unit would have had with the service's average patients: observed less
-- expected, added to what is usual. A therapist's is drawn towards the service's.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.shrunken, measure.spread, measure.total, ref.setting
-- columns: level VARCHAR                service, clinic or therapist
--          unit_id VARCHAR              service, or the clinic's or therapist's id
--          clinic_id VARCHAR            clinic; NULL for the service
--          period_id VARCHAR            period
--          measure VARCHAR              measure
--          instrument_id VARCHAR        instrument; NULL where the measure is not per one
--          kind VARCHAR                 rate, mean or count
--          n INTEGER                    denominator, or number of values
--          numerator INTEGER            numerator of a rate
--          n_eligible INTEGER           how many should have had a value
--          n_known INTEGER              of these, how many have one
--          value DECIMAL(18,9)          rate from 0 to 1, mean in scale units, or count; NULL
--                                       without any value
--          low DECIMAL(18,9)            lower end of the 95 % interval
--          high DECIMAL(18,9)           upper end of the 95 % interval
--          completeness DECIMAL(18,9)   n_known over n_eligible
--          bound_low DECIMAL(18,9)      rate over all eligible if every unknown one counts as no
--          bound_high DECIMAL(18,9)     rate over all eligible if every unknown one counts as yes
--          expected DECIMAL(18,9)       what was to be expected of these patients; NULL no model
--          adjusted DECIMAL(18,9)       value with the service's average patients; NULL no model
--          shrunken DECIMAL(18,9)       therapists only: adjusted value, or value where there is
--                                       none, drawn towards the service's
--          shrunken_low DECIMAL(18,9)   lower end of its 95 % interval
--          shrunken_high DECIMAL(18,9)  upper end of its 95 % interval
--          between_from VARCHAR         where the spread between therapists comes from
-- version: 4
with setting as (
    select max(value) filter (where name = 'z_95')::double as z,
    from ref.setting
),

-- a condition on the side that is kept would have every row compared with every other
of_therapist as (
    select
        'therapist' as level,
        *,
    from measure.shrunken
),

plain as (
    select
        total.*,
        spread.between_from,
        shrunken.difference::double as difference,
        shrunken.difference_sd::double as difference_sd,
        setting.z,
        case
            when total.kind = 'count' then nullif(total.n, 0)::double
            else total.sum_x::double / nullif(total.n, 0)
        end as y,
        case when service.expected is not null then total.expected::double / nullif(total.n, 0) end
            as mean_expected,
        coalesce(service.expected, service.sum_x)::double / nullif(service.n, 0) as usual,
        case
            when total.kind = 'mean' and total.n > 1
                then greatest(
                    total.sum_xx::double - total.sum_x::double * total.sum_x::double / total.n, 0
                ) / (total.n - 1)
        end as variance,
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
    left join of_therapist as shrunken
        on
            total.level = shrunken.level
            and total.unit_id = shrunken.unit_id
            and total.period_id = shrunken.period_id
            and total.measure = shrunken.measure
            and total.instrument_id is not distinct from shrunken.instrument_id
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
    from plain
),

ends as (
    select
        *,
        middle - half as low,
        middle + half as high,
        y - mean_expected + usual as adjusted,
        usual + difference as shrunken,
        usual + difference - z * difference_sd as shrunken_low,
        usual + difference + z * difference_sd as shrunken_high,
    from interval_part
),

bounded as (
    -- greatest and least would turn a missing number into a whole one
    select
        *,
        [
            case
                when kind = 'rate' and x < 0 then 0
                when kind = 'rate' and x > 1 then 1
                else round(x, 9)
            end for x in [low, high, adjusted, shrunken, shrunken_low, shrunken_high]
        ] as within,
    from ends
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
    within[1]::decimal(18, 9) as low,
    within[2]::decimal(18, 9) as high,
    round(n_known::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as completeness,
    round(numerator_low::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as bound_low,
    round(numerator_high::double / nullif(n_eligible, 0), 9)::decimal(18, 9) as bound_high,
    round(mean_expected, 9)::decimal(18, 9) as expected,
    within[3]::decimal(18, 9) as adjusted,
    within[4]::decimal(18, 9) as shrunken,
    within[5]::decimal(18, 9) as shrunken_low,
    within[6]::decimal(18, 9) as shrunken_high,
    case when difference is not null then between_from end::varchar as between_from,
from bounded
