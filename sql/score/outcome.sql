-- Outcome of one course: the class of the instrument that decides it where several were filled in.
--
-- A complete pair comes before an incomplete one, then the service's order of instruments.
--
-- grain:   episode_id
-- inputs:  ref.outcome_preference, score.end_state, score.reliable_change
-- columns: episode_id VARCHAR     course with at least one attended session
--          clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist it is attributed to; NULL not known
--          category VARCHAR       improved, deteriorated, no_reliable_change or unpaired
--          instrument_id VARCHAR  instrument that decided; NULL where the clinic uses none
--          why_unpaired VARCHAR   reason; NULL where the pair is complete
--          is_ended BOOLEAN       whether the course has ended
--          is_resolved BOOLEAN    whether its ending counts in figures yet
--          ended_on DATE          end of the course; NULL while ongoing
--          n_attended INTEGER     attended sessions
-- version: 1
-- patient: episode_id
with decided as (
    select
        change.episode_id,
        change.instrument_id,
        change.category,
        change.why_unpaired,
    from score.reliable_change as change
    left join
        ref.outcome_preference as preference
        on change.instrument_id = preference.instrument_id
    qualify row_number() over (
        partition by change.episode_id
        order by change.category = 'unpaired', preference.rank nulls last, change.instrument_id
    ) = 1
)

select
    end_state.episode_id::varchar as episode_id,
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    coalesce(decided.category, 'unpaired')::varchar as category,
    decided.instrument_id::varchar as instrument_id,
    case
        when decided.episode_id is null then 'the clinic uses no outcome questionnaire'
        else decided.why_unpaired
    end::varchar as why_unpaired,
    end_state.is_ended::boolean as is_ended,
    end_state.is_resolved::boolean as is_resolved,
    end_state.ended_on::date as ended_on,
    end_state.n_attended::integer as n_attended,
from score.end_state as end_state
left join decided on end_state.episode_id = decided.episode_id
where end_state.n_attended > 0
