-- Courses that the patient ended without agreement, of those that ended so or as planned.
--
-- Silence longer than the gap rule allows counts as an ending by the patient; transfers, endings
-- by the service and deaths are left out. Endings recorded without a reason open the bounds.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             courses ended without agreement or as planned
--          numerator INTEGER     of these, without agreement
--          n_eligible INTEGER    these and the courses ended without a recorded reason
--          numerator_low INTEGER ended without agreement, if none without a reason was
--          numerator_high INTEGER ended without agreement, if all without a reason were
-- version: 1
-- label:   Ended early, not agreed
-- section: endings
-- order:   310
-- kind:    rate
-- numerator: courses recorded as dropout, or silent for longer than {gap_days} days and
--          {gap_multiple} times the patient's usual gap
-- denominator: those, and the courses completed as planned; shown only where four of five endings
--          carry a reason
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- why:     Those who leave early are the ones no last questionnaire speaks for.
-- source:  Swift & Greenberg 2012, doi 10.1037/a0028226; the waiting time is Rapport's own
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*) filter (where state in ('dropout', 'completed'))::integer as n,
    count(*) filter (where state = 'dropout')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where state = 'dropout')::integer as numerator_low,
    count(*) filter (where state in ('dropout', 'ended_unknown'))::integer as numerator_high,
from score.finished_course
where state in ('dropout', 'completed', 'ended_unknown')
group by clinic_id, therapist_id, period_id
