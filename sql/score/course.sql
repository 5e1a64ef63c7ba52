-- Course of treatment: as exported, or derived from appointments where no record of it was
-- exported.
--
-- Derived: an id that only appointments name, or else all appointments of a patient who has no
-- course at all, a year without contact beginning a new one.
--
-- grain:   episode_id
-- inputs:  ref.setting, score.appointment, valid.episode
-- columns: episode_id VARCHAR    course
--          clinic_id VARCHAR     clinic
--          patient_id VARCHAR    patient
--          therapist_id VARCHAR  therapist the record names; NULL none
--          started_on DATE       recorded start, else the first appointment
--          ended_on DATE         recorded end; NULL none
--          end_reason VARCHAR    completed, dropout, transferred, service_ended, died_other; NULL
--                                not recorded
--          is_derived BOOLEAN    whether no record of the course was exported
-- version: 1
-- patient: patient_id
-- ages:    ended_on > night_before and ended_on <= night
with setting as (
    select max(value) filter (where name = 'derived_course_gap_days') as gap_days,
    from ref.setting
),

stated_start as (
    select
        stated_episode_id as episode_id,
        min(clinic_id) as clinic_id,
        min(patient_id) as patient_id,
        min(session_on) as first_on,
    from score.appointment
    where stated_episode_id is not null
    group by stated_episode_id
),

recorded as (
    select
        episode.episode_id,
        episode.clinic_id,
        episode.patient_id,
        episode.therapist_id,
        coalesce(episode.started_on, stated_start.first_on, episode.ended_on) as started_on,
        episode.ended_on,
        episode.end_reason,
        false as is_derived,
    from valid.episode as episode
    left join stated_start on episode.episode_id = stated_start.episode_id
    -- a wide export repeats the course on every row: the newest word of it stands
    qualify row_number() over (
        partition by episode.episode_id
        order by
            episode.known_from desc,
            episode.ended_on desc nulls last,
            episode.delivery_id asc,
            episode.line desc
    ) = 1
),

named as (
    select
        episode_id,
        clinic_id,
        patient_id,
        null as therapist_id,
        first_on as started_on,
        null as ended_on,
        null as end_reason,
        true as is_derived,
    from stated_start
    where episode_id not in (select episode.episode_id, from valid.episode as episode)
),

unnamed as (
    select
        appointment.clinic_id,
        appointment.patient_id,
        appointment.session_on,
        appointment.session_on - lag(appointment.session_on) over by_patient
        > setting.gap_days as is_new,
    from score.appointment as appointment
    cross join setting
    where
        appointment.stated_episode_id is null
        and appointment.patient_id not in (
            select recorded.patient_id, from recorded
            union all
            select named.patient_id, from named
        )
    window by_patient as (
        partition by appointment.clinic_id, appointment.patient_id
        order by appointment.session_on, appointment.session_id
    )
),

numbered as (
    select
        clinic_id,
        patient_id,
        session_on,
        count(*) filter (where is_new) over (
            partition by clinic_id, patient_id
            order by session_on
        ) as course_no,
    from unnamed
),

derived as (
    select
        md5(concat_ws('/', 'course', clinic_id, patient_id, course_no::varchar)) as episode_id,
        clinic_id,
        patient_id,
        null as therapist_id,
        min(session_on) as started_on,
        null as ended_on,
        null as end_reason,
        true as is_derived,
    from numbered
    group by clinic_id, patient_id, course_no
),

course as (
    select *, from recorded
    union all
    select *, from named
    union all
    select *, from derived
)

select
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
    patient_id::varchar as patient_id,
    therapist_id::varchar as therapist_id,
    started_on::date as started_on,
    ended_on::date as ended_on,
    end_reason::varchar as end_reason,
    is_derived::boolean as is_derived,
from course
