-- Month of a figure as a process chart takes it: months in order, what is not shown, not over or not
-- settled left out.
--
-- A month that the data of a clinic do not reach the end of is unfinished and is not judged; that of
-- the service waits for the clinic that is most behind. Where a figure counts endings, those that a
-- clinic recorded are known before those told by silence: until these are known as well, the month
-- would show a special cause that is none. Therapists have none: their months are too
-- few people.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.published, ref.definition, ref.period, ref.setting, valid.clinic
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          period_id VARCHAR      month
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          month_no INTEGER       place of the month, the oldest first
--          value DECIMAL(18,9)    value; NULL not shown, unfinished, or not settled
--          is_unfinished BOOLEAN  whether the data end before the month does
--          is_settling BOOLEAN    whether endings in it that the figure counts may become known yet
-- version: 3
with setting as (
    select max(value) filter (where name = 'gap_days') as gap_days,
    from ref.setting
),

data_reach as (
    select
        clinic_id,
        data_through as reaches_to,
    from valid.clinic
    union all
    select
        null as clinic_id,
        min(data_through) as reaches_to,
    from valid.clinic
),

series as (
    select distinct
        published.level,
        published.unit_id,
        published.clinic_id,
        published.measure,
        published.instrument_id,
    from measure.published as published
    join ref.period as period using (period_id)
    where published.level in ('service', 'clinic') and period.period_kind = 'month'
),

month as (
    -- every month has its place, also one in which the figure gave way to another
    select
        series.*,
        period.period_id,
        period.period_start,
        published.value,
        not coalesce(
            data_reach.reaches_to >= period.period_end
            and getvariable('as_of')::date >= period.period_end,
            false
        ) as is_unfinished,
        coalesce(
            definition.counts_endings
            and data_reach.reaches_to - period.period_end < setting.gap_days,
            false
        ) as is_settling,
    from series
    cross join setting
    join ref.period as period on period.period_kind = 'month'
    left join measure.published as published
        on
            series.level = published.level
            and series.unit_id = published.unit_id
            and period.period_id = published.period_id
            and series.measure = published.measure
            and series.instrument_id is not distinct from published.instrument_id
    left join data_reach on series.clinic_id is not distinct from data_reach.clinic_id
    left join ref.definition as definition on series.measure = definition.measure
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    row_number() over (
        partition by level, unit_id, measure, instrument_id
        order by period_start
    )::integer as month_no,
    case when not is_unfinished and not is_settling then value end::decimal(18, 9) as value,
    is_unfinished::boolean as is_unfinished,
    is_settling::boolean as is_settling,
from month
