-- Early alliance that counts as low from the start: the tenth of the service's courses that began
-- lowest.
--
-- Low from the start is no rupture; nothing has fallen.
--
-- grain:   instrument_id
-- inputs:  ref.instrument, ref.setting, score.early_alliance
-- columns: instrument_id VARCHAR   alliance questionnaire rated by the patient
--          low_value DECIMAL(12,6) early alliance at or beyond which it is low
--          direction INTEGER       1 higher is better
--          n_courses INTEGER       courses it is taken from
--          frozen_on DATE          night it was computed on
-- version: 1
-- frozen:  instrument_id
-- keys:    score.early_alliance
with setting as (
    select
        max(value) filter (where name = 'low_alliance_share') as share,
        max(value) filter (where name = 'low_alliance_courses') as courses,
    from ref.setting
),

early as (
    select
        early.instrument_id,
        early.mean,
        instrument.direction,
        count(*) over (partition by early.instrument_id) as n_courses,
        row_number() over (
            partition by early.instrument_id
            order by instrument.direction * early.mean, early.episode_id
        ) as place,
    from score.early_alliance as early
    join ref.instrument as instrument on early.instrument_id = instrument.instrument_id
    where
        early.is_complete
        and early.mean is not null
        and instrument.kind = 'alliance'
        and instrument.respondent = 'patient'
)

select
    early.instrument_id::varchar as instrument_id,
    early.mean::decimal(12, 6) as low_value,
    early.direction::integer as direction,
    early.n_courses::integer as n_courses,
    getvariable('as_of')::date as frozen_on,
from early
cross join setting
where early.n_courses >= setting.courses and early.place = floor(setting.share * early.n_courses)
