-- Spread of one measure between and within therapists in one period, and where its size comes
-- from.
--
-- One-way analysis of variance by moments; a rate is a mean of zeros and ones. Where it is known what
-- was to be expected of the patients, it is done on observed less expected. With too few therapists
-- to estimate the spread between them the literature's share of variance is used; with very few,
-- none.
--
-- grain:   period_id, measure, instrument_id?
-- inputs:  measure.total, ref.setting
-- columns: period_id VARCHAR       period
--          measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one
--          n_therapists INTEGER    therapists with at least one value
--          variance_within DECIMAL(18,9)    variance of single values within therapists; NULL not
--                                           estimable
--          variance_between DECIMAL(18,9)   variance between therapists; NULL where no figure of a
--                                           therapist is drawn in
--          between_from VARCHAR    own data, literature, or none
--          is_adjusted BOOLEAN     whether what was to be expected is taken off first
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'shrink_min_therapists') as min_therapists,
        max(value) filter (where name = 'shrink_own_therapists') as own_therapists,
        max(value) filter (where name = 'literature_icc') as literature_icc,
    from ref.setting
),

service as (
    select
        period_id,
        measure,
        instrument_id,
        expected is not null as is_adjusted,
    from measure.total
    where level = 'service'
),

residual as (
    select
        total.period_id,
        total.measure,
        total.instrument_id,
        total.n,
        coalesce(service.is_adjusted, false) as is_adjusted,
        case when service.is_adjusted then total.sum_x - total.expected else total.sum_x end
            as sum_x,
        case when service.is_adjusted then total.sum_rr else total.sum_xx end as sum_xx,
    from measure.total as total
    left join service
        on
            total.period_id = service.period_id
            and total.measure = service.measure
            and total.instrument_id is not distinct from service.instrument_id
    where total.level = 'therapist' and total.n > 0
),

therapist as (
    select
        *,
        (sum_x::double * sum_x::double / n)::decimal(38, 9) as square_over_n,
    from residual
),

summed as (
    select
        period_id,
        measure,
        instrument_id,
        bool_and(is_adjusted) as is_adjusted,
        count(*)::double as j,
        sum(n)::double as n,
        sum(n::bigint * n)::double as sum_nn,
        sum(sum_x)::double as sum_x,
        (sum(sum_xx) - sum(square_over_n))::double as ss_within,
        sum(square_over_n)::double as sum_square_over_n,
    from therapist
    group by period_id, measure, instrument_id
),

moment as (
    select
        *,
        case when n > j then greatest(ss_within, 0) / (n - j) end as ms_within,
        case when j > 1 then greatest(sum_square_over_n - sum_x * sum_x / n, 0) / (j - 1) end
            as ms_between,
        case when j > 1 then (n - sum_nn / n) / (j - 1) end as n_0,
    from summed
)

select
    moment.period_id::varchar as period_id,
    moment.measure::varchar as measure,
    moment.instrument_id::varchar as instrument_id,
    moment.j::integer as n_therapists,
    round(moment.ms_within, 9)::decimal(18, 9) as variance_within,
    round(
        case
            when moment.ms_within is null or moment.j < setting.min_therapists then null
            when moment.j < setting.own_therapists
                then moment.ms_within * setting.literature_icc / (1 - setting.literature_icc)
            else greatest((moment.ms_between - moment.ms_within) / moment.n_0, 0)
        end, 9
    )::decimal(18, 9) as variance_between,
    case
        when moment.ms_within is null or moment.j < setting.min_therapists then 'none'
        when moment.j < setting.own_therapists then 'literature'
        else 'own data'
    end::varchar as between_from,
    moment.is_adjusted::boolean as is_adjusted,
from moment
cross join setting
