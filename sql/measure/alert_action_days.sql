-- Days from an alert to the first action, of alerts that were acted on.
--
-- Only clinics that deliver a log of actions.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.period, score.alert
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  on whose list it was first
--          period_id VARCHAR     period the alert was given in
--          n INTEGER             alerts acted on within the days
--          sum_x DECIMAL(38,6)   sum of days
--          sum_xx DECIMAL(38,6)  sum of squares
--          n_eligible INTEGER    the same as n: of alerts nobody acted on there are no days to know
-- version: 1
-- label:   Days from alert to action, mean
-- section: alerts
-- order:   720
-- kind:    mean
-- numerator: sum of days from the night of the alert to the first action logged
-- denominator: alerts acted on within action_days, given that long or longer before the newest log
--          came; without patients who object
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- where:   used
-- why:     Who leaves is soon out of reach. It says nothing of the alerts that nobody acted on: read it
--          beside their share.
-- source:  Rapport's own rule
select
    alert.clinic_id::varchar as clinic_id,
    alert.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(*)::integer as n,
    sum(alert.days_to_action)::decimal(38, 6) as sum_x,
    sum(alert.days_to_action * alert.days_to_action)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.alert as alert
join ref.period as period
    on alert.issued_on between period.period_start and period.period_end
where alert.is_action_known and alert.acted_on is not null
group by alert.clinic_id, alert.therapist_id, period.period_id
