-- One measure of the NHS Talking Therapies outcome set in one course: its first and last score, at
-- caseness or not, changed reliably or not.
--
-- First and last scores are those of score.reliable_change; a score that is not known leaves its
-- caseness and its change open. Only clinics that give the measure of depression and one of anxiety
-- have rows.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.cutoff, ref.instrument, ref.outcome_set, ref.reliable_change, ref.scale,
--          score.intake_factor, score.protocol, score.reliable_change
-- columns: episode_id VARCHAR         course with at least one attended session
--          instrument_id VARCHAR      measure
--          clinic_id VARCHAR          clinic
--          role VARCHAR               depression, anxiety, or specific: made for one disorder
--          rank INTEGER               order in which specific measures are chosen
--          is_meant BOOLEAN           whether the measure is made for the recorded diagnosis group, or
--                                     none is recorded
--          first_value DECIMAL(12,6)  first score; NULL none early enough
--          last_value DECIMAL(12,6)   last score, of a later day; NULL none
--          is_paired BOOLEAN          whether both are there
--          is_case_first BOOLEAN      at caseness at the start; NULL not known
--          is_case_last BOOLEAN       at caseness at the end; NULL not known
--          is_better BOOLEAN          reliably better; NULL not known
--          is_worse BOOLEAN           reliably worse; NULL not known
--          is_verified BOOLEAN        whether its thresholds were found in their source
-- version: 1
-- patient: episode_id
with measure as (
    select
        outcome_set.instrument_id,
        outcome_set.role,
        outcome_set.rank,
        outcome_set.diagnosis_groups,
        instrument.direction,
        cutoff.op as case_op,
        cutoff.value as case_value,
        change.op as change_op,
        change.value as change_value,
        cutoff.is_verified and change.is_verified as is_verified,
    from ref.outcome_set as outcome_set
    join ref.instrument as instrument on outcome_set.instrument_id = instrument.instrument_id
    join ref.scale as scale on outcome_set.instrument_id = scale.instrument_id and scale.is_primary
    join ref.cutoff as cutoff
        on
            scale.instrument_id = cutoff.instrument_id
            and scale.scale = cutoff.scale
            and outcome_set.population = cutoff.population
            and cutoff.use = 'caseness'
    join ref.reliable_change as change
        on
            scale.instrument_id = change.instrument_id
            and scale.scale = change.scale
            and outcome_set.population = change.population
),

user_clinic as (
    select protocol.clinic_id,
    from score.protocol as protocol
    join measure on protocol.instrument_id = measure.instrument_id
    group by protocol.clinic_id
    having bool_or(measure.role = 'depression') and bool_or(measure.role <> 'depression')
),

pair as (
    select
        measure.*,
        change.episode_id,
        change.clinic_id,
        change.baseline_value,
        change.last_value,
        coalesce(
            intake_factor.diagnosis_group is null
            or list_contains(measure.diagnosis_groups, intake_factor.diagnosis_group), true
        ) as is_meant,
    from score.reliable_change as change
    join measure on change.instrument_id = measure.instrument_id
    left join score.intake_factor as intake_factor on change.episode_id = intake_factor.episode_id
    where change.clinic_id in (select user_clinic.clinic_id, from user_clinic)
),

judged as (
    select
        *,
        [
            case case_op
                when '>=' then score >= case_value
                when '>' then score > case_value
                when '<=' then score <= case_value
                when '<' then score < case_value
            end for score in [baseline_value, last_value]
        ] as is_case,
        [
            case change_op
                when '>=' then improvement >= change_value
                when '>' then improvement > change_value
            end for improvement in [
                direction * (last_value - baseline_value),
                direction * (baseline_value - last_value)
            ]
        ] as is_changed,
    from pair
)

select
    episode_id::varchar as episode_id,
    instrument_id::varchar as instrument_id,
    clinic_id::varchar as clinic_id,
    role::varchar as role,
    rank::integer as rank,
    is_meant::boolean as is_meant,
    baseline_value::decimal(12, 6) as first_value,
    last_value::decimal(12, 6) as last_value,
    (baseline_value is not null and last_value is not null)::boolean as is_paired,
    is_case[1]::boolean as is_case_first,
    is_case[2]::boolean as is_case_last,
    is_changed[1]::boolean as is_better,
    is_changed[2]::boolean as is_worse,
    is_verified::boolean as is_verified,
from judged
