-- Closed course that the expected course of treatment is made of, with its place among the intake
-- scores.
--
-- It began in the reference window, which ends some months before the quarter so that most courses
-- have had time to end, and it has a score after the one it started from. The newest part of the
-- window is held out when the rule is judged: `earlier part` has the courses before it.
--
-- grain:   made_of, episode_id, instrument_id
-- inputs:  ref.setting, score.end_state, score.intake_score, score.session_score
-- columns: made_of VARCHAR            all courses or earlier part
--          episode_id VARCHAR         course
--          instrument_id VARCHAR      instrument
--          is_held_out BOOLEAN        whether it began in the newest part of the window
--          first_attended_on DATE     first attended session
--          intake_form_id VARCHAR     form with the score it started from
--          intake_value DECIMAL(12,6) that score
--          intake_band INTEGER        tenth of the intake scores it lies in, 1 lowest
--          intake_above DECIMAL(12,6) scores of the tenth lie above this; NULL no limit
--          intake_to DECIMAL(12,6)    and reach up to this; NULL no limit
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'expected_from_months')::integer as from_months,
        max(value) filter (where name = 'expected_to_months')::integer as to_months,
        max(value) filter (where name = 'expected_test_months')::integer as test_months,
    from ref.setting
),

quarter as (
    select date_trunc('quarter', getvariable('as_of')::date)::date as begins_on,
),

span as (
    select
        quarter.begins_on - to_months(setting.from_months) as from_on,
        quarter.begins_on - to_months(setting.to_months) as to_on,
        quarter.begins_on - to_months(setting.to_months + setting.test_months) as test_on,
    from quarter
    cross join setting
),

part as (
    select unnest(['all courses', 'earlier part']) as made_of,
),

tenth as (
    select unnest(range(1, 11)) as intake_band,
),

closed as (
    select
        intake.*,
        end_state.first_attended_on,
        end_state.first_attended_on >= span.test_on as is_held_out,
    from score.intake_score as intake
    join score.end_state as end_state on intake.episode_id = end_state.episode_id
    cross join span
    where
        end_state.is_ended
        and end_state.first_attended_on >= span.from_on
        and end_state.first_attended_on < span.to_on
),

course as (
    select
        part.made_of,
        closed.*,
    from closed
    cross join part
    where
        (part.made_of = 'all courses' or not closed.is_held_out)
        and exists (
            select 1,
            from score.session_score as later
            where
                later.episode_id = closed.episode_id
                and later.instrument_id = closed.instrument_id
                and later.form_id <> closed.form_id
        )
),

counted as (
    select
        made_of,
        instrument_id,
        value,
        sum(count(*)) over (
            partition by made_of, instrument_id
            order by value
        ) as n_up_to,
        sum(count(*)) over (partition by made_of, instrument_id) as n,
        max(value) over (partition by made_of, instrument_id) as highest,
    from course
    group by made_of, instrument_id, value
),

edge as (
    select
        counted.made_of,
        counted.instrument_id,
        counted.highest,
        tenth.intake_band,
        min(counted.value) filter (
            where counted.n_up_to * 10 >= tenth.intake_band * counted.n
        ) as intake_to,
    from counted
    cross join tenth
    group by counted.made_of, counted.instrument_id, counted.highest, tenth.intake_band
),

band as (
    -- a score that many share may be the end of several tenths: those after the first are empty
    select
        made_of,
        instrument_id,
        intake_band,
        lag(intake_to) over (
            partition by made_of, instrument_id
            order by intake_band
        ) as intake_above,
        case when intake_to < highest then intake_to end as intake_to,
    from edge
)

select
    course.made_of::varchar as made_of,
    course.episode_id::varchar as episode_id,
    course.instrument_id::varchar as instrument_id,
    course.is_held_out::boolean as is_held_out,
    course.first_attended_on::date as first_attended_on,
    course.form_id::varchar as intake_form_id,
    course.value::decimal(12, 6) as intake_value,
    band.intake_band::integer as intake_band,
    band.intake_above::decimal(12, 6) as intake_above,
    band.intake_to::decimal(12, 6) as intake_to,
from course
join band
    on
        course.made_of = band.made_of
        and course.instrument_id = band.instrument_id
        and (band.intake_above is null or course.value > band.intake_above)
        and (band.intake_to is null or course.value <= band.intake_to)
