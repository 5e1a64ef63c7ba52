-- Attended sessions of finished courses.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  score.end_state, score.finished_course
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses
--          sum_x DECIMAL(38,6)    sum of their attended sessions
--          sum_xx DECIMAL(38,6)   sum of squares
--          n_eligible INTEGER     the same as n
-- version: 1
-- label:   Sessions a course, mean
-- section: caseload
-- order:   540
-- kind:    mean
-- numerator: attended sessions of these courses
-- denominator: courses with at least one attended session that ended in the period, however they
--          ended
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     With the number that begin it says what a service has to find time for. Courses that
--          end early make it small; it is no measure of thrift.
-- source:  NHS England, Talking Therapies annual reports, which state the mean number of sessions of
--          finished courses
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(*)::integer as n,
    sum(end_state.n_attended)::decimal(38, 6) as sum_x,
    sum(end_state.n_attended::bigint * end_state.n_attended)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
join score.end_state as end_state on finished.episode_id = end_state.episode_id
group by finished.clinic_id, finished.therapist_id, finished.period_id
