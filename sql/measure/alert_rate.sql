-- Attended sessions after which the course was put on a worklist.
--
-- Only since the first list of the service was published.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.period, score.alert, score.end_state, score.objection, score.session_end
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the session lies in
--          n INTEGER             attended sessions that were the newest of their course on some
--                                night since
--          numerator INTEGER     of these, with an alert
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Sessions followed by an alert
-- section: alerts
-- order:   700
-- kind:    rate
-- numerator: sessions after which the course was on the worklist of its therapist
-- denominator: attended sessions of the period that were the newest of their course when lists began,
--          or later; without patients who object
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     How much the lists ask of people. The budget limits it; a share far below it means that
--          little stands out, or that few sessions are known.
-- source:  Rapport's own rule; the budget is alert_budget
with begun as (
    select
        clinic_id,
        min(issued_on) as first_on,
    from score.alert
    group by clinic_id
)

select
    session.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(*)::integer as n,
    count(alert.session_id)::integer as numerator,
    count(*)::integer as n_eligible,
from score.session_end as session
join begun
    on
        session.clinic_id = begun.clinic_id
        and coalesce(session.outcome_known_on >= begun.first_on, true)
join score.end_state as end_state on session.episode_id = end_state.episode_id
join ref.period as period
    on session.session_on between period.period_start and period.period_end
left join score.alert as alert on session.session_id = alert.session_id
where session.episode_id not in (select objection.episode_id, from score.objection as objection)
group by session.clinic_id, end_state.therapist_id, period.period_id
