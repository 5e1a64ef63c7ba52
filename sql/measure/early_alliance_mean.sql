-- Early alliance of courses whose first sessions are over: the mean rating.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, ref.setting, score.early_alliance
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period in which the first sessions were over
--          instrument_id VARCHAR  alliance questionnaire
--          n INTEGER              courses with at least two early sessions rated
--          sum_x DECIMAL(38,6)    sum over courses
--          sum_xx DECIMAL(38,6)   sum of squares over courses
--          n_eligible INTEGER     courses with at least two early forms expected or come
-- version: 1
-- label:   Early alliance, mean
-- section: alliance
-- order:   210
-- kind:    mean
-- numerator: sum over courses of the mean rating in the first five attended sessions
-- denominator: courses with at least two of these sessions rated, once five were attended or the
--          course has ended
-- minimum: 10
-- better:  higher
-- funnel:  yes
-- why:     A weak alliance in the first sessions goes with leaving early; the level alone says
--          little about outcome.
-- source:  Crits-Christoph et al. 2011, J Consult Clin Psychol 79:267-278; Sharf, Primavera &
--          Diener 2010, Psychotherapy 47:637-645
select
    early.clinic_id::varchar as clinic_id,
    early.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    early.instrument_id::varchar as instrument_id,
    count(early.mean)::integer as n,
    sum(early.mean)::decimal(38, 6) as sum_x,
    sum(early.mean * early.mean)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.early_alliance as early
join ref.period as period on early.early_on between period.period_start and period.period_end
join ref.setting as setting on setting.name = 'early_min_rated'
-- what the protocol never asks for is not missing
where early.is_complete and greatest(early.n_expected, early.n_rated) >= setting.value
group by early.clinic_id, early.therapist_id, period.period_id, early.instrument_id
