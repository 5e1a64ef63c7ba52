-- Alert: an attended session after which the course was on a worklist, with what was done and how
-- it went on.
--
-- It begins with the first published night that listed it. Whoever objects is left out.
--
-- grain:   session_id
-- inputs:  landed.alert, landed.arrival, landed.part_count, ref.setting, score.action,
--          score.objection, score.session_end
-- columns: session_id VARCHAR      newest attended session when it was given
--          episode_id VARCHAR      course
--          clinic_id VARCHAR       clinic
--          therapist_id VARCHAR    on whose list it was first
--          issued_on DATE          first night on the list
--          ordered_by VARCHAR      risk or facts: what that list was ordered by
--          chance DOUBLE           that this session was the last one, as shown first; NULL not shown
--          acted_on DATE           first action from that day on, within the days allowed; NULL none
--          days_to_action INTEGER  days until then
--          is_action_known BOOLEAN whether a log that speaks of all these days has come
--          is_end_known BOOLEAN    whether it is known if the course went on
--          outcome VARCHAR         goes_on, dropout, planned, other or unknown; NULL not known yet
-- version: 1
with setting as (
    select max(value) filter (where name = 'action_days')::integer as action_days,
    from ref.setting
),

log as (
    select
        arrival.clinic_id,
        max(arrival.as_of) as arrived_on,
    from landed.arrival as arrival
    join landed.part_count as part on arrival.delivery_id = part.delivery_id
    where part.kind = 'action' and part.found > part.rejected
    group by arrival.clinic_id
),

shown as (
    select
        alert.session_id,
        arg_min(alert.episode_id, (alert.as_of, alert.place)) as episode_id,
        arg_min(alert.clinic_id, (alert.as_of, alert.place)) as clinic_id,
        arg_min(alert.therapist_id, (alert.as_of, alert.place)) as therapist_id,
        min(alert.as_of) as issued_on,
        arg_min(alert.ordered_by, (alert.as_of, alert.place)) as ordered_by,
        -- a chance first shown later is not the one that the first list had
        arg_min_null(alert.chance, (alert.as_of, alert.place)) as chance,
    from landed.alert as alert
    where
        alert.episode_id not in (
            select objection.episode_id,
            from score.objection as objection
        )
    group by alert.session_id
),

done as (
    select
        shown.session_id,
        min(action.acted_on) as acted_on,
    from shown
    cross join setting
    join score.action as action
        on
            shown.episode_id = action.episode_id
            and action.acted_on between shown.issued_on and shown.issued_on + setting.action_days
    group by shown.session_id
)

select
    shown.session_id::varchar as session_id,
    shown.episode_id::varchar as episode_id,
    shown.clinic_id::varchar as clinic_id,
    shown.therapist_id::varchar as therapist_id,
    shown.issued_on::date as issued_on,
    shown.ordered_by::varchar as ordered_by,
    shown.chance::double as chance,
    done.acted_on::date as acted_on,
    (done.acted_on - shown.issued_on)::integer as days_to_action,
    coalesce(shown.issued_on + setting.action_days < log.arrived_on, false)::boolean
        as is_action_known,
    coalesce(session_end.is_at_risk, false)::boolean as is_end_known,
    session_end.outcome::varchar as outcome,
from shown
cross join setting
left join log on shown.clinic_id = log.clinic_id
left join done on shown.session_id = done.session_id
left join score.session_end as session_end on shown.session_id = session_end.session_id
