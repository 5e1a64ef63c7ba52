-- How long a patient waited for one course: from the referral to the first attended session, and
-- from the first to the second.
--
-- grain:   episode_id
-- inputs:  score.course_appointment, score.end_state, score.intake_factor
-- columns: episode_id VARCHAR        course with at least one attended session
--          clinic_id VARCHAR         clinic
--          referred_on DATE          day of the referral; NULL not recorded
--          first_attended_on DATE    first attended session
--          second_attended_on DATE   second attended session; NULL none
--          days_to_first INTEGER     days from referral to first session; NULL where the referral is
--                                    not recorded, or lies after it
--          days_to_second INTEGER    days from first to second session; NULL none
-- version: 1
-- patient: episode_id
with second_session as (
    select
        episode_id,
        session_on,
    from score.course_appointment
    where session_no = 2
)

select
    end_state.episode_id::varchar as episode_id,
    end_state.clinic_id::varchar as clinic_id,
    intake_factor.referred_on::date as referred_on,
    end_state.first_attended_on::date as first_attended_on,
    second_session.session_on::date as second_attended_on,
    case
        when intake_factor.referred_on <= end_state.first_attended_on
            then end_state.first_attended_on - intake_factor.referred_on
    end::integer as days_to_first,
    (second_session.session_on - end_state.first_attended_on)::integer as days_to_second,
from score.end_state as end_state
left join score.intake_factor as intake_factor on end_state.episode_id = intake_factor.episode_id
left join second_session on end_state.episode_id = second_session.episode_id
where end_state.n_attended > 0
