-- Attended sessions with a valid questionnaire, of those that should have one.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.expected_form
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session; NULL not known
--          period_id VARCHAR      period the session lies in
--          instrument_id VARCHAR  questionnaire
--          n INTEGER              attended sessions that should have the questionnaire
--          numerator INTEGER      of these, with a form that could be scored
--          n_eligible INTEGER     the same as n
-- version: 1
-- label:   Questionnaires completed
-- section: completeness
-- order:   10
-- kind:    rate
-- numerator: attended sessions with a form that could be scored
-- denominator: attended sessions that should have the form by the service's protocol, or else by
--          the clinic's own rhythm
-- minimum: 5
-- better:  higher
-- why:     Missing forms are not missing at random, so every other figure rests on this one.
-- source:  NHS England, Talking Therapies paired-data rule, applied per session
select
    expected.clinic_id::varchar as clinic_id,
    expected.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    expected.instrument_id::varchar as instrument_id,
    count(*)::integer as n,
    count(*) filter (where expected.is_rated)::integer as numerator,
    count(*)::integer as n_eligible,
from score.expected_form as expected
join ref.period as period on expected.session_on between period.period_start and period.period_end
group by expected.clinic_id, expected.therapist_id, period.period_id, expected.instrument_id
