-- Alerts that somebody acted on, of those on which a log has been delivered since.
--
-- Only clinics that deliver a log of actions; of the others nothing is known.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.period, score.alert
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  on whose list it was first
--          period_id VARCHAR     period the alert was given in
--          n INTEGER             alerts whose days are over and told of by a log
--          numerator INTEGER     of these, acted on within the days
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Alerts acted on
-- section: alerts
-- order:   710
-- kind:    rate
-- numerator: alerts with an action logged from the day of the alert on, no more than action_days later;
--          "none needed" is one
-- denominator: alerts given in the period, action_days or more before the newest log came; without
--          patients who object
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     An alert that nobody looks at helps nobody. A low share may also mean that actions are not
--          logged, or that the alerts are not worth acting on.
-- source:  Rapport's own rule; the days are action_days
select
    alert.clinic_id::varchar as clinic_id,
    alert.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(*)::integer as n,
    count(alert.acted_on)::integer as numerator,
    count(*)::integer as n_eligible,
from score.alert as alert
join ref.period as period
    on alert.issued_on between period.period_start and period.period_end
where alert.is_action_known
group by alert.clinic_id, alert.therapist_id, period.period_id
