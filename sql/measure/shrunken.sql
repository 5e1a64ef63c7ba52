-- A therapist's figure drawn towards the service's as far as the caseload is small.
--
-- How much therapists really differ is itself uncertain, the more so the fewer they are. So the
-- figure is worked out for every size that the spread between them may have, and the results are
-- weighed by how well each size agrees with the data (Gelman et al. 2013, Bayesian Data Analysis,
-- ch. 5.4). With enough therapists a size counts the less beforehand the nearer it is to none (Chung
-- et al. 2013, Psychometrika 78:685-709): where little goes with the therapist, intervals that take
-- none for likely cover the truth too seldom. With fewer therapists small shares of the variance are
-- preferred, around the one that the literature finds.
--
-- Over twelve months only.
--
-- grain:   unit_id, period_id, measure, instrument_id?
-- inputs:  measure.deviation, measure.spread, ref.period, ref.setting
-- columns: unit_id VARCHAR              therapist
--          period_id VARCHAR            period
--          measure VARCHAR              measure
--          instrument_id VARCHAR        questionnaire; NULL where the measure is not per one
--          difference DECIMAL(18,9)     deviation, drawn in
--          difference_sd DECIMAL(18,9)  its standard deviation
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'shrink_steps')::integer as steps,
        max(value) filter (where name = 'shrink_spread_power')::double as spread_power,
        max(value) filter (where name = 'literature_icc')::double as literature_icc,
    from ref.setting
),

therapist as (
    select
        deviation.unit_id,
        deviation.period_id,
        deviation.measure,
        deviation.instrument_id,
        deviation.deviation::double as y,
        pow(deviation.standard_error::double, 2) as error_variance,
        spread.variance_within::double as variance_within,
        spread.between_from,
    from measure.deviation as deviation
    -- a therapist's quarter is a handful of courses
    join ref.period as period
        on deviation.period_id = period.period_id and period.period_kind in ('year', 'window')
    join measure.spread as spread
        on
            deviation.period_id = spread.period_id
            and deviation.measure = spread.measure
            and deviation.instrument_id is not distinct from spread.instrument_id
    where
        spread.between_from <> 'none' and spread.variance_within > 0
        and deviation.standard_error > 0
),

step as (
    select
        unnest(range(1, setting.steps + 1)) as step,
        setting.steps,
        setting.spread_power,
        setting.literature_icc,
    from setting
),

point as (
    -- up to a share of one half of the variance
    select
        therapist.*,
        step.step,
        step.spread_power,
        step.literature_icc,
        therapist.variance_within * pow((step.step - 0.5) / step.steps, 2) as between_variance,
    from therapist
    cross join step
),

summed as (
    select
        period_id,
        measure,
        instrument_id,
        step,
        max(between_variance) as between_variance,
        max(variance_within) as variance_within,
        max(between_from) as between_from,
        max(spread_power) as spread_power,
        max(literature_icc) as literature_icc,
        -- sums of decimals do not depend on the order, and take less memory than ordered ones
        sum((1 / (error_variance + between_variance))::decimal(38, 15)) as w,
        sum((y / (error_variance + between_variance))::decimal(38, 15)) as wy,
        sum((y * y / (error_variance + between_variance))::decimal(38, 15)) as wyy,
        sum(ln(error_variance + between_variance)::decimal(38, 15)) as log_v,
    from point
    group by period_id, measure, instrument_id, step
),

agreement as (
    select
        *,
        wy::double / w::double as centre,
        -0.5 * (log_v::double + ln(w) + wyy::double - wy::double * wy::double / w::double)
        + case between_from
            when 'literature'
                then
                    -between_variance / (between_variance + variance_within) / literature_icc
                    + 0.5 * ln(between_variance) - 2 * ln(between_variance + variance_within)
            else spread_power * 0.5 * ln(between_variance)
        end as log_weight,
    from summed
),

weighed as (
    select
        *,
        exp(log_weight - max(log_weight) over (partition by period_id, measure, instrument_id))
            as weight,
    from agreement
),

drawn as (
    select
        point.unit_id,
        point.period_id,
        point.measure,
        point.instrument_id,
        point.step,
        weighed.weight,
        weighed.centre
        + point.between_variance / (point.between_variance + point.error_variance) * (point.y - weighed.centre)
            as middle,
        point.between_variance / (point.between_variance + point.error_variance) * point.error_variance
        + pow(point.error_variance / (point.between_variance + point.error_variance), 2) / weighed.w
            as variance,
    from point
    join weighed
        on
            point.period_id = weighed.period_id
            and point.measure = weighed.measure
            and point.instrument_id is not distinct from weighed.instrument_id
            and point.step = weighed.step
),

averaged as (
    select
        unit_id,
        period_id,
        measure,
        instrument_id,
        sum((weight * middle)::decimal(38, 15))::double as middle,
        sum((weight * (variance + middle * middle))::decimal(38, 15))::double as square,
        sum(weight::decimal(38, 15))::double as weight,
    from drawn
    group by unit_id, period_id, measure, instrument_id
),

scaled as (
    select
        *,
        middle / weight as mean,
        square / weight - pow(middle / weight, 2) as variance,
    from averaged
)

select
    unit_id::varchar as unit_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    round(mean, 9)::decimal(18, 9) as difference,
    round(sqrt(case when variance > 0 then variance else 0 end), 9)::decimal(18, 9)
        as difference_sd,
from scaled
