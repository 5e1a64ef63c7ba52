-- What was to be expected from what was known at the start of a course, whoever treated it: of one
-- course, or of each session of it where an ending is looked for session by session.
--
-- The place of a session in its course is the clock of such an ending, not a trait of the patient:
-- more leave after the first sessions, whoever treats.
--
-- grain:   model_id, episode_id, session_id?
-- inputs:  model.case_mix_outcome, model.coefficient, model.dropout_exposure, model.predictor
-- columns: model_id VARCHAR          model in use
--          episode_id VARCHAR        course
--          session_id VARCHAR        session of the course; NULL where the course counts as a whole
--          measure VARCHAR           measure
--          instrument_id VARCHAR     questionnaire; NULL where the measure is not per one
--          clinic_id VARCHAR         clinic
--          therapist_id VARCHAR      therapist it is attributed to; NULL not known
--          counted_on DATE           day by which it counts in a period
--          y DECIMAL(12,6)           observed
--          expected DECIMAL(18,12)   expected: chance of the event, or mean
--          variance DECIMAL(18,12)   variance around it if therapists did not differ: p (1 - p) of
--                                    an event; NULL for a mean
-- version: 2
with band as (
    select
        coefficient.model_id,
        coefficient.term,
        coefficient.estimate,
        sum(coefficient.estimate * coefficient.centre) over (
            partition by coefficient.model_id
            order by coefficient.term
            rows between unbounded preceding and unbounded following
        ) as average,
    from model.coefficient as coefficient
    where starts_with(coefficient.term, 'session_band=')
),

whole as (
    select
        outcome.*,
        null as session_id,
        predictor.predictor,
    from model.case_mix_outcome as outcome
    join model.predictor as predictor
        on outcome.model_id = predictor.model_id and outcome.episode_id = predictor.episode_id
),

counted as (
    select *,
    from whole
    where kind <> 'hazard'
    union all
    select
        whole.* replace (
            session.session_id as session_id,
            session.counted_on as counted_on,
            session.y as y,
            -- a band that the model has not seen counts as the average session
            whole.predictor + coalesce(band.estimate - band.average, 0) as predictor
        ),
    from whole
    join model.dropout_exposure as session on whole.episode_id = session.episode_id
    left join band
        on
            whole.model_id = band.model_id
            and concat('session_band=', session.session_band) = band.term
    where whole.kind = 'hazard'
),

scaled as (
    select
        *,
        case kind when 'mean' then predictor else 1 / (1 + exp(-predictor)) end as expected,
    from counted
)

select
    model_id::varchar as model_id,
    episode_id::varchar as episode_id,
    session_id::varchar as session_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    counted_on::date as counted_on,
    y::decimal(12, 6) as y,
    round(expected, 12)::decimal(18, 12) as expected,
    round(case when kind <> 'mean' then expected * (1 - expected) end, 12)::decimal(18, 12)
        as variance,
from scaled
