-- Change of finished courses from the first to the last score, in standard deviations of first
-- scores.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  model.case_mix_outcome, score.finished_course
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period the course ended in
--          n INTEGER              finished courses with a complete pair
--          sum_x DECIMAL(38,6)    sum over courses
--          sum_xx DECIMAL(38,6)   sum of squares over courses
--          n_eligible INTEGER     finished courses with enough sessions, outcome known or not
-- version: 1
-- label:   Change from first to last score, in standard deviations
-- section: outcome
-- order:   105
-- kind:    mean
-- numerator: sum of changes towards better, each in standard deviations of the service's first scores
--          on that questionnaire
-- denominator: finished courses with a first and a last valid score
-- minimum: 15
-- better:  higher
-- funnel:  yes
-- why:     Uses the whole of the change and not only its class; questionnaires become comparable.
-- source:  Saxon, Firth & Barkham 2017, PMC5550525; the unit is that of Cohen's d with the first
--          scores' standard deviation (Becker 1988, Br J Math Stat Psychol 41:257-278)
select
    finished.clinic_id::varchar as clinic_id,
    finished.therapist_id::varchar as therapist_id,
    finished.period_id::varchar as period_id,
    count(change.y)::integer as n,
    sum(change.y)::decimal(38, 6) as sum_x,
    sum(change.y * change.y)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.finished_course as finished
left join model.case_mix_outcome as change
    on change.measure = 'outcome_change' and finished.episode_id = change.episode_id
where finished.is_long_enough
group by finished.clinic_id, finished.therapist_id, finished.period_id
