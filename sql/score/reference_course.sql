-- Closed course that the expected course of treatment is made of, with its place among the intake
-- scores.
--
-- `earlier part` has the courses before the newest part of the reference window, which is held out
-- when the rule is judged.
--
-- grain:   made_of, episode_id, instrument_id
-- inputs:  score.closed_course
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
with part as (
    select unnest(['all courses', 'earlier part']) as made_of,
),

tenth as (
    select unnest(range(1, 11)) as intake_band,
),

course as (
    select
        part.made_of,
        closed.*,
    from score.closed_course as closed
    cross join part
    where part.made_of = 'all courses' or not closed.is_held_out
),

counted as (
    select
        made_of,
        instrument_id,
        intake_value,
        sum(count(*)) over (
            partition by made_of, instrument_id
            order by intake_value
        ) as n_up_to,
        sum(count(*)) over (partition by made_of, instrument_id) as n,
        max(intake_value) over (partition by made_of, instrument_id) as highest,
    from course
    group by made_of, instrument_id, intake_value
),

edge as (
    select
        counted.made_of,
        counted.instrument_id,
        counted.highest,
        tenth.intake_band,
        min(counted.intake_value) filter (
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
    course.intake_form_id::varchar as intake_form_id,
    course.intake_value::decimal(12, 6) as intake_value,
    band.intake_band::integer as intake_band,
    band.intake_above::decimal(12, 6) as intake_above,
    band.intake_to::decimal(12, 6) as intake_to,
from course
join band
    on
        course.made_of = band.made_of
        and course.instrument_id = band.instrument_id
        and (band.intake_above is null or course.intake_value > band.intake_above)
        and (band.intake_to is null or course.intake_value <= band.intake_to)
