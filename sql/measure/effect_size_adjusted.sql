-- Mean change of finished courses in standard deviations, had they begun at the service's mean
-- score.
--
-- Expected last score: a straight line over first scores, fitted to the service's own finished
-- courses with a pair and kept for a calendar quarter (score.outcome_reference).
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
-- label:   Effect size, severity-adjusted
-- section: index
-- order:   430
-- kind:    mean
-- numerator: sum over courses of the service's mean change and the course's distance from its
--          expected last score, both in standard deviations of first scores
-- denominator: finished courses with a first and a last valid score
-- minimum: 10
-- better:  higher
-- levels:  service, clinic
-- where:   used
-- why:     Who begins worse has further to fall; this compares change at equal severity at the
--          start, and at nothing else.
-- source:  Rapport's own definition: residual from the regression of last on first scores, after
--          the severity-adjusted effect size of the International Center for Clinical Excellence,
--          whose formula is not published
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    change.instrument_id::varchar as instrument_id,
    count(change.adjusted_effect)::integer as n,
    sum(change.adjusted_effect)::decimal(38, 6) as sum_x,
    sum(change.adjusted_effect * change.adjusted_effect)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
join score.standardised_change as change on finished.episode_id = change.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id, change.instrument_id
