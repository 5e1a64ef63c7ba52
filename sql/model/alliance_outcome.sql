-- Finished course with first and last score and the alliance early, on average and at the end: what
-- the share of outcome that goes with the alliance is computed from.
--
-- grain:   episode_id, alliance_instrument_id, outcome_instrument_id
-- inputs:  ref.instrument, score.alliance_rating, score.early_alliance, score.end_state,
--          score.reliable_change
-- columns: episode_id VARCHAR             course
--          alliance_instrument_id VARCHAR alliance questionnaire rated by the patient
--          outcome_instrument_id VARCHAR  symptom or well-being questionnaire
--          therapist_id VARCHAR           therapist the course is attributed to; NULL not known
--          first DECIMAL(12,6)            first score, worse above zero
--          last DECIMAL(12,6)             last score, worse above zero
--          early DECIMAL(12,6)            early alliance; NULL too few ratings
--          overall DECIMAL(12,6)          mean of all ratings
--          final DECIMAL(12,6)            last rating
-- version: 1
with rated as (
    select
        episode_id,
        instrument_id,
        round(sum(value)::double / count(*), 6)::decimal(12, 6) as overall,
        arg_max(value, rating_no) as final,
    from score.alliance_rating
    group by episode_id, instrument_id
)

select
    change.episode_id::varchar as episode_id,
    rated.instrument_id::varchar as alliance_instrument_id,
    change.instrument_id::varchar as outcome_instrument_id,
    end_state.therapist_id::varchar as therapist_id,
    (-instrument.direction * change.baseline_value)::decimal(12, 6) as first,
    (-instrument.direction * change.last_value)::decimal(12, 6) as last,
    (alliance_instrument.direction * early.mean)::decimal(12, 6) as early,
    (alliance_instrument.direction * rated.overall)::decimal(12, 6) as overall,
    (alliance_instrument.direction * rated.final)::decimal(12, 6) as final,
from score.reliable_change as change
join score.end_state as end_state on change.episode_id = end_state.episode_id
join rated on change.episode_id = rated.episode_id
join ref.instrument as instrument on change.instrument_id = instrument.instrument_id
join
    ref.instrument as alliance_instrument
    on rated.instrument_id = alliance_instrument.instrument_id
left join score.early_alliance as early
    on change.episode_id = early.episode_id and rated.instrument_id = early.instrument_id
where
    end_state.is_ended
    and end_state.is_resolved
    and change.baseline_value is not null
    and change.last_value is not null
