-- Index of change of one course on one questionnaire by each of several published methods: how many
-- standard errors the last score lies above (or below) what would be expected without change.
--
-- For auditors only: the figures on pages use the published thresholds. JT, GLN, EN and NK expect
-- what the norms of the instrument say; HLL and HA compare with the service's own courses, so that
-- whoever improves as the average does counts as unchanged in HLL.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.change_norm, ref.instrument, ref.scale, score.change_group, score.reliable_change
-- columns: episode_id VARCHAR     course with a complete pair of scores
--          instrument_id VARCHAR  instrument
--          clinic_id VARCHAR      clinic
--          jt DECIMAL(18,6)       Jacobson & Truax; above 0 is better, here and below
--          gln DECIMAL(18,6)      Gulliksen, Lord & Novick: regression to the mean of the norm
--          en DECIMAL(18,6)       Edwards & Nunnally
--          nk DECIMAL(18,6)       Nunnally & Kotsch: another reliability at the end
--          hll DECIMAL(18,6)      Hsu, Linn & Lord: relative to the mean change of the group
--          ha DECIMAL(18,6)       Hageman & Arrindell: by the reliability of differences
--          has_norm BOOLEAN       whether the instrument has the norms
--          has_group BOOLEAN      whether the service has courses enough of its own
-- version: 1
-- patient: episode_id
with pair as (
    select
        change.episode_id,
        change.instrument_id,
        change.clinic_id,
        change.baseline_value::double as pre,
        change.last_value::double as post,
    from score.reliable_change as change
    where change.baseline_value is not null and change.last_value is not null
),

norm as (
    select
        instrument.instrument_id,
        instrument.direction,
        norm.mean_pre::double as m,
        norm.sd_pre::double as s,
        norm.reliability::double as r,
        norm.sd_pre::double * sqrt(1 - norm.reliability::double) as sem,
        own.n,
        own.mean_pre,
        own.mean_post,
        own.sd_pre as own_pre,
        own.sd_post as own_post,
        own.correlation,
    from ref.instrument as instrument
    join ref.scale as scale
        on instrument.instrument_id = scale.instrument_id and scale.is_primary
    left join ref.change_norm as norm
        on scale.instrument_id = norm.instrument_id and scale.scale = norm.scale
    left join
        score.change_group as own
        on instrument.instrument_id = own.instrument_id
),

reliability as (
    -- the error of measurement is the instrument's: where scores spread otherwise, they are
    -- otherwise reliable
    select
        *,
        1 - sem * sem / nullif(own_post * own_post, 0) as r_post,
        (own_pre * own_pre + own_post * own_post - 2 * own_pre * own_post * correlation)
            as variance_change,
    from norm
),

error as (
    select
        *,
        nullif(sqrt(2) * sem, 0) as error_jt,
        nullif(s * sqrt(1 - r * r), 0) as error_gln,
        nullif(sem, 0) as error_en,
        case
            when r_post > 0
                then nullif(sqrt(r * r * s * s * (1 - r) + s * s * (1 - r_post)), 0)
        end as error_nk,
        nullif(own_pre * sqrt(1 - r * r), 0) as error_hll,
        1 - 2 * sem * sem / nullif(variance_change, 0) as r_change,
    from reliability
)

select
    pair.episode_id::varchar as episode_id,
    pair.instrument_id::varchar as instrument_id,
    pair.clinic_id::varchar as clinic_id,
    round(error.direction * (pair.post - pair.pre) / error.error_jt, 6)::decimal(18, 6) as jt,
    round(
        error.direction * ((pair.post - error.m) - error.r * (pair.pre - error.m))
        / error.error_gln, 6
    )::decimal(18, 6) as gln,
    round(
        error.direction * (pair.post - (error.r * (pair.pre - error.m) + error.m))
        / error.error_en, 6
    )::decimal(18, 6) as en,
    round(
        error.direction * (pair.post - (error.r * (pair.pre - error.m) + error.m))
        / error.error_nk, 6
    )::decimal(18, 6) as nk,
    round(
        error.direction * ((pair.post - error.mean_post) - error.r * (pair.pre - error.mean_pre))
        / error.error_hll, 6
    )::decimal(18, 6) as hll,
    case
        when error.r_change > 0
            then round(
                error.direction * (
                    (pair.post - pair.pre) * error.r_change
                    + (error.mean_post - error.mean_pre) * (1 - error.r_change)
                ) / (sqrt(error.r_change) * error.error_jt), 6
            )
    end::decimal(18, 6) as ha,
    (error.r is not null)::boolean as has_norm,
    (error.n is not null)::boolean as has_group,
from pair
join error on pair.instrument_id = error.instrument_id
