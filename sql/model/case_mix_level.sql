-- Level of one intake factor of a course, and the level it is fitted under.
--
-- What is not recorded is a level of its own; of dropout, severity that is not recorded counts as
-- the average patient's. Levels with few courses, or too few for an event and its opposite to be
-- expected in, are fitted together.
--
-- grain:   model_id, episode_id, factor
-- inputs:  model.case_mix_outcome, ref.setting, score.intake_factor
-- columns: model_id VARCHAR      model
--          episode_id VARCHAR    course
--          factor VARCHAR        severity, questionnaire, diagnosis_group, age_band,
--                                previous_treatment, interpreter_needed or language
--          level VARCHAR         as recorded; severity is recorded or not recorded
--          fitted_level VARCHAR  the same, or pooled; NULL not fitted on
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'case_mix_level_courses') as level_courses,
        max(value) filter (where name = 'case_mix_level_events') as level_events,
    from ref.setting
),

wide as (
    select
        outcome.model_id,
        outcome.episode_id,
        outcome.kind,
        outcome.y,
        outcome.is_fitted,
        case
            -- a form missing at the first session may itself be a sign of leaving: no excuse for it
            when outcome.measure in ('early_ending', 'dropout_under_way') then 'recorded'
            when outcome.severity is null then 'not recorded'
            else 'recorded'
        end as severity,
        -- a questionnaire more or less sensitive to change is no therapist's doing
        coalesce(outcome.outcome_instrument_id, 'none') as questionnaire,
        coalesce(factor.diagnosis_group, 'not recorded') as diagnosis_group,
        coalesce(factor.age_band, 'not recorded') as age_band,
        coalesce(factor.previous_treatment, 'not recorded') as previous_treatment,
        coalesce(factor.interpreter_needed, 'not recorded') as interpreter_needed,
        coalesce(factor.language, 'not recorded') as language,
    from model.case_mix_outcome as outcome
    left join score.intake_factor as factor on outcome.episode_id = factor.episode_id
),

long as (
    unpivot wide
    on
    severity,
    questionnaire,
    diagnosis_group,
    age_band,
    previous_treatment,
    interpreter_needed,
    language
    into name factor value level
),

common as (
    select
        model_id,
        factor,
        level,
        max(kind) as kind,
        count(*) as n,
    from long
    where is_fitted
    group by model_id, factor, level
),

overall as (
    select
        model_id,
        sum(y)::decimal(38, 6) / count(*) as rate,
    from wide
    where is_fitted
    group by model_id
),

kept as (
    select
        common.model_id,
        common.factor,
        common.level,
        common.n >= setting.level_courses
        and (
            common.kind = 'mean'
            or common.n * least(overall.rate, 1 - overall.rate) >= setting.level_events
        ) as is_kept,
    from common
    join overall on common.model_id = overall.model_id
    cross join setting
)

select
    long.model_id::varchar as model_id,
    long.episode_id::varchar as episode_id,
    long.factor::varchar as factor,
    long.level::varchar as level,
    case
        when not long.is_fitted then null
        when kept.is_kept then long.level
        else 'pooled'
    end::varchar as fitted_level,
from long
left join kept
    on long.model_id = kept.model_id and long.factor = kept.factor and long.level = kept.level
