-- Scores at the start of courses that began in the period.
--
-- grain:   clinic_id, therapist_id?, period_id, instrument_id
-- inputs:  ref.period, score.end_state, score.reliable_change
-- columns: clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist the course is attributed to; NULL not known
--          period_id VARCHAR      period of the first attended session
--          instrument_id VARCHAR  questionnaire
--          n INTEGER              courses with a score by the second session
--          sum_x DECIMAL(38,6)    sum of first scores
--          sum_xx DECIMAL(38,6)   sum of squares
--          n_eligible INTEGER     courses that began in the period
-- version: 1
-- label:   Score at the start, mean
-- section: outcome
-- order:   190
-- kind:    mean
-- numerator: sum of the first valid scores
-- denominator: courses that began in the period, with a score by the second attended session
-- minimum: 5
-- better:  neither
-- why:     Who comes decides much of what is reached; read outcomes beside it.
-- source:  NHS England, Talking Therapies annual data report first scores the same way
select
    change.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    period.period_id::varchar as period_id,
    change.instrument_id::varchar as instrument_id,
    count(change.baseline_value)::integer as n,
    sum(change.baseline_value)::decimal(38, 6) as sum_x,
    sum(change.baseline_value * change.baseline_value)::decimal(38, 6) as sum_xx,
    count(*)::integer as n_eligible,
from score.reliable_change as change
join score.end_state as end_state on change.episode_id = end_state.episode_id
join ref.period as period
    on end_state.first_attended_on between period.period_start and period.period_end
group by change.clinic_id, end_state.therapist_id, period.period_id, change.instrument_id
