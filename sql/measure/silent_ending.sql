-- Finished courses that only silence told of, because nobody recorded an end.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             finished courses
--          numerator INTEGER     of these, ended by the gap rule
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Endings told by silence alone
-- section: endings
-- order:   305
-- kind:    rate
-- numerator: courses without a recorded end that had no attended or booked appointment for {gap_days}
--          days and {gap_multiple} times the patient's usual gap
-- denominator: courses that ended in the period after at least one attended session
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- why:     Silence is counted as leaving; where it decides often, habits of closing files look like
--          dropout.
-- source:  Rapport's own rule
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where end_by = 'gap rule')::integer as numerator,
    count(*)::integer as n_eligible,
from score.finished_course
group by clinic_id, therapist_id, period_id
