-- Attended session that counts in the comparison of therapists by dropout: it could have been the
-- last one, and it is known whether it was.
--
-- Courses that go on count with every session that is due, not only those that have ended: early
-- endings come months before planned ones, and somebody new in post has as yet seen only them.
-- A session counts on the day by which silence after it would have been seen, so that a stretch of
-- time that is over does not change. Only clinics whose endings carry reasons.
--
-- grain:   session_id
-- inputs:  model.reason_share, ref.setting, score.end_state, score.session_end
-- columns: session_id VARCHAR    attended session
--          episode_id VARCHAR    course
--          clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          session_band VARCHAR  place of the session in the course: 1, 2, 3, 4, 5-8 or 9+
--          counted_on DATE       day by which it counts in a period
--          y INTEGER             1 the patient left after it without agreement, 0 not
--          is_fitted BOOLEAN     whether it is recent enough to fit on
-- version: 1
select
    session.session_id::varchar as session_id,
    session.episode_id::varchar as episode_id,
    session.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    case
        when session.session_no <= 4 then session.session_no::varchar
        when session.session_no <= 8 then '5-8'
        else '9+'
    end::varchar as session_band,
    session.due_on::date as counted_on,
    (session.outcome = 'dropout')::integer as y,
    (session.due_on > getvariable('as_of')::date - to_months(setting.value::integer))::boolean
        as is_fitted,
from score.session_end as session
join score.end_state as end_state on session.episode_id = end_state.episode_id
join model.reason_share as reason on session.clinic_id = reason.clinic_id and reason.is_enough
join ref.setting as setting on setting.name = 'case_mix_months'
where session.is_at_risk
