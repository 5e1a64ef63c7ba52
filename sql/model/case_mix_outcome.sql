-- What is known of one course that a measure counts, for the model of what was to be expected of it.
--
-- One model for each measure, and for each questionnaire where the measure is told per
-- questionnaire. Only what was known at intake enters; alliance and the number of sessions do not,
-- because they are part of what a therapist does. Dropout is modelled session by session: its
-- courses are here for what was known at their intake.
--
-- grain:   model_id, episode_id
-- inputs:  model.dropout_exposure, model.intake_severity, model.person_session, ref.setting,
--          score.early_alliance, score.end_state, score.outcome
-- columns: model_id VARCHAR                measure, with the questionnaire where it is per one
--          episode_id VARCHAR              course
--          measure VARCHAR                 measure
--          instrument_id VARCHAR           questionnaire; NULL where the measure is not per one
--          clinic_id VARCHAR               clinic
--          therapist_id VARCHAR            therapist it is attributed to; NULL not known
--          kind VARCHAR                    rate, mean, or hazard: a rate, session by session
--          y DECIMAL(12,6)                 1 or 0 of a rate; the value of a mean
--          outcome_instrument_id VARCHAR   questionnaire that decides the outcome; NULL none does
--          severity DECIMAL(12,6)          severity at intake; NULL not recorded
--          counted_on DATE                 day by which it counts in a period
--          is_fitted BOOLEAN               whether it is recent enough to fit on
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'outcome_min_sessions') as min_sessions,
        max(value) filter (where name = 'case_mix_months') as fitted_months,
    from ref.setting
),

ended as (
    select
        end_state.episode_id,
        end_state.clinic_id,
        end_state.therapist_id,
        end_state.ended_on,
        end_state.state,
        outcome.category,
        outcome.instrument_id,
        outcome.n_attended >= setting.min_sessions and outcome.category <> 'unpaired' as is_paired,
    from score.end_state as end_state
    join score.outcome as outcome on end_state.episode_id = outcome.episode_id
    cross join setting
    where end_state.is_ended and end_state.is_resolved
),

paired as (
    select
        ended.*,
        change.severity,
        change.improvement,
    from ended
    left join model.intake_severity as change
        on ended.episode_id = change.episode_id and ended.instrument_id = change.instrument_id
    where ended.is_paired
),

preferred as (
    select
        episode_id,
        severity,
    from model.intake_severity
    where is_preferred
),

at_first as (
    -- who leaves after one session has no second one to hand in a first form at: a score of the
    -- second session would tell who stayed
    select
        episode_id,
        round(severity, 6)::decimal(12, 6) as severity,
    from model.person_session
    where session_no = 1
),

counted as (
    select
        unnest(['reliable_improvement', 'reliable_deterioration']) as measure,
        unnest(['improved', 'deteriorated']) as event,
        null as instrument_id,
        'rate' as kind,
        episode_id,
        clinic_id,
        therapist_id,
        (category = event)::integer as y,
        instrument_id as outcome_instrument_id,
        severity,
        ended_on as counted_on,
    from paired
    union all
    select
        'outcome_change' as measure,
        null as event,
        null as instrument_id,
        'mean' as kind,
        episode_id,
        clinic_id,
        therapist_id,
        improvement as y,
        instrument_id as outcome_instrument_id,
        severity,
        ended_on as counted_on,
    from paired
    where improvement is not null
    union all
    select
        'early_ending' as measure,
        null as event,
        null as instrument_id,
        'rate' as kind,
        ended.episode_id,
        ended.clinic_id,
        ended.therapist_id,
        (ended.state = 'dropout')::integer as y,
        null as outcome_instrument_id,
        at_first.severity,
        ended.ended_on as counted_on,
    from ended
    left join at_first on ended.episode_id = at_first.episode_id
    where ended.state in ('dropout', 'completed')
    union all
    select
        'early_alliance_mean' as measure,
        null as event,
        early.instrument_id,
        'mean' as kind,
        early.episode_id,
        early.clinic_id,
        early.therapist_id,
        early.mean as y,
        null as outcome_instrument_id,
        preferred.severity,
        early.early_on as counted_on,
    from score.early_alliance as early
    left join preferred on early.episode_id = preferred.episode_id
    where early.is_complete and early.mean is not null
    union all
    select
        'dropout_under_way' as measure,
        null as event,
        null as instrument_id,
        'hazard' as kind,
        session.episode_id,
        session.clinic_id,
        session.therapist_id,
        max(session.y) as y,
        null as outcome_instrument_id,
        max(at_first.severity) as severity,
        max(session.counted_on) as counted_on,
    from model.dropout_exposure as session
    left join at_first on session.episode_id = at_first.episode_id
    group by session.episode_id, session.clinic_id, session.therapist_id
)

select
    concat_ws('/', counted.measure, counted.instrument_id)::varchar as model_id,
    counted.episode_id::varchar as episode_id,
    counted.measure::varchar as measure,
    counted.instrument_id::varchar as instrument_id,
    counted.clinic_id::varchar as clinic_id,
    counted.therapist_id::varchar as therapist_id,
    counted.kind::varchar as kind,
    counted.y::decimal(12, 6) as y,
    counted.outcome_instrument_id::varchar as outcome_instrument_id,
    counted.severity::decimal(12, 6) as severity,
    counted.counted_on::date as counted_on,
    (
        counted.counted_on
        > getvariable('as_of')::date - to_months(setting.fitted_months::integer)
    )::boolean as is_fitted,
from counted
cross join setting
