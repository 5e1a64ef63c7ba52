-- Share of the differences between patients that goes with the therapist, with its interval; the
-- literature's where the service is too small to say.
--
-- On observed less expected, by restricted likelihood: the share that agrees best with the data, and
-- all shares that the data do not speak against. Caseloads may be of any size.
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
-- version: 2
-- source:  Searle, Casella & McCulloch 1992, Variance Components, ch. 6; the literature's share: Johns
--          et al. 2019, doi 10.1016/j.cpr.2018.08.004
with setting as (
    select
        max(value) filter (where name = 'icc_min_therapists') as min_therapists,
        max(value) filter (where name = 'icc_min_courses') as min_courses,
        max(value) filter (where name = 'icc_steps')::integer as steps,
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'literature_icc') as literature_icc,
    from ref.setting
),

therapist as (
    select
        total.measure,
        total.instrument_id,
        total.n,
        (case when spread.is_adjusted then total.sum_x - total.expected else total.sum_x end)::double
            as sum_r,
        case when spread.is_adjusted then total.sum_rr else total.sum_xx end as sum_rr,
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
        count(*) as j,
        sum(n) as n_courses,
        (sum(sum_rr) - sum((sum_r * sum_r / n)::decimal(38, 12)))::double as within_square,
    from therapist
    group by measure, instrument_id
),

enough as (
    select own.*,
    from own
    cross join setting
    where
        own.j >= setting.min_therapists
        and own.n_courses >= setting.min_courses
        and own.within_square > 0
),

step as (
    -- how much therapists would vary for one of what their courses do
    select
        step / steps as share,
        step / (steps - step) as ratio,
    from (
        select
            unnest(range(0, steps)) as step,
            steps,
        from setting
    ) as numbered
),

summed as (
    -- sums of decimals do not depend on the order
    select
        therapist.measure,
        therapist.instrument_id,
        step.share,
        sum((1 / (step.ratio + 1 / therapist.n))::decimal(38, 15))::double as w,
        sum((therapist.sum_r / therapist.n / (step.ratio + 1 / therapist.n))::decimal(38, 15))::double
            as wy,
        sum(
            (pow(therapist.sum_r / therapist.n, 2) / (step.ratio + 1 / therapist.n))::decimal(38, 15)
        )::double as wyy,
        sum(ln(step.ratio + 1 / therapist.n)::decimal(38, 15))::double as log_v,
    from therapist
    join enough
        on
            therapist.measure = enough.measure
            and therapist.instrument_id is not distinct from enough.instrument_id
    cross join step
    group by therapist.measure, therapist.instrument_id, step.share
),

agreement as (
    -- minus twice the log likelihood, but for a constant
    select
        summed.measure,
        summed.instrument_id,
        summed.share,
        (enough.n_courses - 1)
        * ln(enough.within_square + summed.wyy - summed.wy * summed.wy / summed.w)
        + summed.log_v
        + ln(summed.w) as deviance,
    from summed
    join enough
        on
            summed.measure = enough.measure
            and summed.instrument_id is not distinct from enough.instrument_id
),

best as (
    select
        *,
        min(deviance) over (partition by measure, instrument_id) as lowest,
    from agreement
),

shares as (
    select
        best.measure,
        best.instrument_id,
        arg_min(best.share, (best.deviance, best.share)) as share,
        min(best.share) as low,
        max(best.share) as high,
    from best
    cross join setting
    where best.deviance <= best.lowest + setting.z * setting.z
    group by best.measure, best.instrument_id
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
