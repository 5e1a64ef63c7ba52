-- First and last scores of the service's own finished courses on one questionnaire: what a single
-- change is compared with by the methods that look at the group.
--
-- grain:   instrument_id
-- inputs:  ref.setting, score.end_state, score.reliable_change
-- columns: instrument_id VARCHAR        instrument
--          n INTEGER                    finished courses with a first and a last score
--          mean_pre DOUBLE              mean of the first scores
--          sd_pre DOUBLE                their standard deviation
--          mean_post DOUBLE             mean of the last scores
--          sd_post DOUBLE               their standard deviation
--          correlation DOUBLE           between first and last scores; NULL where either does not
--                                       vary
--          frozen_on DATE               night it was computed on
-- version: 1
-- frozen:  instrument_id
-- keys:    score.reliable_change
with summed as (
    select
        change.instrument_id,
        count(*) as n,
        sum(change.baseline_value)::decimal(38, 12) as x,
        sum(change.last_value)::decimal(38, 12) as y,
        sum(change.baseline_value * change.baseline_value)::decimal(38, 12) as xx,
        sum(change.last_value * change.last_value)::decimal(38, 12) as yy,
        sum(change.baseline_value * change.last_value)::decimal(38, 12) as xy,
    from score.reliable_change as change
    join score.end_state as end_state on change.episode_id = end_state.episode_id
    where
        end_state.is_ended
        and end_state.is_resolved
        and change.baseline_value is not null
        and change.last_value is not null
    group by change.instrument_id
),

spread as (
    select
        *,
        (xx::double - x::double * x::double / n) / nullif(n - 1, 0) as variance_pre,
        (yy::double - y::double * y::double / n) / nullif(n - 1, 0) as variance_post,
        (xy::double - x::double * y::double / n) / nullif(n - 1, 0) as covariance,
    from summed
)

select
    spread.instrument_id::varchar as instrument_id,
    spread.n::integer as n,
    (spread.x::double / spread.n)::double as mean_pre,
    sqrt(case when spread.variance_pre > 0 then spread.variance_pre else 0 end)::double as sd_pre,
    (spread.y::double / spread.n)::double as mean_post,
    sqrt(case when spread.variance_post > 0 then spread.variance_post else 0 end)::double
        as sd_post,
    case
        when spread.variance_pre > 0 and spread.variance_post > 0
            then spread.covariance / sqrt(spread.variance_pre * spread.variance_post)
    end::double as correlation,
    getvariable('as_of')::date as frozen_on,
from spread
join ref.setting as setting on setting.name = 'change_group_min'
where spread.n >= setting.value
