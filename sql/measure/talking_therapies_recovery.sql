-- Finished courses that moved from caseness to below it on both measures.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course, score.talking_therapies
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses not known to be below caseness at the start
--          numerator INTEGER      of these, recovered
--          n_eligible INTEGER     the same as n
--          n_known INTEGER        of these, with both scores on both measures
--          numerator_low INTEGER  the numerator, if no unknown course belongs to it
--          numerator_high INTEGER the numerator, if every unknown course does
-- version: 1
-- label:   Recovered
-- section: talking_therapies
-- order:   530
-- kind:    rate
-- numerator: finished courses at caseness on either measure at the start and below it on both at
--          the end
-- denominator: courses that ended in the period after at least two attended sessions, but for those
--          known to be below caseness on both measures at the start; courses without both scores on
--          both measures stay in and open the bounds
-- minimum: 5
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     The figure England publishes as recovery; it asks for a score below the cut-off, not for
--          a change beyond error.
-- source:  NHS England, Talking Therapies outcome metadata 2024-25
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where outcome.is_recovered)::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where outcome.is_recovered is not null)::integer as n_known,
    count(*) filter (where outcome.is_recovered)::integer as numerator_low,
    count(*) filter (where outcome.is_recovered or not outcome.is_paired)::integer as numerator_high,
from score.finished_course as finished
join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
where
    finished.is_long_enough
    and outcome.is_case_first is distinct from false
group by finished.clinic_id, finished.therapist_id, finished.period_id
