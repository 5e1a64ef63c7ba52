-- Therapist on the review list of a measure: those whose distance from what was to be expected is
-- hardly all by chance, of so many looked at at once.
--
-- Of those listed at most the stated share is there by chance, on average. The list is for
-- looking at the data, and then for a conversation. It has no order.
--
-- grain:   unit_id, period_id, measure, instrument_id?
-- inputs:  measure.funnel, ref.setting
-- columns: unit_id VARCHAR         therapist
--          period_id VARCHAR       window
--          measure VARCHAR         measure
--          instrument_id VARCHAR   questionnaire; NULL where the measure is not per one
--          is_listed BOOLEAN       whether the therapist is on the list; NULL where there are too
--                                  few therapists or courses for one
-- version: 1
-- source:  Benjamini & Hochberg 1995, J R Stat Soc B 57:289-300
with setting as (
    select
        max(value) filter (where name = 'review_q')::double as q,
        max(value) filter (where name = 'icc_min_therapists') as min_therapists,
        max(value) filter (where name = 'icc_min_courses') as min_courses,
    from ref.setting
),

ordered as (
    select
        unit_id,
        period_id,
        measure,
        instrument_id,
        p,
        row_number() over (
            partition by period_id, measure, instrument_id
            order by p, unit_id
        ) as place,
        count(*) over (partition by period_id, measure, instrument_id) as j,
        sum(n) over (partition by period_id, measure, instrument_id) as n_courses,
    from measure.funnel
    where method = 'corrected'
),

cut as (
    select
        ordered.period_id,
        ordered.measure,
        ordered.instrument_id,
        max(ordered.p) as largest,
    from ordered
    cross join setting
    where ordered.p <= ordered.place * setting.q / ordered.j
    group by ordered.period_id, ordered.measure, ordered.instrument_id
)

select
    ordered.unit_id::varchar as unit_id,
    ordered.period_id::varchar as period_id,
    ordered.measure::varchar as measure,
    ordered.instrument_id::varchar as instrument_id,
    case
        when ordered.j >= setting.min_therapists and ordered.n_courses >= setting.min_courses
            then coalesce(ordered.p <= cut.largest, false)
    end::boolean as is_listed,
from ordered
left join cut
    on
        ordered.period_id = cut.period_id
        and ordered.measure = cut.measure
        and ordered.instrument_id is not distinct from cut.instrument_id
cross join setting
