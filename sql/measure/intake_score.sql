-- First scores of finished courses.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  score.finished_course, score.standardised_change
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          instrument_id VARCHAR  questionnaire
--          n INTEGER              finished courses with a first score
--          sum_x DECIMAL(38,6)    sum over courses
--          sum_xx DECIMAL(38,6)   sum of squares
--          n_eligible INTEGER     finished courses of a clinic that gives the questionnaire
-- version: 1
-- label:   First score, finished courses
-- section: index
-- order:   410
-- kind:    mean
-- numerator: sum of first scores
-- denominator: courses that ended in the period after at least two attended sessions, with a score
--          by the second
-- minimum: 5
-- better:  neither
-- levels:  service, clinic
-- where:   used
-- why:     How severe those were whose effect stands below.
-- source:  International Center for Clinical Excellence, outcome indices of its reports for the ORS
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    change.instrument_id::varchar as instrument_id,
    count(change.first_value)::integer as n,
    sum(change.first_value)::decimal(38, 6) as sum_x,
    sum(change.first_value * change.first_value)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
join score.standardised_change as change on finished.episode_id = change.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id, change.instrument_id
