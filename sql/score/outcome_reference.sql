-- What finished courses of this service look like on one questionnaire: spread of first scores, and
-- the straight line of last on first scores.
--
-- Frozen for a calendar quarter, so that a standardised change does not move with other patients'
-- data every night.
--
-- grain:   instrument_id
-- inputs:  ref.instrument, ref.setting, score.end_state, score.reliable_change
-- columns: instrument_id VARCHAR            questionnaire
--          n INTEGER                        finished courses with a first and a last score
--          mean_first DECIMAL(18,9)         mean first score
--          sd_first DECIMAL(18,9)           standard deviation of first scores
--          mean_improvement DECIMAL(18,9)   mean change towards better
--          slope DECIMAL(18,9)              last score per point of the first
--          frozen_on DATE                   night it was computed on
-- version: 1
-- frozen:  instrument_id
-- keys:    score.reliable_change
with setting as (
    select
        max(value) filter (where name = 'outcome_min_sessions') as min_sessions,
        max(value) filter (where name = 'reference_min_courses') as min_courses,
    from ref.setting
),

summed as (
    select
        change.instrument_id,
        count(*) as n,
        sum(change.baseline_value) as sum_x,
        sum(change.last_value) as sum_y,
        sum(change.baseline_value * change.baseline_value)::decimal(38, 6) as sum_xx,
        sum(change.baseline_value * change.last_value)::decimal(38, 6) as sum_xy,
    from score.reliable_change as change
    join score.end_state as end_state on change.episode_id = end_state.episode_id
    cross join setting
    where
        end_state.is_ended
        and end_state.is_resolved
        and end_state.n_attended >= setting.min_sessions
        and change.baseline_value is not null
        and change.last_value is not null
    group by change.instrument_id
),

centred as (
    select
        *,
        sum_xx::double - sum_x::double * sum_x::double / n as square_x,
        sum_xy::double - sum_x::double * sum_y::double / n as product_xy,
    from summed
)

select
    centred.instrument_id::varchar as instrument_id,
    centred.n::integer as n,
    round(centred.sum_x::double / centred.n, 9)::decimal(18, 9) as mean_first,
    round(sqrt(centred.square_x / (centred.n - 1)), 9)::decimal(18, 9) as sd_first,
    round(
        instrument.direction * (centred.sum_y - centred.sum_x)::double / centred.n, 9
    )::decimal(18, 9) as mean_improvement,
    round(centred.product_xy / centred.square_x, 9)::decimal(18, 9) as slope,
    getvariable('as_of')::date as frozen_on,
from centred
join ref.instrument as instrument on centred.instrument_id = instrument.instrument_id
cross join setting
where centred.n >= setting.min_courses and centred.square_x > 0
