-- How patients' first ratings of the alliance spread over courses on one questionnaire, so that
-- ratings on different ones can stand side by side.
--
-- grain:   instrument_id
-- inputs:  ref.instrument, ref.setting, score.session_score
-- columns: instrument_id VARCHAR     alliance questionnaire rated by the patient
--          n INTEGER                 courses with a rating
--          mean DECIMAL(18,9)        mean of their first ratings
--          sd DECIMAL(18,9)          standard deviation of these
--          frozen_on DATE            night it was computed on
-- frozen:  instrument_id
-- version: 1
with first_rating as (
    select
        score.instrument_id,
        score.value,
    from score.session_score as score
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    where instrument.kind = 'alliance' and instrument.respondent = 'patient'
    qualify row_number() over (
        partition by score.episode_id, score.instrument_id
        order by score.session_no, score.session_id
    ) = 1
),

summed as (
    select
        instrument_id,
        count(*) as n,
        sum(value)::decimal(38, 6) as sum_x,
        sum(value * value)::decimal(38, 6) as sum_xx,
    from first_rating
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
