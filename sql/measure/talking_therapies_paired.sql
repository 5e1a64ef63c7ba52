-- Finished courses whose outcome by the rules of NHS Talking Therapies is known.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.talking_therapies
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses
--          numerator INTEGER      of these, with both scores on both measures
--          n_eligible INTEGER     the same as n
--          n_known INTEGER        of these, with both scores on both measures
-- version: 1
-- label:   Both scores on both measures
-- section: talking_therapies
-- order:   510
-- kind:    rate
-- numerator: finished courses with a first and a last score of depression and of anxiety
-- denominator: courses that ended in the period after at least two attended sessions
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     Every rate below speaks only for these; England reports them for nearly all.
-- source:  NHS England, Talking Therapies outcome metadata 2024-25
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where outcome.is_paired)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where outcome.category is not null)::integer as n_known,
from score.finished_course as finished
join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
