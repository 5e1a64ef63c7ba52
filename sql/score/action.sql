-- What the clinic did for a patient, as its log says, and the course it was done in.
--
-- The course that the log names; else the patient's newest one that had begun by then.
--
-- grain:   action_id
-- inputs:  score.course, valid.action
-- columns: action_id VARCHAR     line of the log
--          clinic_id VARCHAR     clinic
--          episode_id VARCHAR    course; NULL none had begun
--          therapist_id VARCHAR  who did it; NULL not recorded
--          acted_on DATE         day
--          kind VARCHAR          call, message, letter, appointment_offered, alliance_talk,
--                                case_discussed, none_needed, other
--          outcome VARCHAR       reached, not_reached, appointment_made, declined; NULL not recorded
-- version: 1
with begun as (
    select
        action.action_id,
        arg_max(course.episode_id, (course.started_on, course.episode_id)) as episode_id,
    from valid.action as action
    join score.course as course
        on
            action.patient_id = course.patient_id
            and action.acted_on >= course.started_on
    group by action.action_id
)

select
    action.action_id::varchar as action_id,
    action.clinic_id::varchar as clinic_id,
    coalesce(named.episode_id, begun.episode_id)::varchar as episode_id,
    action.therapist_id::varchar as therapist_id,
    action.acted_on::date as acted_on,
    action.kind::varchar as kind,
    action.outcome::varchar as outcome,
from valid.action as action
left join score.course as named on action.episode_id = named.episode_id
left join begun on action.action_id = begun.action_id
