-- How first scores of one questionnaire spread over patients, so that severity can be told in
-- standard deviations.
--
-- grain:   instrument_id
-- inputs:  ref.setting, score.reliable_change
-- columns: instrument_id VARCHAR     symptom or well-being questionnaire
--          n INTEGER                 courses with a first score early enough to start from
--          mean DECIMAL(18,9)        their mean
--          sd DECIMAL(18,9)          their standard deviation
--          frozen_on DATE            night it was computed on
-- frozen:  instrument_id
-- version: 1
with summed as (
    select
        instrument_id,
        count(*) as n,
        sum(baseline_value)::decimal(38, 6) as sum_x,
        sum(baseline_value * baseline_value)::decimal(38, 6) as sum_xx,
    from score.reliable_change
    where baseline_value is not null
    group by instrument_id
),

spread as (
    select
        *,
        sum_x / n as mean,
        (sum_xx::double - sum_x::double * sum_x::double / n) / (n - 1) as variance,
    from summed
    where n > 1
)

select
    spread.instrument_id::varchar as instrument_id,
    spread.n::integer as n,
    round(spread.mean, 9)::decimal(18, 9) as mean,
    round(sqrt(spread.variance), 9)::decimal(18, 9) as sd,
    getvariable('as_of')::date as frozen_on,
from spread
join ref.setting as setting on setting.name = 'case_mix_scores_needed'
where spread.variance > 0 and spread.n >= setting.value
