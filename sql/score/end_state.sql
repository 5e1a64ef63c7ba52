-- Where a course stands on the night: ongoing, or ended, how, when, and what says so.
--
-- Nothing that elapsed time decides looks past the last date the clinic's exports speak about. A
-- recorded end beats silence. An attended session after it opens the course again: until silence
-- closes it once more, and then for the recorded reason.
--
-- grain:   episode_id
-- inputs:  ref.setting, score.clinic_horizon, score.course, score.course_appointment,
--          score.course_therapist
-- columns: episode_id VARCHAR         course
--          clinic_id VARCHAR          clinic
--          patient_id VARCHAR         patient
--          therapist_id VARCHAR       therapist it is attributed to; NULL not known
--          state VARCHAR              ongoing, ongoing_unknown_since, dropout, completed,
--                                     transferred, service_ended, died_other, ended_unknown,
--                                     not_started
--          end_by VARCHAR             record or gap rule; NULL while ongoing
--          started_on DATE            recorded start, else the first appointment
--          first_attended_on DATE     first attended session; NULL none
--          last_attended_on DATE      last attended session; NULL none
--          last_contact_on DATE       last attended or booked date of any status
--          ended_on DATE              recorded end, the last session after it, or the last contact
--                                     where the gap rule ended it
--          end_session INTEGER        attended sessions when it ended; NULL while ongoing
--          end_known_on DATE          day the ending could first be known
--          gap_days DECIMAL(9,1)      days without contact that end this course
--          unknown_since DATE         last date the exports speak about; only where the state is
--                                     not known since
--          n_attended INTEGER         attended sessions
--          is_ended BOOLEAN           whether the course has ended after at least one session
--          is_resolved BOOLEAN        whether an ending on that day would be known by now, however
--                                     it came about
--          definition_version INTEGER version of these rules
-- version: 2
-- patient: patient_id
-- ages:    (state = 'ongoing' and night - last_contact_on >= gap_days - 1)
--          or (state = 'ongoing_unknown_since' and horizon > horizon_before)
--          or (not is_resolved and horizon - ended_on >= gap_days - 1)
with setting as (
    select
        max(value) filter (where name = 'gap_days') as gap_days,
        max(value) filter (where name = 'gap_multiple') as gap_multiple,
    from ref.setting
),

attended_gap as (
    select
        episode_id,
        session_on - lag(session_on) over (
            partition by episode_id
            order by session_no
        ) as days,
    from score.course_appointment
    where status = 'attended'
),

usual_gap as (
    select
        episode_id,
        median(days)::decimal(9, 1) as days,
    from attended_gap
    group by episode_id
),

contact as (
    select
        episode_id,
        min(session_on) filter (where status = 'attended') as first_attended_on,
        max(session_on) filter (where status = 'attended') as last_attended_on,
        count(*) filter (where status = 'attended') as n_attended,
        max(session_on) as last_contact_on,
        arg_max(status, (session_on, session_id)) as last_status,
    from score.course_appointment
    group by episode_id
),

clock as (
    select
        course.episode_id,
        course.clinic_id,
        course.patient_id,
        course.started_on,
        -- an end planned for a later day has not happened yet
        case when course.ended_on <= getvariable('as_of')::date then course.ended_on end
            as recorded_end_on,
        course.end_reason,
        contact.first_attended_on,
        contact.last_attended_on,
        coalesce(contact.n_attended, 0) as n_attended,
        coalesce(contact.last_contact_on, course.started_on) as last_contact_on,
        contact.last_status,
        greatest(setting.gap_days, setting.gap_multiple * coalesce(usual_gap.days, 0)) as gap_days,
        coalesce(clinic.horizon, getvariable('as_of')::date) as horizon,
    from score.course as course
    left join contact on course.episode_id = contact.episode_id
    left join usual_gap on course.episode_id = usual_gap.episode_id
    left join score.clinic_horizon as clinic on course.clinic_id = clinic.clinic_id
    cross join setting
),

stated as (
    select
        *,
        coalesce(last_attended_on <= recorded_end_on, recorded_end_on is not null) as is_closed,
    from clock
),

judged as (
    select
        *,
        not is_closed and horizon - last_contact_on < gap_days as is_ongoing,
        case
            when is_closed then recorded_end_on
            when recorded_end_on is not null then last_attended_on
            else last_contact_on
        end as last_on,
    from stated
),

state as (
    select
        *,
        case
            when
                is_ongoing and getvariable('as_of')::date - last_contact_on >= gap_days
                then 'ongoing_unknown_since'
            when is_ongoing then 'ongoing'
            when n_attended = 0 then 'not_started'
            when recorded_end_on is not null then coalesce(end_reason, 'ended_unknown')
            -- what the service called off is not the patient's ending
            when last_status = 'cancelled_by_service' then 'service_ended'
            else 'dropout'
        end as state,
    from judged
)

select
    state.episode_id::varchar as episode_id,
    state.clinic_id::varchar as clinic_id,
    state.patient_id::varchar as patient_id,
    therapist.therapist_id::varchar as therapist_id,
    state.state::varchar as state,
    case
        when state.is_ongoing then null
        when state.recorded_end_on is not null then 'record'
        else 'gap rule'
    end::varchar as end_by,
    state.started_on::date as started_on,
    state.first_attended_on::date as first_attended_on,
    state.last_attended_on::date as last_attended_on,
    state.last_contact_on::date as last_contact_on,
    case when not state.is_ongoing then state.last_on end::date as ended_on,
    case when not state.is_ongoing then state.n_attended end::integer as end_session,
    case
        when state.is_ongoing then null
        when state.is_closed then state.recorded_end_on
        else state.last_contact_on + ceil(state.gap_days)::integer
    end::date as end_known_on,
    state.gap_days::decimal(9, 1) as gap_days,
    case when state.state = 'ongoing_unknown_since' then state.horizon end::date as unknown_since,
    state.n_attended::integer as n_attended,
    (not state.is_ongoing and state.n_attended > 0)::boolean as is_ended,
    (not state.is_ongoing and state.horizon - state.last_on >= state.gap_days)::boolean
        as is_resolved,
    2::integer as definition_version,
from state
left join score.course_therapist as therapist on state.episode_id = therapist.episode_id
