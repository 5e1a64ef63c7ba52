-- Monthly figure with its process limits as printed: one chart.
--
-- grain:   level, unit_id, measure, instrument_id?
-- inputs:  measure.process_limit, ref.setting, report.figure, report.process_point, report.target
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          section VARCHAR        heading it stands under
--          chart_order INTEGER    order on the page
--          label VARCHAR          what the figure is
--          kind VARCHAR           rate or mean
--          better VARCHAR         higher, lower or neither
--          mean DECIMAL(9,4)      mean of the months; NULL where there is no chart
--          low DECIMAL(9,4)       lower limit, no further than a share can go
--          high DECIMAL(9,4)      upper limit, no further than a share can go
--          is_drawn BOOLEAN       whether enough months are shown
--          limits_text VARCHAR    mean and limits in words; NULL not drawn
--          latest_text VARCHAR    what the latest month tells; NULL not drawn
--          target_text VARCHAR    target, and whether the process as it runs will reach it, as
--                                 Making Data Count tells it; NULL not drawn, or no target
--          why_not VARCHAR        why there is no chart; NULL drawn
-- version: 5
with setting as (
    select max(value) filter (where name = 'process_months_needed')::integer as months_needed,
    from ref.setting
),

told as (
    select
        level,
        unit_id,
        measure,
        instrument_id,
        -- a mean is printed with as many decimals as what it is the mean of
        max(length(split_part(value_text, '.', 2))) as decimals,
        arg_max(label, month_no) as latest,
        arg_max(coalesce(cause_text, 'no special cause'), month_no) as latest_cause,
    from report.process_point
    where value is not null
    group by level, unit_id, measure, instrument_id
),

named as (
    select
        level,
        unit_id,
        measure,
        instrument_id,
        max(section) as section,
        max(figure_order) as figure_order,
        max(label) as label,
        max(kind) as kind,
        -- a target for a count is one for twelve months
        case when max(kind) <> 'count' then 'year' end as target_period_id,
        max(better) as better,
    from report.figure
    where period_kind = 'month'
    group by level, unit_id, measure, instrument_id
),

chart as (
    select
        process_limit.*,
        named.section,
        named.figure_order,
        named.label,
        named.kind,
        named.better,
        told.latest,
        told.latest_cause,
        coalesce(told.decimals, 0)::integer as decimals,
        process_limit.mean_range is not null as is_drawn,
        -- a share cannot leave 0 to 1
        case
            when named.kind = 'rate' and process_limit.low < 0 then 0
            else process_limit.low
        end as low_possible,
        case
            when named.kind = 'rate' and process_limit.high > 1 then 1
            else process_limit.high
        end as high_possible,
        target.target_text as target_words,
        case target.direction
            when 'at least' then process_limit.low >= target.value
            when 'at most' then process_limit.high <= target.value
        end as is_reached,
        case target.direction
            when 'at least' then process_limit.high < target.value
            when 'at most' then process_limit.low > target.value
        end as is_missed,
        case named.kind when 'rate' then 100 else 1 end as factor,
        case named.kind when 'rate' then ' %' else '' end as unit,
        setting.months_needed,
    from measure.process_limit as process_limit
    join named
        on
            process_limit.level = named.level
            and process_limit.unit_id = named.unit_id
            and process_limit.measure = named.measure
            and process_limit.instrument_id is not distinct from named.instrument_id
    left join told
        on
            process_limit.level = told.level
            and process_limit.unit_id = told.unit_id
            and process_limit.measure = told.measure
            and process_limit.instrument_id is not distinct from told.instrument_id
    left join report.target as target
        on
            process_limit.level = target.level
            and process_limit.unit_id = target.unit_id
            and process_limit.measure = target.measure
            and process_limit.instrument_id is not distinct from target.instrument_id
            and named.target_period_id = target.period_id
    cross join setting
),

printed as (
    select
        *,
        [
            printf('%.' || decimals::varchar || 'f', round((factor * x)::double, decimals))
            for x in [mean, low_possible, high_possible]
        ] as number,
    from chart
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    section::varchar as section,
    figure_order::integer as chart_order,
    label::varchar as label,
    kind::varchar as kind,
    better::varchar as better,
    case when is_drawn then round(mean, 4) end::decimal(9, 4) as mean,
    case when is_drawn then round(low_possible, 4) end::decimal(9, 4) as low,
    case when is_drawn then round(high_possible, 4) end::decimal(9, 4) as high,
    is_drawn::boolean as is_drawn,
    case
        when is_drawn
            then
                'Mean of '
                || n_shown::varchar
                || ' months '
                || number[1]
                || unit
                || ', process limits '
                || number[2]
                || ' to '
                || number[3]
                || unit
    end::varchar as limits_text,
    case when is_drawn then latest || ': ' || latest_cause end::varchar as latest_text,
    case
        when not is_drawn or target_words is null then null
        when is_reached
            then
                'Target '
                || target_words
                || ': both process limits reach it; as things are, it is met month after month'
        when is_missed
            then
                'Target '
                || target_words
                || ': neither process limit reaches it; as things are, no month is to be expected to'
        else 'Target ' || target_words || ': it lies between the process limits; months meet and miss it by chance'
    end::varchar as target_text,
    case
        when not is_drawn
            then
                'fewer than ' || months_needed::varchar || ' months can be shown ('
                || n_shown::varchar || ' of ' || n_months::varchar || ')'
    end::varchar as why_not,
from printed
