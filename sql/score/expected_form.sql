-- Form that should exist by the protocol: one attended session, one instrument, and whether it
-- came.
--
-- grain:   session_id, instrument_id
-- inputs:  score.course_appointment, score.end_state, score.protocol, score.session_score
-- columns: session_id VARCHAR     attended session
--          instrument_id VARCHAR  instrument
--          clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session, else of the course; NULL not known
--          episode_id VARCHAR     course
--          session_on DATE        day of the session
--          is_rated BOOLEAN       whether a form with a score is placed in the session
--          is_inferred BOOLEAN    whether the protocol was inferred
-- version: 1
-- patient: episode_id
with session as (
    select
        appointment.*,
        end_state.therapist_id as course_therapist_id,
        end_state.is_ended,
        end_state.n_attended,
    from score.course_appointment as appointment
    join score.end_state as end_state on appointment.episode_id = end_state.episode_id
    where appointment.status = 'attended'
),

expected as (
    select
        session.*,
        protocol.instrument_id,
        protocol.is_inferred,
    from session
    join score.protocol as protocol on session.clinic_id = protocol.clinic_id
    where
        case
            when protocol.every is not null then (session.session_no - 1) % protocol.every = 0
            else
                session.session_no = 1
                or (session.is_ended and session.session_no = session.n_attended)
        end
)

select
    expected.session_id::varchar as session_id,
    expected.instrument_id::varchar as instrument_id,
    expected.clinic_id::varchar as clinic_id,
    coalesce(expected.therapist_id, expected.course_therapist_id)::varchar as therapist_id,
    expected.episode_id::varchar as episode_id,
    expected.session_on::date as session_on,
    (session_score.value is not null)::boolean as is_rated,
    expected.is_inferred::boolean as is_inferred,
from expected
left join score.session_score as session_score
    on
        expected.session_id = session_score.session_id
        and expected.instrument_id = session_score.instrument_id
