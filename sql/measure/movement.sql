-- One part of what moved a figure since the night before; the parts add up to the movement.
--
-- Each course that counts otherwise belongs to one part whole: new data, corrected rows, late pairs,
-- the passing of time where none of its rows changed, and together where several things came at
-- once. What tonight's definition makes of the scores of the night before is rule change. Where a
-- rule of scoring changed, what it did to a course is not told from what else came: together.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?, part
-- inputs:  measure.course_cause, measure.course_part, measure.ruled_measure, measure.total,
--          measure.total_before
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          clinic_id VARCHAR      clinic; NULL for the service
--          period_id VARCHAR      period
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          part VARCHAR           rule, time, corrected, late pair, new or together
--          n INTEGER              by how much it moved the denominator, or the number of values
--          sum_x DECIMAL(38,6)    by how much the sum; of a rate the numerator
--          n_courses INTEGER      courses behind it; NULL a rule, which is about all of them
-- version: 1
with part as (
    select
        part.*,
        case
            when ruled.measure is not null then 'together'
            else coalesce(cause.cause, 'time')
        end as part,
    from measure.course_part as part
    left join measure.ruled_measure as ruled on part.measure = ruled.measure
    left join measure.course_cause as cause on part.episode_id = cause.episode_id
),

added as (
    select
        wide.level,
        case wide.level when 'service' then 'service' else part.clinic_id end as unit_id,
        part.period_id,
        part.measure,
        part.instrument_id,
        part.part,
        sum(part.n) as n,
        sum(part.sum_x) as sum_x,
        count(distinct part.episode_id) as n_courses,
    from part
    cross join (values ('service'), ('clinic')) as wide (level)
    group by all
),

figure as (
    select
        total.level,
        total.unit_id,
        total.clinic_id,
        total.period_id,
        total.measure,
        total.instrument_id,
        total.n - before.n as n,
        total.sum_x - before.sum_x as sum_x,
        before.ruled_n - before.n as ruled_n,
        before.ruled_sum_x - before.sum_x as ruled_sum_x,
    from measure.total as total
    join measure.total_before as before
        on
            total.level = before.level
            and total.unit_id = before.unit_id
            and total.period_id = before.period_id
            and total.measure = before.measure
            and total.instrument_id is not distinct from before.instrument_id
),

told as (
    select
        figure.level,
        figure.unit_id,
        figure.clinic_id,
        figure.period_id,
        figure.measure,
        figure.instrument_id,
        added.part,
        added.n,
        added.sum_x,
        added.n_courses,
    from figure
    join added
        on
            figure.level = added.level
            and figure.unit_id = added.unit_id
            and figure.period_id = added.period_id
            and figure.measure = added.measure
            and figure.instrument_id is not distinct from added.instrument_id
    where figure.ruled_n is not null
    union all
    select
        figure.* exclude (n, sum_x, ruled_n, ruled_sum_x),
        'rule' as part,
        figure.ruled_n as n,
        figure.ruled_sum_x as sum_x,
        null as n_courses,
    from figure
    where figure.ruled_n <> 0 or figure.ruled_sum_x <> 0
    union all
    -- a definition that the scores of the night before cannot be counted by
    select
        figure.* exclude (n, sum_x, ruled_n, ruled_sum_x),
        'together' as part,
        figure.n,
        figure.sum_x,
        null as n_courses,
    from figure
    where figure.ruled_n is null and (figure.n <> 0 or figure.sum_x <> 0)
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    min(clinic_id)::varchar as clinic_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    part::varchar as part,
    sum(n)::integer as n,
    sum(sum_x)::decimal(38, 6) as sum_x,
    sum(n_courses)::integer as n_courses,
from told
group by level, unit_id, period_id, measure, instrument_id, part
