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
-- version: 2
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

candidate as (
    select
        course.episode_id,
        course.clinic_id,
        course.therapist_id as recorded,
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
),

decided as (
    select
        *,
        case
            when n_sessions >= 2 then 'sessions'
            when later is not null then 'later appointment'
            when recorded is not null then 'record'
            when most is not null then 'sessions'
        end as decided_by,
    from candidate
),

on_forms as (
    -- looked at for the others alone: they are few, forms are many
    select
        place.episode_id,
        arg_max(form.therapist_id, (form.answered_at, form.form_id)) as therapist_id,
    from decided
    join score.form_place as place on decided.episode_id = place.episode_id
    join valid.form as form on place.form_id = form.form_id
    where decided.decided_by is null and form.therapist_id is not null
    group by place.episode_id
)

select
    decided.episode_id::varchar as episode_id,
    decided.clinic_id::varchar as clinic_id,
    case decided.decided_by
        when 'sessions' then decided.most
        when 'later appointment' then decided.later
        when 'record' then decided.recorded
        else on_forms.therapist_id
    end::varchar as therapist_id,
    case
        when decided.decided_by is not null then decided.decided_by
        when on_forms.therapist_id is not null then 'forms'
        else 'nobody'
    end::varchar as decided_by,
    decided.n_therapists::integer as n_therapists,
from decided
left join on_forms on decided.episode_id = on_forms.episode_id
