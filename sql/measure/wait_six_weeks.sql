-- Finished courses whose first session was within six weeks of the referral.
--
-- Only clinics that record referrals.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.setting, score.finished_course, score.wait
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses with a known wait
--          numerator INTEGER      of these, seen within six weeks
--          n_eligible INTEGER     finished courses
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   First session within six weeks of referral
-- section: waits
-- order:   620
-- kind:    rate
-- numerator: finished courses whose first attended session was within six weeks of the referral
-- denominator: finished courses with a referral date no later than the first attended session; the
--          bounds count all finished courses with at least two sessions
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     The waiting time standard in England asks for three of four.
-- source:  NHS England, Talking Therapies waiting time standards; counted in days, the last day
--          included
with user_clinic as (
    select distinct clinic_id, from score.wait
    where days_to_first is not null
)

select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(wait.days_to_first)::integer as n,
    count(*) filter (where wait.days_to_first <= setting.value)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where wait.days_to_first <= setting.value)::integer as numerator_low,
    count(*) filter (
        where wait.days_to_first <= setting.value or wait.days_to_first is null
    )::integer as numerator_high,
from score.finished_course as finished
join score.wait as wait on finished.episode_id = wait.episode_id
join user_clinic on finished.clinic_id = user_clinic.clinic_id
join ref.setting as setting on setting.name = 'wait_short_days'
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
