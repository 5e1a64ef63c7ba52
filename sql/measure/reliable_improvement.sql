-- Finished courses that ended improved by more than the questionnaire's error, of those whose
-- outcome is known.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             finished courses with a complete pair
--          numerator INTEGER     of these, reliably improved
--          n_eligible INTEGER    finished courses with enough sessions, outcome known or not
--          numerator_low INTEGER reliably improved, if no unknown course was
--          numerator_high INTEGER reliably improved, if every unknown course was
-- version: 1
-- label:   Reliably improved
-- section: outcome
-- order:   110
-- kind:    rate
-- numerator: finished courses whose score changed by at least the reliable change towards better
-- denominator: finished courses with a first and a last valid score; the bounds count all finished
--          courses with at least two sessions
-- minimum: 5
-- better:  higher
-- funnel:  yes
-- why:     Whether patients got better by more than the questionnaire's own error.
-- source:  Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19, with each questionnaire's
--          published threshold; NHS England, Talking Therapies
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*) filter (where category <> 'unpaired')::integer as n,
    count(*) filter (where category = 'improved')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where category = 'improved')::integer as numerator_low,
    count(*) filter (where category in ('improved', 'unpaired'))::integer as numerator_high,
from score.finished_course
where is_long_enough
group by clinic_id, therapist_id, period_id
