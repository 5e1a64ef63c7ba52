-- How far therapists' figures move when courses with more than one therapist are left out.
--
-- A course counts for the therapist of most of its sessions. Where that rule mattered, the figures
-- without shared courses would tell another story.
--
-- grain:   measure, instrument_id?
-- inputs:  model.expected, ref.period, ref.setting, score.course_therapist
-- columns: measure VARCHAR        measure
--          instrument_id VARCHAR  questionnaire; NULL where the measure is not per one
--          n INTEGER              courses of the window with an expectation and a therapist
--          n_shared INTEGER       of these, with more than one therapist
--          n_therapists INTEGER   therapists with enough courses of their own alone
--          moves_most DOUBLE      largest change of a therapist's figure without shared courses; NULL
--                                 no such therapist
-- version: 2
with setting as (
    select max(value) filter (where name = 'running_sum_courses') as courses,
    from ref.setting
),

therapist as (
    select
        expected.measure,
        expected.instrument_id,
        expected.therapist_id,
        count(distinct expected.episode_id) as n,
        count(distinct expected.episode_id) filter (where course_therapist.n_therapists > 1)
            as n_shared,
        sum(expected.y - expected.expected)::double as distance,
        sum(expected.y - expected.expected) filter (
            where course_therapist.n_therapists <= 1
        )::double as distance_alone,
    from model.expected as expected
    join ref.period as period
        on
            period.period_id = 'window'
            and expected.counted_on between period.period_start and period.period_end
    join score.course_therapist as course_therapist
        on expected.episode_id = course_therapist.episode_id
    where expected.therapist_id is not null
    group by expected.measure, expected.instrument_id, expected.therapist_id
),

compared as (
    select
        therapist.*,
        therapist.n - therapist.n_shared >= setting.courses as is_enough,
    from therapist
    cross join setting
)

select
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    sum(n)::integer as n,
    sum(n_shared)::integer as n_shared,
    count(*) filter (where is_enough)::integer as n_therapists,
    max(abs(distance / n - distance_alone / (n - n_shared))) filter (where is_enough)::double
        as moves_most,
from compared
group by measure, instrument_id
