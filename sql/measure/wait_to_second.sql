-- Days from first to second session of finished courses.
--
-- Only clinics that record referrals.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.wait
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses with a known wait
--          sum_x DECIMAL(38,6)    sum of days
--          sum_xx DECIMAL(38,6)   sum of squares
--          n_eligible INTEGER     finished courses
-- version: 1
-- label:   Days from first to second session, mean
-- section: waits
-- order:   640
-- kind:    mean
-- numerator: sum of days
-- denominator: finished courses, of courses that ended in the period after at least two attended
--          sessions
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- where:   used
-- why:     A quick first appointment followed by a long wait only looks like access.
-- source:  NHS England, Talking Therapies waiting times; from the first to the second attended
--          appointment
with user_clinic as (
    select distinct clinic_id, from score.wait
    where days_to_first is not null
)

select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(wait.days_to_second)::integer as n,
    sum(wait.days_to_second)::decimal(38, 6) as sum_x,
    sum(wait.days_to_second * wait.days_to_second)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
join score.wait as wait on finished.episode_id = wait.episode_id
join user_clinic on finished.clinic_id = user_clinic.clinic_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
