-- Spread of one questionnaire's scores over the service: between courses at their first score, and
-- from one session to the next.
--
-- It makes scores of different questionnaires comparable, and stands still for a quarter.
--
-- grain:   instrument_id
-- frozen:  instrument_id
-- inputs:  ref.setting, score.session_score
-- columns: instrument_id VARCHAR        instrument
--          n INTEGER                    courses with a score
--          mean DECIMAL(18,9)           mean of first scores; NULL too few courses
--          sd DECIMAL(18,9)             their standard deviation; NULL too few courses
--          n_steps INTEGER              pairs of successive scores
--          within_sd DECIMAL(18,9)      standard deviation within courses, from successive
--                                       differences; NULL too few pairs
--          frozen_on DATE               night it was computed
-- version: 1
with setting as (
    select max(value) filter (where name = 'spread_courses_needed') as courses_needed,
    from ref.setting
),

ordered as (
    select
        instrument_id,
        value,
        row_number() over by_course = 1 as is_first,
        value - lag(value) over by_course as step,
    from score.session_score
    window by_course as (partition by episode_id, instrument_id order by session_no, session_id)
),

summed as (
    select
        instrument_id,
        count(*) filter (where is_first) as n,
        sum(value) filter (where is_first)::decimal(38, 6) as sum_x,
        sum(value * value) filter (where is_first)::decimal(38, 6) as sum_xx,
        count(step) as n_steps,
        sum(step * step)::decimal(38, 6) as sum_steps,
    from ordered
    group by instrument_id
)

select
    summed.instrument_id::varchar as instrument_id,
    summed.n::integer as n,
    case when summed.n >= setting.courses_needed then round(summed.sum_x::double / summed.n, 9) end
    ::decimal(18, 9) as mean,
    case
        when summed.n >= setting.courses_needed
            then round(
                sqrt(
                    greatest(
                        summed.sum_xx::double - summed.sum_x::double * summed.sum_x::double / summed.n,
                        0
                    ) / (summed.n - 1)
                ), 9
            )
    end::decimal(18, 9) as sd,
    summed.n_steps::integer as n_steps,
    case
        when summed.n_steps >= setting.courses_needed
            then round(sqrt(summed.sum_steps::double / (2 * summed.n_steps)), 9)
    end::decimal(18, 9) as within_sd,
    getvariable('as_of')::date as frozen_on,
from summed
cross join setting
where summed.n >= setting.courses_needed
