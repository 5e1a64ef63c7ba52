-- Attended session that the chance of a last session is learned from or tested on.
--
-- Only clinics whose endings carry reasons, and only sessions that count: long enough ago, whatever
-- came after.
--
-- grain:   session_id
-- inputs:  model.person_session, model.reason_share, ref.setting, score.session_end
-- columns: session_id VARCHAR    attended session
--          session_on DATE       day of the session
--          due_on DATE           day from which it counts
--          outcome VARCHAR       goes_on, dropout, planned, or other, which includes endings without
--                                a reason
--          is_held_out BOOLEAN   whether it lies in the time kept for testing
--          is_before BOOLEAN     whether it counted already before that time began
-- version: 1
with held_out as (
    select
        date_trunc('month', getvariable('as_of')::date)::date
        - setting.value::integer as held_out_from,
    from ref.setting as setting
    where setting.name = 'held_out_days'
)

select
    session.session_id::varchar as session_id,
    session.session_on::date as session_on,
    session_end.due_on::date as due_on,
    case session_end.outcome when 'unknown' then 'other' else session_end.outcome end::varchar
        as outcome,
    (session.session_on >= held_out.held_out_from)::boolean as is_held_out,
    (session_end.due_on < held_out.held_out_from)::boolean as is_before,
from model.person_session as session
join score.session_end as session_end on session.session_id = session_end.session_id
join model.reason_share as reason on session.clinic_id = reason.clinic_id
cross join held_out
where session_end.is_at_risk and reason.is_enough
