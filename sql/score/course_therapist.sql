-- Therapist a course is attributed to: the one with most attended sessions, ties to the later.
--
-- After a single attended session the one who was to go on with the course counts, not who did the
-- intake, because whoever does intakes would inherit the endings that follow them.
--
-- grain:   episode_id
-- inputs:  score.course, score.course_appointment, score.form_place, valid.form
-- columns: episode_id VARCHAR    course
--          clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist; NULL not recorded anywhere
--          decided_by VARCHAR    sessions, later appointment, record, forms, or nobody
--          n_therapists INTEGER  therapists with at least one attended session
-- version: 1
-- patient: episode_id
with by_therapist as (
    select
        episode_id,
        therapist_id,
        count(*) as n_sessions,
        max(session_no) as last_no,
    from score.course_appointment
    where status = 'attended' and therapist_id is not null
    group by episode_id, therapist_id
),

most as (
    select
        episode_id,
        arg_max(therapist_id, (n_sessions, last_no)) as therapist_id,
        sum(n_sessions) as n_sessions,
        count(*) as n_therapists,
    from by_therapist
    group by episode_id
),

later as (
    -- the last appointment that was not attended and follows every attended one
    select
        episode_id,
        arg_max(therapist_id, (session_on, session_id)) filter (where status <> 'attended')
            as therapist_id,
        max(session_on) filter (where status <> 'attended') as last_on,
        max(session_on) filter (where status = 'attended') as last_attended_on,
    from score.course_appointment
    where therapist_id is not null
    group by episode_id
),

on_forms as (
    select
        place.episode_id,
        arg_max(form.therapist_id, (form.answered_at, form.form_id)) as therapist_id,
    from score.form_place as place
    join valid.form as form on place.form_id = form.form_id
    where form.therapist_id is not null and place.episode_id is not null
    group by place.episode_id
),

candidate as (
    select
        course.episode_id,
        course.clinic_id,
        course.therapist_id as recorded,
        on_forms.therapist_id as on_forms,
        most.therapist_id as most,
        coalesce(most.n_sessions, 0) as n_sessions,
        coalesce(most.n_therapists, 0) as n_therapists,
        case
            when later.last_attended_on is null or later.last_on > later.last_attended_on
                then later.therapist_id
        end as later,
    from score.course as course
    left join most on course.episode_id = most.episode_id
    left join later on course.episode_id = later.episode_id
    left join on_forms on course.episode_id = on_forms.episode_id
),

decided as (
    select
        *,
        case
            when n_sessions >= 2 then 'sessions'
            when later is not null then 'later appointment'
            when recorded is not null then 'record'
            when most is not null then 'sessions'
            when on_forms is not null then 'forms'
            else 'nobody'
        end as decided_by,
    from candidate
)

select
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
    case decided_by
        when 'sessions' then most
        when 'later appointment' then later
        when 'record' then recorded
        when 'forms' then on_forms
    end::varchar as therapist_id,
    decided_by::varchar as decided_by,
    n_therapists::integer as n_therapists,
from decided
