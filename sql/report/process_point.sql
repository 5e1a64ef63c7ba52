-- Month of a figure as printed on its process chart: value, and the special cause in words.
--
-- grain:   level, unit_id, measure, instrument_id?, month_no
-- inputs:  measure.process_month, measure.process_point, ref.period, ref.setting, report.figure
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          month_no INTEGER       place of the month, the oldest first
--          month_start DATE       first day of the month
--          label VARCHAR          month in words
--          value DECIMAL(9,4)     value; NULL not shown, unfinished, or not settled
--          value_text VARCHAR     value as printed, or why there is none
--          interval_text VARCHAR  95 % interval as printed; NULL not shown
--          n_text VARCHAR         counts as printed; NULL not shown
--          cause VARCHAR          improvement, concern or neither; NULL no special cause
--          mark_text VARCHAR      rule in a word, at the first of the months it marks; NULL none
--          cause_text VARCHAR     the same in words, with the rules that tell of it; NULL none
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'process_run')::integer as run_length,
        max(value) filter (where name = 'process_trend')::integer as trend_length,
    from ref.setting
),

rule as (
    select
        point.*,
        concat_ws(
            ', ',
            case
                when point.is_beyond and point.side > 0 then 'beyond the upper limit'
                when point.is_beyond then 'beyond the lower limit'
            end,
            case
                when point.is_run
                    then
                        'part of a run of '
                        || setting.run_length::varchar
                        || ' or more '
                        || case when point.side > 0 then 'above' else 'below' end
                        || ' the mean'
            end,
            case
                when point.is_trend
                    then
                        'part of a trend of '
                        || setting.trend_length::varchar
                        || ' or more '
                        || case when point.trend_side > 0 then 'upwards' else 'downwards' end
            end,
            case
                when point.is_near and point.side > 0 then 'one of two in three near the upper limit'
                when point.is_near then 'one of two in three near the lower limit'
            end
        ) as rules_text,
        case
            when point.is_beyond then 'limit'
            when point.is_run then 'run'
            when point.is_trend then 'trend'
            when point.is_near then 'near'
        end as rule,
    from measure.process_point as point
    cross join setting
),

first_of_rule as (
    select
        *,
        coalesce(
            rule <> lag(rule) over (
                partition by level, unit_id, measure, instrument_id
                order by month_no
            ),
            rule is not null
        ) as is_first,
    from rule
)

select
    month.level::varchar as level,
    month.unit_id::varchar as unit_id,
    month.measure::varchar as measure,
    month.instrument_id::varchar as instrument_id,
    month.month_no::integer as month_no,
    period.period_start::date as month_start,
    period.label::varchar as label,
    round(month.value, 4)::decimal(9, 4) as value,
    case
        when month.value is not null then figure.value_text
        when figure.is_shown and month.is_unfinished
            then 'unfinished: the data do not reach the end of the month'
        when figure.is_shown and month.is_settling
            then 'not settled: endings in this month may still become known'
        else coalesce(figure.note, 'not shown: another figure stands for it in this month')
    end::varchar as value_text,
    case when month.value is not null then figure.interval_text end::varchar as interval_text,
    case when month.value is not null then figure.n_text end::varchar as n_text,
    rule.cause::varchar as cause,
    case when rule.is_first then rule.rule end::varchar as mark_text,
    case rule.cause
        when 'improvement' then 'special cause, improvement: ' || rule.rules_text
        when 'concern' then 'special cause, concern: ' || rule.rules_text
        when 'neither' then 'special cause, neither direction is better: ' || rule.rules_text
    end::varchar as cause_text,
from measure.process_month as month
join ref.period as period on month.period_id = period.period_id
left join report.figure as figure
    on
        month.level = figure.level
        and month.unit_id = figure.unit_id
        and month.period_id = figure.period_id
        and month.measure = figure.measure
        and month.instrument_id is not distinct from figure.instrument_id
left join first_of_rule as rule
    on
        month.level = rule.level
        and month.unit_id = rule.unit_id
        and month.period_id = rule.period_id
        and month.measure = rule.measure
        and month.instrument_id is not distinct from rule.instrument_id
