-- Appointment placed in a course of its patient.
--
-- The course it names; else the latest that runs on that day; else one that begins soon after;
-- else the latest that had begun; else the first.
--
-- grain:   session_id
-- inputs:  ref.setting, score.appointment, score.course
-- columns: session_id VARCHAR     appointment
--          episode_id VARCHAR     course
--          clinic_id VARCHAR      clinic
--          patient_id VARCHAR     patient
--          therapist_id VARCHAR   therapist; NULL not recorded
--          session_label VARCHAR  session as the export calls it
--          session_on DATE        day of the appointment
--          status VARCHAR         as in score.appointment
--          is_derived BOOLEAN     whether it was derived from forms
--          session_no INTEGER     ordinal among the attended sessions of the course; NULL where not
--                                 attended
-- version: 1
-- patient: patient_id
with pair as (
    select
        appointment.*,
        course.episode_id,
        course.started_on,
        case
            when appointment.stated_episode_id = course.episode_id then 0
            when
                course.started_on <= appointment.session_on
                and appointment.session_on <= coalesce(course.ended_on, appointment.session_on)
                then 1
            when
                course.started_on > appointment.session_on
                and course.started_on - appointment.session_on <= setting.value
                then 2
            when course.started_on <= appointment.session_on then 3
            else 4
        end as fit,
    from score.appointment as appointment
    join score.course as course on appointment.patient_id = course.patient_id
    join ref.setting as setting on setting.name = 'label_window_days'
),

candidate as (
    select
        *,
        row_number() over (
            partition by session_id
            order by
                fit asc,
                case when fit in (1, 3) then started_on end desc nulls last,
                started_on asc nulls last,
                episode_id asc
        ) as rank,
    from pair
)

select
    session_id::varchar as session_id,
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
    patient_id::varchar as patient_id,
    therapist_id::varchar as therapist_id,
    session_label::varchar as session_label,
    session_on::date as session_on,
    status::varchar as status,
    is_derived::boolean as is_derived,
    case
        when status = 'attended'
            then row_number() over (
                partition by episode_id, status
                order by session_on, planned_at, session_id
            )
    end::integer as session_no,
from candidate
where rank = 1
