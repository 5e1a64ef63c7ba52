-- Severity at the start of a course, on one questionnaire: distance of the first score from the
-- service's mean, in standard deviations.
--
-- grain:   episode_id, instrument_id
-- inputs:  model.severity_scale, ref.instrument, ref.outcome_preference, score.reliable_change
-- columns: episode_id VARCHAR       course
--          instrument_id VARCHAR    questionnaire
--          severity DECIMAL(12,6)   higher is worse, whatever the questionnaire's direction
--          improvement DECIMAL(12,6) change to the last score towards better, in the same unit; NULL
--                                   unless paired
--          is_preferred BOOLEAN     whether it is the first of the service's questionnaires that the
--                                   course has a first score on
-- version: 1
select
    change.episode_id::varchar as episode_id,
    change.instrument_id::varchar as instrument_id,
    round(
        -instrument.direction * (change.baseline_value::double - scale.mean::double)
        / scale.sd::double, 6
    )::decimal(12, 6) as severity,
    round(change.improvement::double / scale.sd::double, 6)::decimal(12, 6) as improvement,
    (
        row_number() over (
            partition by change.episode_id
            order by preference.rank nulls last, change.instrument_id
        ) = 1
    )::boolean as is_preferred,
from score.reliable_change as change
join model.severity_scale as scale on change.instrument_id = scale.instrument_id
join ref.instrument as instrument on change.instrument_id = instrument.instrument_id
left join
    ref.outcome_preference as preference
    on change.instrument_id = preference.instrument_id
where change.baseline_value is not null
