-- Month of a figure beside its process limits, and which of four rules tell of a special cause.
--
-- The rules of NHS England's Making Data Count: a month beyond a limit; a run on one side of the
-- mean; a trend, each month further the same way; two of three months in a row near the same limit,
-- all three on its side. A month without a value breaks every run: no rule looks across it. All
-- months of a run or trend are marked, not its last alone.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.process_limit, measure.process_month, ref.definition, ref.setting
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          period_id VARCHAR      month
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          month_no INTEGER       place of the month, the oldest first
--          value DECIMAL(18,9)    value; NULL not shown, or unfinished
--          is_beyond BOOLEAN      beyond a process limit
--          is_run BOOLEAN         part of a run on one side of the mean
--          is_trend BOOLEAN       part of a trend
--          is_near BOOLEAN        one of two of three near a limit
--          side INTEGER           1 above the mean, -1 below
--          trend_side INTEGER     1 part of a rising trend, -1 of a falling one
--          cause VARCHAR          improvement, concern or neither (special, and neither direction is
--                                 better); NULL none, or not known for want of limits
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'process_run') as run_length,
        max(value) filter (where name = 'process_trend') as trend_length,
    from ref.setting
),

month as (
    select
        process_month.*,
        concat_ws(
            ' ',
            process_month.level,
            process_month.unit_id,
            process_month.measure,
            process_month.instrument_id
        ) as series,
        process_limit.mean,
        count(*) filter (where process_month.value is null) over (
            partition by series
            order by process_month.month_no
            rows between unbounded preceding and current row
        ) as stretch,
        sign(process_month.value - process_limit.mean)::integer as side,
        process_month.value not between process_limit.low and process_limit.high as is_beyond,
        process_month.value between process_limit.low and process_limit.high
        and process_month.value not between process_limit.near_low and process_limit.near_high
            as is_close,
    from measure.process_month as process_month
    join measure.process_limit as process_limit
        on
            process_month.level = process_limit.level
            and process_month.unit_id = process_limit.unit_id
            and process_month.measure = process_limit.measure
            and process_month.instrument_id is not distinct from process_limit.instrument_id
),

step as (
    select
        *,
        sign(value - lag(value) over (partition by series, stretch order by month_no))::integer
            as step,
        month_no - row_number() over (partition by series, stretch, side order by month_no) as run,
        count(*) over three = 3
        and abs(sum(side) over three) = 3
        and count(*) filter (where is_close) over three >= 2 as is_two_of_three,
    from month
    where value is not null and mean is not null
    window
        three as (
            partition by series, stretch
            order by month_no
            rows between 2 preceding and current row
        )
),

climbing as (
    select
        *,
        month_no - row_number() over (partition by series, stretch, step order by month_no)
            as climb,
    from step
),

counted as (
    select
        climbing.*,
        climbing.side <> 0
        and count(*) over (
            partition by climbing.series, climbing.stretch, climbing.side, climbing.run
        ) >= setting.run_length as is_run,
        -- a trend has one month more than steps
        climbing.step <> 0
        and 1 + count(*) over (
            partition by climbing.series, climbing.stretch, climbing.step, climbing.climb
        ) >= setting.trend_length as is_trend_step,
    from climbing
    cross join setting
),

ruled as (
    select
        *,
        case
            when is_trend_step then step
            when lead(is_trend_step) over along then lead(step) over along
        end as trend_side,
        is_close and coalesce(
            bool_or(is_two_of_three) over (
                partition by series, stretch
                order by month_no
                rows between current row and 2 following
            ), false
        ) as is_near,
    from counted
    window along as (partition by series, stretch order by month_no)
),

directed as (
    -- where a month lies says more than where it is heading
    select
        *,
        case when is_beyond or is_run or is_near then side else trend_side end as direction,
    from ruled
)

select
    month.level::varchar as level,
    month.unit_id::varchar as unit_id,
    month.period_id::varchar as period_id,
    month.measure::varchar as measure,
    month.instrument_id::varchar as instrument_id,
    month.month_no::integer as month_no,
    month.value::decimal(18, 9) as value,
    directed.is_beyond::boolean as is_beyond,
    directed.is_run::boolean as is_run,
    (directed.trend_side is not null)::boolean as is_trend,
    directed.is_near::boolean as is_near,
    directed.side::integer as side,
    directed.trend_side::integer as trend_side,
    case
        when directed.direction is null then null
        when coalesce(definition.better, 'neither') = 'neither' then 'neither'
        when directed.direction = case definition.better when 'lower' then -1 else 1 end
            then 'improvement'
        else 'concern'
    end::varchar as cause,
from month
join ref.definition as definition on month.measure = definition.measure
left join directed on month.series = directed.series and month.month_no = directed.month_no
