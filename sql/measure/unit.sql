-- Unit that figures are made for: the service, each clinic, each therapist; silent ones too.
--
-- grain:   level, unit_id
-- inputs:  ref.clinic, ref.period, score.course_appointment, score.course_therapist
-- columns: level VARCHAR           service, clinic or therapist
--          unit_id VARCHAR         service, or the clinic's or therapist's id
--          clinic_id VARCHAR       clinic; NULL for the service
--          n_courses_year INTEGER  courses with an attended session in the year
-- version: 2
with seen as (
    select
        course_therapist.clinic_id,
        course_therapist.therapist_id,
        appointment.therapist_id as session_therapist_id,
        course_therapist.episode_id,
        appointment.status = 'attended'
        and appointment.session_on between period.period_start and period.period_end as is_in_year,
    from score.course_therapist as course_therapist
    left join score.course_appointment as appointment
        on course_therapist.episode_id = appointment.episode_id
    join ref.period as period on period.period_id = 'year'
),

unit as (
    select
        'service' as level,
        'service' as unit_id,
        null as clinic_id,
    union all
    select
        'clinic' as level,
        clinic_id as unit_id,
        clinic_id,
    from ref.clinic
    union
    select
        'clinic' as level,
        clinic_id as unit_id,
        clinic_id,
    from seen
    union
    select
        'therapist' as level,
        unnest([therapist_id, session_therapist_id]) as unit_id,
        clinic_id,
    from seen
),

in_year as (
    select distinct
        clinic_id,
        therapist_id,
        episode_id,
    from seen
    where is_in_year
),

counted as (
    select
        unnest(['service', 'clinic', 'therapist']) as level,
        unnest(['service', clinic_id, therapist_id]) as unit_id,
    from in_year
),

year_total as (
    select
        level,
        unit_id,
        count(*) as n_courses,
    from counted
    group by level, unit_id
)

select
    unit.level::varchar as level,
    unit.unit_id::varchar as unit_id,
    min(unit.clinic_id)::varchar as clinic_id,
    coalesce(min(year_total.n_courses), 0)::integer as n_courses_year,
from unit
left join year_total on unit.level = year_total.level and unit.unit_id = year_total.unit_id
where unit.unit_id is not null
group by unit.level, unit.unit_id
