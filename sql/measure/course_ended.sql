-- Courses that ended after at least one session, once any other ending would be known too.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.finished_course
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period the course ended in
--          n INTEGER             courses
-- version: 1
-- label:   Courses ended
-- section: caseload
-- order:   520
-- kind:    count
-- numerator: courses with at least one attended session that ended in the period, however they ended
-- denominator: none: a count
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     Who leaves, beside who comes in: whether the caseload grows or shrinks.
-- source:  NHS England, Talking Therapies monthly statistics, which count those who enter and who
--          finish treatment
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
from score.finished_course
group by clinic_id, therapist_id, period_id
