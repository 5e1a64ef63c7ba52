-- Spread between therapists beyond chance in one funnel, because no adjustment is complete.
--
-- Mean of the squared z-scores, drawn in at each end so that those who stand out do not hide
-- themselves; from it the variance between units by moments. Drawing in also makes the mean square
-- of mere chance smaller than one: left like that, as published, limits come out too narrow. So it
-- is divided by what chance alone would give with as many units. Both are kept, by name.
--
-- grain:   period_id, measure, instrument_id?, method
-- inputs:  measure.funnel_point, ref.setting
-- columns: period_id VARCHAR          window
--          measure VARCHAR            measure
--          instrument_id VARCHAR      questionnaire; NULL where the measure is not per one
--          method VARCHAR             corrected, or published
--          n_points INTEGER           therapists
--          phi DECIMAL(18,9)          mean square; 1 is chance alone
--          tau_squared DECIMAL(18,9)  variance between therapists beyond chance, per course
-- version: 1
-- source:  Spiegelhalter 2005, Stat Med 24:1185-1202 and Qual Saf Health Care 14:347-351;
--          DerSimonian & Laird 1986, Control Clin Trials 7:177-188; the correction is Rapport's own
with setting as (
    select
        max(value) filter (where name = 'winsor_share')::double as share,
        max(value) filter (where name = 'winsor_null')::double as null_square,
        max(value) filter (where name = 'winsor_null_per_unit')::double as null_per_unit,
    from ref.setting
),

scored as (
    select
        point.*,
        point.deviation::double / point.standard_error::double as z,
        1 / pow(point.standard_error::double, 2) as weight,
        setting.*,
    from measure.funnel_point as point
    cross join setting
),

ordered as (
    select
        *,
        row_number() over by_z - 1 as place,
        count(*) over in_all - 1 as last_place,
        (count(*) over in_all - 1) * share as edge_place,
    from scored
    window
        by_z as (partition by period_id, measure, instrument_id order by z, unit_id),
        in_all as (partition by period_id, measure, instrument_id)
),

edge as (
    -- quantiles by linear interpolation between neighbours
    select
        period_id,
        measure,
        instrument_id,
        max(edge_place) - floor(max(edge_place)) as step,
        max(z) filter (where place = floor(edge_place)) as low,
        max(z) filter (where place = ceil(edge_place)) as low_next,
        max(z) filter (where last_place - place = floor(edge_place)) as high,
        max(z) filter (where last_place - place = ceil(edge_place)) as high_next,
    from ordered
    group by period_id, measure, instrument_id
),

drawn as (
    select
        scored.*,
        least(
            greatest(scored.z, edge.low + edge.step * (edge.low_next - edge.low)),
            edge.high + edge.step * (edge.high_next - edge.high)
        ) as z_drawn,
    from scored
    join edge
        on
            scored.period_id = edge.period_id
            and scored.measure = edge.measure
            and scored.instrument_id is not distinct from edge.instrument_id
),

summed as (
    select
        period_id,
        measure,
        instrument_id,
        count(*) as j,
        sum(z_drawn * z_drawn order by unit_id) / count(*) as mean_square,
        max(null_square) + max(null_per_unit) / count(*) as by_chance,
        sum(weight order by unit_id) as w,
        sum(weight * weight order by unit_id) as ww,
    from drawn
    group by period_id, measure, instrument_id
),

named as (
    select
        *,
        unnest(['corrected', 'published']) as method,
    from summed
),

by_method as (
    select
        *,
        case method when 'corrected' then mean_square / by_chance else mean_square end as phi,
    from named
)

select
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    method::varchar as method,
    j::integer as n_points,
    round(phi, 9)::decimal(18, 9) as phi,
    round(case when j * phi > j - 1 then (j * phi - (j - 1)) / (w - ww / w) else 0 end, 9)::decimal(
        18, 9
    ) as tau_squared,
from by_method
