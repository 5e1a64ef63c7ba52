-- Part of a movement as it may be shown to managers: parts behind which few courses stand go together.
--
-- A part of one or two courses would say what became of them. Parts with fewer courses than the
-- smallest denominator shown go together; where that is still too few, with the next smallest. The
-- figure is then taken from one night to the other part by part, in a fixed order, so that the steps
-- add up to the movement.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?, part
-- inputs:  measure.movement, measure.published, measure.total_before, ref.setting
-- columns: level VARCHAR               service or clinic
--          unit_id VARCHAR             service, or the clinic's id
--          clinic_id VARCHAR           clinic; NULL for the service
--          period_id VARCHAR           period
--          measure VARCHAR             measure
--          instrument_id VARCHAR       instrument; NULL where the measure is not per one
--          kind VARCHAR                rate, mean or count
--          part VARCHAR                rule, time, corrected, late pair, new or together
--          parts VARCHAR[]             what stands together in it
--          n_before INTEGER            denominator, or number of values, of the night before
--          n_now INTEGER               tonight's
--          value_before DECIMAL(18,9)  figure of the night before
--          value_now DECIMAL(18,9)     tonight's
--          value_from DECIMAL(18,9)    figure before this part
--          value_to DECIMAL(18,9)      figure after it
-- version: 1
with setting as (
    select max(value) filter (where name = 'minimum_shown')::integer as minimum,
    from ref.setting
),

shown as (
    select
        published.kind,
        published.value as value_now,
        published.n as n_now,
        before.n as n_before,
        before.sum_x as x_before,
        movement.*,
        setting.minimum,
        -- where nothing else moved the figure there is nothing to tell apart
        count(*) over same_figure > 1
        and (coalesce(movement.n_courses < setting.minimum, false) or movement.part = 'together')
            as is_pooled,
        struct_pack(
            level := movement.level,
            unit_id := movement.unit_id,
            period_id := movement.period_id,
            measure := movement.measure,
            instrument_id := movement.instrument_id
        ) as figure,
    from measure.movement as movement
    join measure.published as published
        on
            published.is_shown
            and movement.level = published.level
            and movement.unit_id = published.unit_id
            and movement.period_id = published.period_id
            and movement.measure = published.measure
            and movement.instrument_id is not distinct from published.instrument_id
    join measure.total_before as before
        on
            before.is_shown
            and movement.level = before.level
            and movement.unit_id = before.unit_id
            and movement.period_id = before.period_id
            and movement.measure = before.measure
            and movement.instrument_id is not distinct from before.instrument_id
    cross join setting
    window
        same_figure as (
            partition by
                movement.level, movement.unit_id, movement.period_id, movement.measure,
                movement.instrument_id
        )
),

pool as (
    select
        figure,
        coalesce(sum(n_courses) filter (where is_pooled), 0) between 1 and min(minimum) - 1 as is_few,
        arg_min(part, (n_courses, part)) filter (where not is_pooled and part <> 'rule')
            as next_smallest,
    from shown
    group by figure
),

pooled as (
    select
        shown.*,
        case
            when shown.is_pooled or (pool.is_few and shown.part = pool.next_smallest) then 'together'
            else shown.part
        end as shown_part,
    from shown
    join pool on shown.figure = pool.figure
),

step as (
    select
        figure,
        shown_part,
        list_position(['rule', 'time', 'corrected', 'late pair', 'new', 'together'], shown_part)
            as step,
        list(part order by part) as parts,
        min(clinic_id) as clinic_id,
        min(kind) as kind,
        min(value_now) as value_now,
        min(n_now) as n_now,
        min(n_before) as n_before,
        min(x_before) as x_before,
        sum(n) as n,
        sum(sum_x) as sum_x,
    from pooled
    group by figure, shown_part
),

running as (
    select
        *,
        n_before + sum(n) over (partition by figure order by step) as n_to,
        x_before + sum(sum_x) over (partition by figure order by step) as x_to,
    from step
),

valued as (
    select
        *,
        case kind
            when 'count' then n_before::double else x_before::double / nullif(n_before, 0)
        end as value_before,
        case kind when 'count' then n_to::double else x_to::double / nullif(n_to, 0) end as value_to,
    from running
)

select
    figure.level::varchar as level,
    figure.unit_id::varchar as unit_id,
    clinic_id::varchar as clinic_id,
    figure.period_id::varchar as period_id,
    figure.measure::varchar as measure,
    figure.instrument_id::varchar as instrument_id,
    kind::varchar as kind,
    shown_part::varchar as part,
    parts::varchar[] as parts,
    n_before::integer as n_before,
    n_now::integer as n_now,
    round(value_before, 9)::decimal(18, 9) as value_before,
    value_now::decimal(18, 9) as value_now,
    round(coalesce(lag(value_to) over (partition by figure order by step), value_before), 9)::decimal(18, 9)
        as value_from,
    round(value_to, 9)::decimal(18, 9) as value_to,
from valued
