-- Alerts after which the patient did not come back: how often a list was right, at its budget.
--
-- What was done meanwhile is in it: an alert that kept somebody counts as wrong.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.period, score.alert
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   on whose list it was first
--          period_id VARCHAR      period the alert was given in
--          n INTEGER              alerts of which it is known how the course went on
--          numerator INTEGER      of these, the session was the last one by dropout
--          n_eligible INTEGER     alerts so old that any ending would be known by now
--          numerator_low INTEGER  dropouts, if none of the endings without a reason was one
--          numerator_high INTEGER dropouts, if all of them were
-- version: 1
-- label:   Alerts after which the patient left
-- section: alerts
-- order:   730
-- kind:    rate
-- numerator: alerts whose session was the last of the course, by the patient's ending alone
-- denominator: alerts given in the period after sessions so old that any ending would be known by now,
--          less those ended without a recorded reason; without patients who object
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     Of ten alerts, how many were followed by leaving. Acting on alerts lowers it, so that a low
--          share can mean bad lists or good work; it proves neither.
-- source:  positive predictive value at the alert budget; that acting on alerts hides how good they
--          were: Lenert, Matheny & Walsh 2019, doi 10.1093/jamia/ocz145
select
    alert.clinic_id::varchar as clinic_id,
    alert.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(*) filter (where alert.outcome <> 'unknown')::integer as n,
    count(*) filter (where alert.outcome = 'dropout')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where alert.outcome = 'dropout')::integer as numerator_low,
    count(*) filter (where alert.outcome in ('dropout', 'unknown'))::integer as numerator_high,
from score.alert as alert
join ref.period as period
    on alert.issued_on between period.period_start and period.period_end
where alert.is_end_known
group by alert.clinic_id, alert.therapist_id, period.period_id
