-- Share of the differences between patients that goes with the therapist, with its interval; the
-- literature's where the service is too small to say.
--
-- By moments on observed less expected. The interval draws therapists, not patients, with
-- replacement; the draws are those of a hash and the same every night.
--
-- grain:   measure, instrument_id?
-- inputs:  measure.spread, measure.total, ref.definition, ref.setting
-- columns: measure VARCHAR         measure
--          instrument_id VARCHAR   questionnaire; NULL where the measure is not per one
--          n_therapists INTEGER    therapists with a value in the newest window
--          n INTEGER               courses
--          share DECIMAL(18,9)     share of variance; NULL none computed and none cited
--          low DECIMAL(18,9)       lower end of its 95 % interval; NULL cited
--          high DECIMAL(18,9)      upper end of its 95 % interval; NULL cited
--          is_own BOOLEAN          whether it is the service's own
-- version: 1
-- source:  Johns et al. 2019, doi 10.1016/j.cpr.2018.08.004
with setting as (
    select
        max(value) filter (where name = 'icc_min_therapists') as min_therapists,
        max(value) filter (where name = 'icc_min_courses') as min_courses,
        max(value) filter (where name = 'icc_draws')::integer as draws,
        max(value) filter (where name = 'literature_icc') as literature_icc,
    from ref.setting
),

therapist as (
    select
        total.measure,
        total.instrument_id,
        total.n,
        case when spread.is_adjusted then total.sum_x - total.expected else total.sum_x end
            as sum_r,
        case when spread.is_adjusted then total.sum_rr else total.sum_xx end as sum_rr,
        row_number() over (
            partition by total.measure, total.instrument_id
            order by total.unit_id
        ) as place,
        count(*) over (partition by total.measure, total.instrument_id) as j,
        sum(total.n) over (partition by total.measure, total.instrument_id) as n_courses,
    from measure.total as total
    join ref.definition as definition
        on total.measure = definition.measure and definition.has_funnel
    join measure.spread as spread
        on
            total.period_id = spread.period_id
            and total.measure = spread.measure
            and total.instrument_id is not distinct from spread.instrument_id
    where total.level = 'therapist' and total.period_id = 'window' and total.n > 0
),

own as (
    select
        measure,
        instrument_id,
        max(j) as j,
        max(n_courses) as n_courses,
    from therapist
    group by measure, instrument_id
),

draw as (
    select
        own.measure,
        own.instrument_id,
        own.j,
        unnest(range(0, setting.draws + 1)) as draw,
    from own
    cross join setting
    where own.j >= setting.min_therapists and own.n_courses >= setting.min_courses
),

place as (
    select
        *,
        unnest(range(1, j + 1)) as place,
    from draw
),

pick as (
    select
        *,
        -- draw 0 is the service as it is
        case
            when draw = 0 then place
            else 1 + md5_number_lower(concat_ws('/', measure, instrument_id, draw, place)) % j
        end as picked,
    from place
),

summed as (
    select
        pick.measure,
        pick.instrument_id,
        pick.draw,
        count(*) as j,
        sum(therapist.n) as n,
        sum(therapist.n * therapist.n) as sum_nn,
        sum(therapist.sum_r) as sum_r,
        sum(therapist.sum_rr) as sum_rr,
        sum(therapist.sum_r * therapist.sum_r / therapist.n order by pick.place) as between_square,
    from pick
    join therapist
        on
            pick.measure = therapist.measure
            and pick.instrument_id is not distinct from therapist.instrument_id
            and pick.picked = therapist.place
    group by pick.measure, pick.instrument_id, pick.draw
),

moment as (
    select
        *,
        (sum_rr - between_square) / (n - j) as within_ms,
        (between_square - pow(sum_r, 2) / n) / (j - 1) as between_ms,
        (n - sum_nn / n) / (j - 1) as n_0,
    from summed
),

drawn as (
    select
        measure,
        instrument_id,
        draw,
        case
            when between_ms > within_ms
                then (between_ms - within_ms) / (between_ms + (n_0 - 1) * within_ms)
            else 0
        end as share,
    from moment
    where within_ms > 0
),

shares as (
    select
        measure,
        instrument_id,
        max(share) filter (where draw = 0) as share,
        quantile_cont(share, 0.025) filter (where draw > 0) as low,
        quantile_cont(share, 0.975) filter (where draw > 0) as high,
    from drawn
    group by measure, instrument_id
)

select
    own.measure::varchar as measure,
    own.instrument_id::varchar as instrument_id,
    own.j::integer as n_therapists,
    own.n_courses::integer as n,
    round(coalesce(shares.share, setting.literature_icc), 9)::decimal(18, 9) as share,
    round(shares.low, 9)::decimal(18, 9) as low,
    round(shares.high, 9)::decimal(18, 9) as high,
    (shares.share is not null)::boolean as is_own,
from own
left join shares
    on
        own.measure = shares.measure
        and own.instrument_id is not distinct from shares.instrument_id
cross join setting
