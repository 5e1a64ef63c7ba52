-- What became of a course after one attended session: it went on, or this session was its last.
--
-- A session counts once so many days of data lie behind it as silence needs to end the course, and
-- some more, because an appointment missed after it lets silence begin anew; whatever happened since.
-- Counting each ending as soon as it is known would count the kinds that are known early too often.
--
-- grain:   session_id
-- inputs:  ref.setting, score.clinic_horizon, score.course_appointment, score.end_state
-- columns: session_id VARCHAR    attended session
--          episode_id VARCHAR    course
--          clinic_id VARCHAR     clinic
--          session_no INTEGER    ordinal of the session in the course
--          session_on DATE       day of the session
--          outcome VARCHAR       goes_on; dropout, planned, other or unknown where it was the last
--                                one; NULL not known yet
--          outcome_known_on DATE day the outcome could first be known: of the next session, or of
--                                the end; NULL not known yet
--          due_on DATE           day by which so many days of data lie behind the session
--          is_due BOOLEAN        whether they do
--          is_at_risk BOOLEAN    whether it counts: due, and the outcome known
-- version: 1
-- patient: episode_id
-- ages:    due_on > horizon_before and due_on <= horizon
with session as (
    select
        appointment.session_id,
        appointment.episode_id,
        appointment.clinic_id,
        appointment.session_no,
        appointment.session_on,
        lead(appointment.session_on) over (
            partition by appointment.episode_id
            order by appointment.session_no
        ) as next_on,
        end_state.state,
        end_state.is_ended,
        end_state.end_known_on,
        end_state.gap_days + setting.value as due_days,
        coalesce(clinic.horizon, getvariable('as_of')::date) as horizon,
    from score.course_appointment as appointment
    join score.end_state as end_state on appointment.episode_id = end_state.episode_id
    join ref.setting as setting on setting.name = 'due_margin_days'
    left join score.clinic_horizon as clinic on appointment.clinic_id = clinic.clinic_id
    where appointment.status = 'attended'
),

judged as (
    select
        *,
        case
            when next_on is not null then 'goes_on'
            when not is_ended then null
            when state = 'dropout' then 'dropout'
            when state = 'completed' then 'planned'
            when state = 'ended_unknown' then 'unknown'
            else 'other'
        end as outcome,
        session_on + ceil(due_days)::integer as due_on,
    from session
)

select
    session_id::varchar as session_id,
    episode_id::varchar as episode_id,
    clinic_id::varchar as clinic_id,
    session_no::integer as session_no,
    session_on::date as session_on,
    outcome::varchar as outcome,
    case when outcome is not null then coalesce(next_on, end_known_on) end::date
        as outcome_known_on,
    due_on::date as due_on,
    (due_on <= horizon)::boolean as is_due,
    (due_on <= horizon and outcome is not null)::boolean as is_at_risk,
from judged
