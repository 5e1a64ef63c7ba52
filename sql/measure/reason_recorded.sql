-- Finished courses whose ending was recorded with a reason.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             finished courses
--          numerator INTEGER     of these, recorded with a reason
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Endings with a recorded reason
-- section: endings
-- order:   300
-- kind:    rate
-- numerator: courses that ended in the period with a recorded reason
-- denominator: courses that ended in the period after at least one attended session
-- minimum: 5
-- better:  higher
-- why:     Below four of five, early endings cannot be told from planned ones.
-- source:  Rapport's own rule, after Swift, Callahan & Levine 2009, doi 10.1037/a0017003
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where end_by = 'record' and state <> 'ended_unknown')::integer as numerator,
    count(*)::integer as n_eligible,
from score.finished_course
group by clinic_id, therapist_id, period_id
