-- Appointment of any status; where a clinic exports none, a session derived from the dates of
-- forms.
--
-- Derived: the forms of one patient that name the same session, or were filled in on the same day,
-- make one session.
--
-- grain:   session_id
-- inputs:  ref.instrument, ref.setting, score.clinic_with_appointments, valid.form, valid.session
-- columns: session_id VARCHAR        appointment
--          clinic_id VARCHAR         clinic
--          patient_id VARCHAR        patient
--          therapist_id VARCHAR      therapist; NULL not recorded
--          stated_episode_id VARCHAR course the export names; NULL where it names none
--          session_label VARCHAR     session as the export calls it
--          session_on DATE           day of the appointment
--          planned_at TIMESTAMP      time of the appointment, or of the first form
--          status VARCHAR            booked, attended, no_show, cancelled_by_patient,
--                                    cancelled_by_service, too_late_not_seen
--          is_derived BOOLEAN        whether it was derived from forms
-- version: 1
-- patient: patient_id
with setting as (
    select max(value) filter (where name = 'label_window_days') as label_window_days,
    from ref.setting
),

form as (
    select
        form.*,
        instrument.kind,
        coalesce(
            form.session_label,
            min(form.session_label)
                over (partition by form.clinic_id, form.patient_id, form.answered_on)
        ) as label,
    from valid.form as form
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
    where
        form.clinic_id not in (
            select clinic.clinic_id, from score.clinic_with_appointments as clinic
        )
),

spread as (
    -- a label that comes back after weeks names a kind of session, not one session
    select
        form.*,
        max(form.answered_on) over by_label - min(form.answered_on) over by_label as label_days,
    from form
    window by_label as (partition by form.clinic_id, form.patient_id, form.episode_id, form.label)
),

keyed as (
    select
        spread.*,
        case
            when spread.label is not null and spread.label_days <= setting.label_window_days
                then 'label ' || spread.label
            else 'day ' || spread.answered_on::varchar
        end as session_key,
    from spread
    cross join setting
),

derived as (
    select
        md5(
            concat_ws('/', 'session', clinic_id, patient_id, coalesce(episode_id, ''), session_key)
        ) as session_id,
        clinic_id,
        patient_id,
        arg_max(therapist_id, (answered_at, form_id)) as therapist_id,
        episode_id as stated_episode_id,
        max(session_label) as session_label,
        -- symptom forms come before a session or on its day, alliance forms after
        coalesce(max(answered_on) filter (where kind <> 'alliance'), min(answered_on))
            as session_on,
        min(answered_at) as planned_at,
    from keyed
    group by clinic_id, patient_id, episode_id, session_key
)

select
    session_id::varchar as session_id,
    clinic_id::varchar as clinic_id,
    patient_id::varchar as patient_id,
    therapist_id::varchar as therapist_id,
    episode_id::varchar as stated_episode_id,
    session_label::varchar as session_label,
    session_on::date as session_on,
    planned_at::timestamp as planned_at,
    status::varchar as status,
    false::boolean as is_derived,
from valid.session
where session_on is not null
union all
select
    session_id::varchar as session_id,
    clinic_id::varchar as clinic_id,
    patient_id::varchar as patient_id,
    therapist_id::varchar as therapist_id,
    stated_episode_id::varchar as stated_episode_id,
    session_label::varchar as session_label,
    session_on::date as session_on,
    planned_at::timestamp as planned_at,
    'attended'::varchar as status,
    true::boolean as is_derived,
from derived
