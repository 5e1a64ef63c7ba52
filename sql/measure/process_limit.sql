-- Mean and natural process limits of a monthly figure, as an XmR chart has them.
--
-- The mean of the months that count, and 2.66 times the mean moving range to either side of it
-- (Wheeler 1993). A moving range is between two months that follow one another and both have a value.
-- Ranges of odd months are not left out, as in the tools of Making Data Count. Where too few months
-- have a value there are no limits.
--
-- grain:   level, unit_id, measure, instrument_id?
-- inputs:  measure.process_month, ref.setting
-- columns: level VARCHAR              service or clinic
--          unit_id VARCHAR            service, or the clinic's id
--          measure VARCHAR            measure
--          instrument_id VARCHAR      instrument; NULL where the measure is not per one
--          n_months INTEGER           months of the period
--          n_shown INTEGER            of these, with a value
--          n_ranges INTEGER           moving ranges
--          mean DECIMAL(18,9)         their mean; NULL too few
--          mean_range DECIMAL(18,9)   mean moving range; NULL too few
--          low DECIMAL(18,9)          lower process limit; NULL too few
--          high DECIMAL(18,9)         upper process limit; NULL too few
--          near_low DECIMAL(18,9)     below it a point is near the lower limit
--          near_high DECIMAL(18,9)    above it a point is near the upper limit
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'process_limit_factor')::double as factor,
        max(value) filter (where name = 'process_near_share')::double as near_share,
        max(value) filter (where name = 'process_months_needed') as months_needed,
    from ref.setting
),

month as (
    select
        *,
        value - lag(value) over (
            partition by level, unit_id, measure, instrument_id
            order by month_no
        ) as step,
    from measure.process_month
),

summed as (
    select
        level,
        unit_id,
        measure,
        instrument_id,
        count(*) as n_months,
        count(value) as n_shown,
        count(step) as n_ranges,
        sum(value)::double / count(value) as mean,
        sum(abs(step))::double / nullif(count(step), 0) as mean_range,
    from month
    group by level, unit_id, measure, instrument_id
),

judged as (
    select
        summed.* exclude (mean, mean_range),
        case when summed.n_shown >= setting.months_needed then summed.mean end as mean,
        case when summed.n_shown >= setting.months_needed then summed.mean_range end as mean_range,
        setting.factor,
        setting.near_share,
    from summed
    cross join setting
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    n_months::integer as n_months,
    n_shown::integer as n_shown,
    n_ranges::integer as n_ranges,
    round(mean, 9)::decimal(18, 9) as mean,
    round(mean_range, 9)::decimal(18, 9) as mean_range,
    round(mean - factor * mean_range, 9)::decimal(18, 9) as low,
    round(mean + factor * mean_range, 9)::decimal(18, 9) as high,
    round(mean - near_share * factor * mean_range, 9)::decimal(18, 9) as near_low,
    round(mean + near_share * factor * mean_range, 9)::decimal(18, 9) as near_high,
from judged
