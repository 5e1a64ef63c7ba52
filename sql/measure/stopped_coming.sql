-- Courses not known to have ended as planned: the patient left, fell silent, or no reason was
-- recorded.
--
-- Takes the place of the early-ending rate where fewer than four of five endings carry a reason.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             courses ended, but for transfers, endings by the service and
--                                deaths
--          numerator INTEGER     of these, not recorded as completed
--          n_eligible INTEGER    the same as n
--          numerator_low INTEGER only those recorded as dropout
--          numerator_high INTEGER all that are not recorded as completed
-- version: 1
-- label:   Stopped coming, reason not recorded
-- section: endings
-- order:   320
-- kind:    rate
-- numerator: courses recorded as dropout, silent for longer than the gap rule allows, or ended
--          without a recorded reason
-- denominator: those, and the courses completed as planned
-- minimum: 5
-- better:  lower
-- levels:  service, clinic
-- why:     Without reasons nobody can tell leaving from finishing; the bounds say how far the truth
--          may lie.
-- source:  Swift, Callahan & Levine 2009, doi 10.1037/a0017003, on how far definitions disagree;
--          the waiting time is Rapport's own
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
    count(*) filter (where state <> 'completed')::integer as numerator,
    count(*)::integer as n_eligible,
    count(*) filter (where state = 'dropout' and end_by = 'record')::integer as numerator_low,
    count(*) filter (where state <> 'completed')::integer as numerator_high,
from score.finished_course
where state in ('dropout', 'completed', 'ended_unknown')
group by clinic_id, therapist_id, period_id
