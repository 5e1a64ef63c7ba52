-- How well not-on-track foretold who ended reliably worse, on courses that the bands were not made
-- of.
--
-- The bands are made of the earlier part of the reference courses, and judged on the held-out part.
-- A course is picked out when any session before its last score was red. The last score itself is
-- what is foretold, and cannot foretell it; courses without a score in between are counted apart.
--
-- grain:   instrument_id, figure
-- inputs:  ref.setting, score.expected_course, score.reference_course, score.reliable_change,
--          score.session_score, score.track
-- columns: instrument_id VARCHAR  instrument
--          figure VARCHAR         sensitivity, specificity, positive_value, negative_value,
--                                 picked_out, picked_out_early or no_chance
--          numerator INTEGER      courses of which it holds
--          n INTEGER              of so many
--          value DECIMAL(18,9)    share; NULL of none
--          low DECIMAL(18,9)      lower end of the 95 % interval (Wilson)
--          high DECIMAL(18,9)     upper end of it
--          rule VARCHAR           bands and reliable change, or reliable change alone
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'expected_burden_session') as early_session,
    from ref.setting
),

held_out as (
    select
        course.episode_id,
        course.instrument_id,
        change.last_form_id,
        change.category = 'deteriorated' as is_worse,
    from score.reference_course as course
    join score.reliable_change as change
        on
            course.episode_id = change.episode_id and course.instrument_id = change.instrument_id
    where
        course.made_of = 'all courses'
        and course.is_held_out
        and change.category <> 'unpaired'
),

judged as (
    select
        held_out.episode_id,
        held_out.instrument_id,
        held_out.is_worse,
        count(track.colour_in_test) > 0 as is_tested,
        coalesce(bool_or(track.colour_in_test = 'red'), false) as is_out,
        coalesce(
            bool_or(track.colour_in_test = 'red' and track.session_no <= setting.early_session),
            false
        ) as is_out_early,
    from held_out
    cross join setting
    left join score.session_score as score
        on
            held_out.episode_id = score.episode_id
            and held_out.instrument_id = score.instrument_id
            and held_out.last_form_id <> score.form_id
    left join score.track as track
        on score.session_id = track.session_id and score.instrument_id = track.instrument_id
    group by held_out.episode_id, held_out.instrument_id, held_out.is_worse
),

figure as (
    select
        unnest([
            'sensitivity',
            'specificity',
            'positive_value',
            'negative_value',
            'picked_out',
            'picked_out_early',
            'no_chance'
        ]) as figure,
),

counted as (
    -- for each course, which figures it counts for, and whether it holds
    select
        judged.instrument_id,
        figure.figure,
        case figure.figure
            when 'sensitivity' then judged.is_tested and judged.is_worse
            when 'specificity' then judged.is_tested and not judged.is_worse
            when 'positive_value' then judged.is_tested and judged.is_out
            when 'negative_value' then judged.is_tested and not judged.is_out
            when 'no_chance' then judged.is_worse
            else judged.is_tested
        end as is_in,
        case figure.figure
            when 'specificity' then not judged.is_out
            when 'positive_value' then judged.is_worse
            when 'negative_value' then not judged.is_worse
            when 'picked_out_early' then judged.is_out_early
            when 'no_chance' then not judged.is_tested
            else judged.is_out
        end as holds,
    from judged
    cross join figure
),

rate as (
    select
        instrument_id,
        figure,
        count(*) filter (where is_in and holds) as numerator,
        count(*) filter (where is_in) as n,
        count(*) filter (where is_in and holds)::double / nullif(count(*) filter (where is_in), 0)
            as y,
    from counted
    group by instrument_id, figure
),

ends as (
    select
        rate.*,
        (rate.y + setting.z * setting.z / (2 * rate.n))
        / (1 + setting.z * setting.z / rate.n) as middle,
        setting.z * sqrt(
            rate.y * (1 - rate.y) / rate.n + setting.z * setting.z / (4.0 * rate.n * rate.n)
        ) / (1 + setting.z * setting.z / rate.n) as half,
        rate.instrument_id in (
            select course.instrument_id,
            from score.expected_course as course
            where course.made_of = 'earlier part'
        ) as has_bands,
    from rate
    cross join setting
)

select
    instrument_id::varchar as instrument_id,
    figure::varchar as figure,
    numerator::integer as numerator,
    n::integer as n,
    round(y, 9)::decimal(18, 9) as value,
    -- greatest and least would turn a missing interval into a whole one
    round(case when middle - half < 0 then 0 else middle - half end, 9)::decimal(18, 9) as low,
    round(case when middle + half > 1 then 1 else middle + half end, 9)::decimal(18, 9) as high,
    case when has_bands then 'bands and reliable change' else 'reliable change alone' end::varchar
        as rule,
from ends
