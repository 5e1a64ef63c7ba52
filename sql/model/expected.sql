-- What was to be expected of one course from what was known at its start, whoever treated it.
--
-- A level that the model has not seen is put with the pooled ones, and where there are none it
-- counts as the average patient.
--
-- grain:   model_id, episode_id
-- inputs:  model.case_mix_level, model.case_mix_outcome, model.coefficient, model.fit
-- columns: model_id VARCHAR          model in use
--          episode_id VARCHAR        course
--          measure VARCHAR           measure
--          instrument_id VARCHAR     questionnaire; NULL where the measure is not per one
--          clinic_id VARCHAR         clinic
--          therapist_id VARCHAR      therapist it is attributed to; NULL not known
--          counted_on DATE           day by which it counts in a period
--          y DECIMAL(12,6)           observed
--          expected DECIMAL(18,12)   expected: chance of the event, or mean
--          variance DECIMAL(18,12)   variance around it if therapists did not differ: p (1 - p) of
--                                    an event; NULL for a mean
-- version: 1
with term as (
    select
        coefficient.model_id,
        coefficient.term,
        coefficient.estimate,
        coefficient.centre,
        split_part(coefficient.term, '=', 1) as factor,
        contains(coefficient.term, '=') as is_level,
    from model.coefficient as coefficient
    join model.fit as fit on coefficient.model_id = fit.model_id
    where fit.is_used
),

factor as (
    select
        model_id,
        factor,
        sum(estimate * centre order by term) as average,
    from term
    where is_level
    group by model_id, factor
),

part as (
    select
        level.model_id,
        level.episode_id,
        factor.factor as part,
        coalesce(own.estimate, pooled.estimate, factor.average) - factor.average as contribution,
    from model.case_mix_level as level
    join factor on level.model_id = factor.model_id and level.factor = factor.factor
    left join term as own
        on level.model_id = own.model_id and concat(level.factor, '=', level.level) = own.term
    left join term as pooled
        on level.model_id = pooled.model_id and concat(level.factor, '=pooled') = pooled.term
    union all
    select
        outcome.model_id,
        outcome.episode_id,
        'number' as part,
        -- severity that is not recorded has the level to speak for it
        term.estimate * (coalesce(outcome.severity, 0) - term.centre) as contribution,
    from model.case_mix_outcome as outcome
    join term on outcome.model_id = term.model_id and term.term = 'severity'
),

summed as (
    select
        model_id,
        episode_id,
        sum(contribution order by part) as deviation,
    from part
    group by model_id, episode_id
),

predicted as (
    select
        outcome.*,
        intercept.estimate + coalesce(summed.deviation, 0) as predictor,
    from model.case_mix_outcome as outcome
    join term as intercept
        on outcome.model_id = intercept.model_id and intercept.term = 'intercept'
    left join summed
        on outcome.model_id = summed.model_id and outcome.episode_id = summed.episode_id
),

scaled as (
    select
        *,
        case kind when 'rate' then 1 / (1 + exp(-predictor)) else predictor end as expected,
    from predicted
)

select
    model_id::varchar as model_id,
    episode_id::varchar as episode_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    clinic_id::varchar as clinic_id,
    therapist_id::varchar as therapist_id,
    counted_on::date as counted_on,
    y::decimal(12, 6) as y,
    round(expected, 12)::decimal(18, 12) as expected,
    round(case kind when 'rate' then expected * (1 - expected) end, 12)::decimal(18, 12)
        as variance,
from scaled
