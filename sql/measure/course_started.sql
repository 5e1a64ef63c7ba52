-- Courses that began: whose first attended session lies in the period.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  ref.period, score.end_state
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period of the first attended session
--          n INTEGER             courses
-- version: 1
-- label:   Courses begun
-- section: caseload
-- order:   510
-- kind:    count
-- numerator: courses whose first attended session lies in the period
-- denominator: none: a count
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     Who comes in, beside who leaves: whether the caseload grows or shrinks.
-- source:  NHS England, Talking Therapies monthly statistics, which count those who enter and who
--          finish treatment
select
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(*)::integer as n,
from score.end_state as end_state
join ref.period as period
    on end_state.first_attended_on between period.period_start and period.period_end
group by end_state.clinic_id, end_state.therapist_id, period.period_id
