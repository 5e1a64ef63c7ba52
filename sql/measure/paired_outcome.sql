-- Finished courses with a first and a last valid outcome score.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             finished courses with enough sessions
--          numerator INTEGER     of these, with a complete pair
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Outcome known (first and last score)
-- section: completeness
-- order:   20
-- kind:    rate
-- numerator: finished courses with a score by the second session and another on a later day
-- denominator: courses that ended in the period after at least two attended sessions
-- minimum: 5
-- better:  higher
-- why:     Below one half the outcome rates are withheld: whoever leaves without a last form is
--          often worse off.
-- source:  NHS England, Talking Therapies paired-data rule
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where category <> 'unpaired')::integer as numerator,
    count(*)::integer as n_eligible,
from score.finished_course
where is_long_enough
group by clinic_id, therapist_id, period_id
