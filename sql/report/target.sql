-- Target beside a figure, and on which side of it the figure lies.
--
-- A figure has an interval: a target is reached, or missed, where the whole interval lies on one
-- side of it. Where a clinic has a target of its own it takes the place of that of every clinic. A
-- target for a count is one for twelve months: months and quarters have none.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  ref.target, report.figure
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          period_id VARCHAR      period
--          measure VARCHAR        measure
--          instrument_id VARCHAR  instrument; NULL where the measure is not per one
--          value DECIMAL(18,6)    target; a rate from 0 to 1
--          direction VARCHAR      at least or at most
--          target_text VARCHAR    target as printed
--          source VARCHAR         who set it, and where it is written
--          state VARCHAR          reached, missed, or open; NULL the figure is not shown
--          state_text VARCHAR     state in words
-- version: 2
with beside as (
    select
        figure.*,
        target.value as target,
        target.direction,
        target.source,
        -- a count has no interval
        coalesce(figure.low, figure.value) as from_value,
        coalesce(figure.high, figure.value) as to_value,
    from report.figure as figure
    join ref.target as target
        on
            figure.level = target.level
            and figure.unit_id = coalesce(target.unit_id, figure.unit_id)
            and figure.measure = target.measure
            and figure.instrument_id is not distinct from coalesce(target.instrument_id, figure.instrument_id)
            and (figure.kind <> 'count' or figure.period_kind in ('year', 'financial_year'))
    qualify
        row_number() over (
            partition by figure.level, figure.unit_id, figure.period_id, figure.measure, figure.instrument_id
            order by target.unit_id is null, target.instrument_id is null
        ) = 1
),

judged as (
    select
        *,
        case
            when not is_shown then null
            when direction = 'at least' and from_value >= target then 'reached'
            when direction = 'at least' and to_value < target then 'missed'
            when direction = 'at most' and to_value <= target then 'reached'
            when direction = 'at most' and from_value > target then 'missed'
            else 'open'
        end as state,
        case
            when kind = 'rate' then round(100 * target, 1)::double::varchar || ' %'
            else target::double::varchar
        end as number,
    from beside
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    target::decimal(18, 6) as value,
    direction::varchar as direction,
    case direction
        when 'at least' then 'at least ' || regexp_replace(number, '\.0( |$)', '\1')
        else 'at most ' || regexp_replace(number, '\.0( |$)', '\1')
    end::varchar as target_text,
    source::varchar as source,
    state::varchar as state,
    case state
        when 'reached' then 'reached: the whole interval lies on that side'
        when 'missed' then 'missed: the whole interval lies on the other side'
        when 'open' then 'cannot be said: the interval lies on both sides'
    end::varchar as state_text,
from judged
