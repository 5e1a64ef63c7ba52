-- Finished courses that began at caseness.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.talking_therapies
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses
--          numerator INTEGER      of these, at caseness on either measure at the start
--          n_eligible INTEGER     the same as n
--          n_known INTEGER        of these, with both scores on both measures
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   At caseness at the start
-- section: talking_therapies
-- order:   520
-- kind:    rate
-- numerator: finished courses whose first score is at caseness on either measure
-- denominator: courses that ended in the period after at least two attended sessions; those without
--          a first score that tells stay in and open the bounds
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     Recovery is asked only of those who were at caseness.
-- source:  NHS England, Talking Therapies outcome metadata 2024-25
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where outcome.is_case_first)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where outcome.is_case_first is not null)::integer as n_known,
    count(*) filter (where outcome.is_case_first)::integer as numerator_low,
    count(*) filter (where outcome.is_case_first is distinct from false)::integer as numerator_high,
from score.finished_course as finished
join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
