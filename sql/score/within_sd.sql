-- Usual spread of the patient's alliance rating from session to session: the standard deviation
-- within courses, pooled over the service, ratings that may be ruptures left out.
--
-- Leaving out the lowest ratings makes the rest look steadier than it is; the factor undoes that
-- for a normal distribution.
--
-- grain:   instrument_id
-- inputs:  ref.instrument, ref.setting, score.session_score
-- columns: instrument_id VARCHAR  alliance questionnaire rated by the patient
--          within_sd DOUBLE       standard deviation within courses, in points of the primary scale
--          n_courses INTEGER      courses with at least two ratings kept
--          n_ratings INTEGER      their ratings kept
--          n_left_out INTEGER     ratings left out as possible ruptures
--          frozen_on DATE         night it was computed on
-- version: 1
-- frozen:  instrument_id
-- keys:    score.session_score where instrument_id in (
--          select instrument_id from ref.instrument
--          where kind = 'alliance' and respondent = 'patient')
with setting as (
    select
        max(value) filter (where name = 'within_sd_trim') as trim,
        max(value) filter (where name = 'within_sd_trim_factor') as factor,
        max(value) filter (where name = 'within_sd_courses') as courses,
    from ref.setting
),

rating as (
    select
        score.episode_id,
        score.instrument_id,
        score.session_id,
        instrument.direction * score.value as rating,
        sum(instrument.direction * score.value) over by_course as course_sum,
        count(*) over by_course as course_n,
    from score.session_score as score
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    where instrument.kind = 'alliance' and instrument.respondent = 'patient'
    window by_course as (partition by score.episode_id, score.instrument_id)
),

deviation as (
    select
        *,
        round(rating - course_sum::double / course_n, 6)::decimal(12, 6) as deviation,
    from rating
    where course_n >= 2
),

crude as (
    select
        instrument_id,
        sqrt(
            sum(deviation * deviation)::double / (count(*) - count(distinct episode_id))
        ) as sd,
    from deviation
    group by instrument_id
),

kept as (
    select
        deviation.instrument_id,
        deviation.episode_id,
        count(*) as n_all,
        count(*) filter (where deviation.deviation >= -setting.trim * crude.sd) as n,
        sum(deviation.deviation) filter (
            where deviation.deviation >= -setting.trim * crude.sd
        ) as total,
        sum(deviation.deviation * deviation.deviation) filter (
            where deviation.deviation >= -setting.trim * crude.sd
        ) as squares,
    from deviation
    join crude on deviation.instrument_id = crude.instrument_id
    cross join setting
    group by deviation.instrument_id, deviation.episode_id
),

course as (
    select
        *,
        round(squares - total::double * total::double / n, 9)::decimal(38, 9) as about_mean,
    from kept
    where n >= 2
),

pooled as (
    select
        instrument_id,
        sum(about_mean) as squares,
        count(*) as n_courses,
        sum(n) as n_ratings,
        sum(n_all - n) as n_left_out,
    from course
    group by instrument_id
)

select
    pooled.instrument_id::varchar as instrument_id,
    (sqrt(pooled.squares::double / (pooled.n_ratings - pooled.n_courses)) / setting.factor)::double
        as within_sd,
    pooled.n_courses::integer as n_courses,
    pooled.n_ratings::integer as n_ratings,
    pooled.n_left_out::integer as n_left_out,
    getvariable('as_of')::date as frozen_on,
from pooled
cross join setting
-- ratings that never move have no usual spread to compare with
where pooled.n_courses >= setting.courses and pooled.squares > 0
