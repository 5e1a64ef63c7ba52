-- What a model makes of what was known at the start of one course: the expected mean, or the logit of
-- the chance.
--
-- A level that the model has not seen is put with the pooled ones, and where there are none it
-- counts as the average patient.
--
-- grain:   model_id, episode_id
-- inputs:  model.case_mix_level, model.case_mix_outcome, model.coefficient, model.fit
-- columns: model_id VARCHAR    model in use
--          episode_id VARCHAR  course
--          predictor DOUBLE    mean, or logit of the chance; of a hazard at an average session
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
)

select
    outcome.model_id::varchar as model_id,
    outcome.episode_id::varchar as episode_id,
    (intercept.estimate + coalesce(summed.deviation, 0))::double as predictor,
from model.case_mix_outcome as outcome
join term as intercept
    on outcome.model_id = intercept.model_id and intercept.term = 'intercept'
left join summed
    on outcome.model_id = summed.model_id and outcome.episode_id = summed.episode_id
