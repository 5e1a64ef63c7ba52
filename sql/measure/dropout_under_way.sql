-- Courses under way that the patient left without agreement, of all courses with a session that
-- could have been the last.
--
-- The one figure of endings that therapists may be compared on, because courses that go on count as
-- well as those that have ended, each session beside its own chance. It is counted where there is
-- such a chance to stand beside: without it, whoever has many new patients would look worse.
--
-- grain:   clinic_id, therapist_id?, period_id
-- inputs:  model.dropout_exposure, model.fit, ref.period
-- columns: clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist the course is attributed to; NULL not known
--          period_id VARCHAR     period in which it became known whether a session was the last
--          n INTEGER             courses with such a session
--          numerator INTEGER     of these, left by the patient without agreement
--          n_eligible INTEGER    the same as n
-- version: 1
-- label:   Left without agreement, of courses under way
-- section: endings
-- order:   330
-- kind:    rate
-- numerator: courses recorded as dropout, or silent for longer than the gap rule allows, whose ending
--          became known in the period
-- denominator: courses with a session in the period that could have been the last; of clinics whose
--          endings carry reasons
-- minimum: 5
-- better:  lower
-- where:   used
-- funnel:  yes
-- why:     Comparing those who ended would condemn whoever is new in post: early endings come first.
-- source:  Saxon et al. 2017, doi 10.1002/cpp.2028, on dropout by therapist; Singer & Willett 2003,
--          Applied Longitudinal Data Analysis, ch. 11, on chances session by session
select
    session.clinic_id::varchar as clinic_id,
    session.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    count(distinct session.episode_id)::integer as n,
    sum(session.y)::integer as numerator,
    count(distinct session.episode_id)::integer as n_eligible,
from model.dropout_exposure as session
join ref.period as period
    on session.counted_on between period.period_start and period.period_end
join model.fit as fit on fit.model_id = 'dropout_under_way' and fit.is_used
group by session.clinic_id, session.therapist_id, period.period_id
