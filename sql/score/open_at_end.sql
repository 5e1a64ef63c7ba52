-- Course that was open when a period ended: begun by then, and not ended.
--
-- An ending by silence is dated back to the last contact, so the newest periods lose courses for
-- weeks after.
--
-- grain:   episode_id, period_id
-- inputs:  ref.period, score.end_state
-- columns: episode_id VARCHAR    course
--          period_id VARCHAR     period
--          clinic_id VARCHAR     clinic
--          therapist_id VARCHAR  therapist it is attributed to; NULL not known
-- version: 1
-- patient: episode_id
select
    end_state.episode_id::varchar as episode_id,
    period.period_id::varchar as period_id,
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
from score.end_state as end_state
join ref.period as period
    on
        end_state.first_attended_on <= period.period_end
        and coalesce(end_state.ended_on > period.period_end, true)
