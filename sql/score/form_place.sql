-- Form placed in a course and, where the rules allow, in an attended session.
--
-- A form that names its session belongs to it, if the two lie within some weeks. Otherwise a
-- symptom form belongs to the session it precedes (same day or some days before) and an alliance
-- form to the session it follows.
--
-- grain:   form_id
-- inputs:  ref.instrument, ref.setting, score.course, score.course_appointment, valid.form
-- columns: form_id VARCHAR         form
--          clinic_id VARCHAR       clinic
--          patient_id VARCHAR      patient
--          instrument_id VARCHAR   instrument
--          episode_id VARCHAR      course; NULL where the patient has none
--          session_id VARCHAR      attended session; NULL where none fits
--          session_no INTEGER      its ordinal in the course
--          placed_by VARCHAR       label, days, nothing, or other respondent where the instrument
--                                  is meant for someone else
--          answered_on DATE        day the form was filled in
--          answered_at TIMESTAMP   time the form was filled in
-- version: 1
-- patient: patient_id
with setting as (
    select
        max(value) filter (where name = 'attach_before_days') as attach_before_days,
        max(value) filter (where name = 'attach_after_days') as attach_after_days,
        max(value) filter (where name = 'label_window_days') as label_window_days,
    from ref.setting
),

form as (
    select
        form.form_id,
        form.clinic_id,
        form.patient_id,
        form.instrument_id,
        form.session_label,
        form.answered_on,
        form.answered_at,
        instrument.kind,
        form.respondent = instrument.respondent as is_meant,
        course.episode_id as stated_episode_id,
        setting.label_window_days,
        case instrument.kind
            when 'alliance' then setting.attach_after_days
            else setting.attach_before_days
        end as days_allowed,
    from valid.form as form
    cross join setting
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
    left join score.course as course
        on form.episode_id = course.episode_id and form.patient_id = course.patient_id
),

pair as (
    select
        form.form_id,
        session.episode_id,
        session.session_id,
        session.session_no,
        session.session_on,
        coalesce(form.session_label = session.session_label, false)
        and abs(session.session_on - form.answered_on) <= form.label_window_days as is_named,
        case form.kind
            when 'alliance' then form.answered_on - session.session_on
            else session.session_on - form.answered_on
        end as days,
        form.days_allowed,
    from form
    join score.course_appointment as session
        on
            form.patient_id = session.patient_id
            and coalesce(form.stated_episode_id, session.episode_id) = session.episode_id
    where session.status = 'attended' and form.is_meant
),

placed as (
    select
        form_id,
        episode_id,
        session_id,
        session_no,
        case when is_named then 'label' else 'days' end as placed_by,
    from pair
    where is_named or days between 0 and days_allowed
    qualify row_number() over (
        partition by form_id
        order by is_named desc, abs(days) asc, session_on desc, episode_id asc, session_no asc
    ) = 1
),

by_date as (
    -- a form outside every window still belongs to a course: one that runs on that day, else one
    -- that begins
    -- soon after, else the latest that had begun, else the first
    select
        form.form_id,
        course.episode_id,
        course.started_on,
        case
            when
                course.started_on <= form.answered_on
                and form.answered_on <= coalesce(course.ended_on, form.answered_on)
                then 1
            when
                course.started_on > form.answered_on
                and course.started_on - form.answered_on <= form.label_window_days
                then 2
            when course.started_on <= form.answered_on then 3
            else 4
        end as fit,
    from form
    join score.course as course on form.patient_id = course.patient_id
    where
        form.is_meant
        and form.stated_episode_id is null
        and form.form_id not in (select placed.form_id, from placed)
),

in_course as (
    select
        form_id,
        episode_id,
    from by_date
    qualify row_number() over (
        partition by form_id
        order by
            fit asc,
            case when fit in (1, 3) then started_on end desc nulls last,
            started_on asc nulls last,
            episode_id asc
    ) = 1
)

select
    form.form_id::varchar as form_id,
    form.clinic_id::varchar as clinic_id,
    form.patient_id::varchar as patient_id,
    form.instrument_id::varchar as instrument_id,
    case
        when form.is_meant
            then coalesce(placed.episode_id, form.stated_episode_id, in_course.episode_id)
    end::varchar as episode_id,
    placed.session_id::varchar as session_id,
    placed.session_no::integer as session_no,
    case
        when form.is_meant then coalesce(placed.placed_by, 'nothing') else 'other respondent'
    end::varchar as placed_by,
    form.answered_on::date as answered_on,
    form.answered_at::timestamp as answered_at,
from form
left join placed on form.form_id = placed.form_id
left join in_course on form.form_id = in_course.form_id
