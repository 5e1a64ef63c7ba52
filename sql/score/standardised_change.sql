-- Change of one course on one questionnaire in standard deviations of the service's first scores,
-- as it is and as if the course had begun at the service's mean.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.instrument, score.outcome_reference, score.reliable_change
-- columns: episode_id VARCHAR             course
--          instrument_id VARCHAR          questionnaire the clinic gives
--          clinic_id VARCHAR              clinic
--          first_value DECIMAL(12,6)      first score; NULL none early enough
--          effect DECIMAL(12,6)           change towards better, in standard deviations; NULL without
--                                         a pair, or while the service has too few courses
--          adjusted_effect DECIMAL(12,6)  the same, had the course begun at the service's mean
-- version: 1
-- patient: episode_id
with pair as (
    select
        change.*,
        reference.mean_first,
        reference.sd_first,
        reference.mean_improvement,
        reference.slope,
        instrument.direction * (change.last_value - change.baseline_value)::double as moved,
    from score.reliable_change as change
    join ref.instrument as instrument on change.instrument_id = instrument.instrument_id
    left join score.outcome_reference as reference
        on change.instrument_id = reference.instrument_id
),

expected as (
    -- change expected from the first score: the mean change, and what the line adds for a start
    -- above or below the mean
    select
        pair.*,
        pair.mean_improvement + instrument.direction * (pair.slope - 1)::double
        * (pair.baseline_value - pair.mean_first)::double as expected,
    from pair
    join ref.instrument as instrument on pair.instrument_id = instrument.instrument_id
)

select
    episode_id::varchar as episode_id,
    instrument_id::varchar as instrument_id,
    clinic_id::varchar as clinic_id,
    baseline_value::decimal(12, 6) as first_value,
    round(moved / sd_first, 6)::decimal(12, 6) as effect,
    round((mean_improvement + moved - expected) / sd_first, 6)::decimal(12, 6) as adjusted_effect,
from expected
