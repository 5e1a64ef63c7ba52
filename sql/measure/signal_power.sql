-- What the signal rule can and cannot find: how often it fires, for a therapist like the service and
-- for one who truly differs.
--
-- The caseload is the median one of the funnel. Rates by the binomial distribution, means by the
-- normal one (Abramowitz & Stegun 1964, 26.2.17).
--
-- grain:   measure, instrument_id?, true_difference
-- inputs:  measure.funnel_point, measure.overdispersion, measure.spread, measure.total, ref.setting
-- columns: measure VARCHAR                measure
--          instrument_id VARCHAR          questionnaire; NULL where the measure is not per one
--          true_difference DECIMAL(9,3)   0, or true difference from the service: a share of all
--                                         courses, or standard deviations of a mean
--          n INTEGER                      courses in a window
--          usual DECIMAL(18,9)            the service's value
--          in_one DECIMAL(18,9)           probability of lying beyond the outer limits in one window
--          in_both DECIMAL(18,9)          probability of a signal, the windows being independent
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'z_998')::double as z,
        max(value) filter (where name = 'power_rate_difference') as rate_difference,
        max(value) filter (where name = 'power_mean_difference') as mean_difference,
    from ref.setting
),

typical as (
    select
        measure,
        instrument_id,
        max(kind) as kind,
        floor(quantile_cont(n, 0.5))::integer as n,
    from measure.funnel_point
    where period_id = 'window'
    group by measure, instrument_id
),

world as (
    select
        typical.*,
        overdispersion.tau_squared::double as tau_squared,
        spread.variance_within::double as variance_within,
        total.sum_x::double / total.n as usual,
        setting.z,
        unnest(case typical.kind
            when 'rate' then [0, -setting.rate_difference, setting.rate_difference]
            else [0, -setting.mean_difference, setting.mean_difference]
        end) as true_difference,
    from typical
    join measure.overdispersion as overdispersion
        on
            overdispersion.period_id = 'window'
            and overdispersion.method = 'corrected'
            and typical.measure = overdispersion.measure
            and typical.instrument_id is not distinct from overdispersion.instrument_id
    join measure.spread as spread
        on
            spread.period_id = 'window'
            and typical.measure = spread.measure
            and typical.instrument_id is not distinct from spread.instrument_id
    join measure.total as total
        on
            total.level = 'service'
            and total.period_id = 'window'
            and typical.measure = total.measure
            and typical.instrument_id is not distinct from total.instrument_id
    cross join setting
),

limited as (
    select
        *,
        usual + true_difference::double as rate,
        -- a mean may lie above 1, and has no such variance
        case when kind = 'rate' then z * sqrt(usual * (1 - usual) / n + tau_squared) end as rate_reach,
        (
            z * sqrt(variance_within / n + tau_squared)
            - abs(true_difference::double) * sqrt(variance_within)) / sqrt(variance_within / n)
            as reach,
    from world
    where kind = 'mean' or usual + true_difference::double between 0.001 and 0.999
),

tail as (
    select
        *,
        1 / (1 + 0.2316419 * abs(reach)) as t,
        exp(-reach * reach / 2) / sqrt(2 * pi()) as density,
    from limited
    where kind = 'mean'
),

mean as (
    select
        measure,
        instrument_id,
        true_difference,
        n,
        usual,
        density * t * (
            0.319381530 + t * (
                -0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))
            )
        ) as beyond,
        reach >= 0 as is_small,
        true_difference = 0 as is_null,
    from tail
),

outcome as (
    select
        *,
        unnest(range(0, n + 1)) as k,
    from limited
    where kind = 'rate'
),

rate as (
    select
        measure,
        instrument_id,
        true_difference,
        n,
        usual,
        sum(
            exp(
                lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
                + k * ln(rate) + (n - k) * ln(1 - rate)
            ) order by k
        ) filter (
            where
            case
                when true_difference = 0
                    then abs(k / n - usual) > rate_reach
                when true_difference < 0
                    then k / n - usual < -rate_reach
                else k / n - usual > rate_reach
            end
        ) as beyond,
    from outcome
    group by measure, instrument_id, true_difference, n, usual
),

power as (
    select
        measure,
        instrument_id,
        true_difference,
        n,
        usual,
        coalesce(beyond, 0) as in_one,
        -- a therapist like the service must leave on the same side twice
        case
            when true_difference = 0 then 2 * pow(coalesce(beyond, 0) / 2, 2)
            else pow(coalesce(beyond, 0), 2)
        end as in_both,
    from rate
    union all
    select
        measure,
        instrument_id,
        true_difference,
        n,
        usual,
        case when is_null then 2 * beyond when is_small then beyond else 1 - beyond end as in_one,
        case
            when is_null then 2 * beyond * beyond
            when is_small then beyond * beyond
            else (1 - beyond) * (1 - beyond)
        end as in_both,
    from mean
)

select
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    true_difference::decimal(9, 3) as true_difference,
    n::integer as n,
    round(usual, 9)::decimal(18, 9) as usual,
    round(in_one, 9)::decimal(18, 9) as in_one,
    round(in_both, 9)::decimal(18, 9) as in_both,
from power
