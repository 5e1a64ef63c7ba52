-- Finished course in a period it counts in: ended there, long enough ago that any other ending
-- would be known too.
--
-- Recorded endings are known at once, silent ones only after weeks. Counting each ending only when
-- both kinds would be known keeps the newest weeks from looking better than they were.
--
-- grain:   episode_id, period_id
-- inputs:  ref.period, ref.setting, score.end_state, score.outcome
-- columns: episode_id VARCHAR     course
--          period_id VARCHAR      period its end lies in
--          clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist it is attributed to; NULL not known
--          state VARCHAR          how it ended
--          end_by VARCHAR         record or gap rule
--          category VARCHAR       improved, deteriorated, no_reliable_change or unpaired
--          is_long_enough BOOLEAN whether it had the sessions an outcome needs
-- version: 1
-- patient: episode_id
select
    end_state.episode_id::varchar as episode_id,
    period.period_id::varchar as period_id,
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    end_state.state::varchar as state,
    end_state.end_by::varchar as end_by,
    outcome.category::varchar as category,
    (end_state.n_attended >= setting.value)::boolean as is_long_enough,
from score.end_state as end_state
join score.outcome as outcome on end_state.episode_id = outcome.episode_id
join ref.period as period on end_state.ended_on between period.period_start and period.period_end
join ref.setting as setting on setting.name = 'outcome_min_sessions'
where end_state.is_ended and end_state.is_resolved
