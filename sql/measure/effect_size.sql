-- Mean change of finished courses in standard deviations of their first scores.
--
-- The standard deviation is that of the service's own finished courses with a pair, kept for a
-- calendar quarter (score.outcome_reference); the interval leaves its error out.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  score.finished_course, score.standardised_change
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          instrument_id VARCHAR  questionnaire
--          n INTEGER              finished courses with a pair
--          sum_x DECIMAL(38,6)    sum over courses
--          sum_xx DECIMAL(38,6)   sum of squares
--          n_eligible INTEGER     finished courses of a clinic that gives the questionnaire
-- version: 1
-- label:   Effect size
-- section: index
-- order:   420
-- kind:    mean
-- numerator: sum over courses of the change towards better, divided by the standard deviation of
--          first scores of the service's own finished courses with a pair, as frozen for the
--          quarter
-- denominator: finished courses with a first and a last valid score
-- minimum: 10
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     How far scores moved on a common scale. It is not reliable change, and not an effect of
--          treatment: there is no comparison group.
-- source:  International Center for Clinical Excellence, outcome indices of its reports for the
--          ORS; Cohen 1988 for the standardised mean change; the standard deviation used is
--          Rapport's own choice
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    change.instrument_id::varchar as instrument_id,
    count(change.effect)::integer as n,
    sum(change.effect)::decimal(38, 6) as sum_x,
    sum(change.effect * change.effect)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
join score.standardised_change as change on finished.episode_id = change.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id, change.instrument_id
