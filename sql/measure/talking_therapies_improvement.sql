-- Finished courses classed as improved by the rules of NHS Talking Therapies.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.talking_therapies
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses
--          numerator INTEGER      of these, improved
--          n_eligible INTEGER     the same as n
--          n_known INTEGER        of these, with both scores on both measures
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   Reliably improved on depression or anxiety
-- section: talking_therapies
-- order:   550
-- kind:    rate
-- numerator: finished courses that improved reliably on either measure and did not worsen reliably
--          on the other
-- denominator: courses that ended in the period after at least two attended sessions; courses
--          without both scores on both measures stay in and open the bounds
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     Counts those below caseness too, whom recovery leaves out.
-- source:  NHS England, Talking Therapies outcome metadata 2024-25
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where outcome.category = 'improved')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where outcome.is_paired)::integer as n_known,
    count(*) filter (where outcome.category = 'improved')::integer as numerator_low,
    count(*) filter (where outcome.category in ('improved', 'unpaired'))::integer as numerator_high,
from score.finished_course as finished
join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
