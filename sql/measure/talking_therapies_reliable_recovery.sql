-- Finished courses that recovered by a change larger than the questionnaires' error.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.talking_therapies
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses not known to be below caseness at the start
--          numerator INTEGER      of these, reliably recovered
--          n_eligible INTEGER     the same as n
--          n_known INTEGER        of these, with both scores on both measures
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   Reliably recovered
-- section: talking_therapies
-- order:   540
-- kind:    rate
-- numerator: finished courses that recovered and improved reliably
-- denominator: courses that ended in the period after at least two attended sessions, but for those
--          known to be below caseness on both measures at the start; courses without both scores on
--          both measures stay in and open the bounds
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     Below the cut-off, and changed by more than the questionnaires' error: the strictest of
--          the set.
-- source:  NHS England, Talking Therapies outcome metadata 2024-25
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where outcome.is_reliably_recovered)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where outcome.is_recovered is not null)::integer as n_known,
    count(*) filter (where outcome.is_reliably_recovered)::integer as numerator_low,
    count(*) filter (where outcome.is_reliably_recovered or not outcome.is_paired)::integer as numerator_high,
from score.finished_course as finished
join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
where
    finished.is_long_enough
    and outcome.is_case_first is distinct from false
group by finished.clinic_id, finished.therapist_id, finished.period_id
