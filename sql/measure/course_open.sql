-- Courses open when the period ended: the caseload.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.open_at_end
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period at whose end it is counted
--          n INTEGER             courses
-- version: 1
-- label:   Courses open at the end of the period
-- section: caseload
-- order:   530
-- kind:    count
-- numerator: courses begun by the last day of the period that had not ended by then
-- denominator: none: a count
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     How many are in treatment at once, which is what a service has to find time for.
-- source:  Rapport's own rule; an ending by silence is dated to the last contact
select
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    period_id::varchar as period_id,
    count(*)::integer as n,
from score.open_at_end
group by clinic_id, therapist_id, period_id
