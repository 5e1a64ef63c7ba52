-- Funnel of one measure as a clinic's page prints it: what it shows, or why there is none.
--
-- grain:   measure, instrument_id?
-- inputs:  measure.icc, measure.overdispersion, measure.review, measure.signal_power,
--          ref.definition, ref.instrument, ref.period, ref.setting
-- columns: measure VARCHAR         measure
--          instrument_id VARCHAR   questionnaire; NULL where the measure is not per one
--          funnel_order INTEGER    order on the page
--          title VARCHAR           measure
--          period_label VARCHAR    window
--          better VARCHAR          higher or lower
--          is_drawn BOOLEAN        whether there is a funnel
--          outer_low DECIMAL(9,2)  lower 99.8 % limit, on the scale of the points
--          inner_low DECIMAL(9,2)  lower 95 % limit
--          inner_high DECIMAL(9,2) upper 95 % limit
--          outer_high DECIMAL(9,2) upper 99.8 % limit
--          why_not VARCHAR         why there is none; NULL drawn
--          spread_text VARCHAR     what lies beyond chance
--          power_text VARCHAR      what the signal rule can and cannot find
--          review_text VARCHAR     how many are on the review list, or why there is none
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'funnel_min_therapists')::integer as min_therapists,
        max(value) filter (where name = 'icc_min_therapists')::integer as list_therapists,
        max(value) filter (where name = 'icc_min_courses')::integer as list_courses,
        max(value) filter (where name = 'z_95') as z_95,
        max(value) filter (where name = 'z_998') as z_998,
    from ref.setting
),

told as (
    -- one row for either side is enough: the smaller power of the two
    select
        measure,
        instrument_id,
        max(n) as n,
        max(usual) as usual,
        max(in_one) filter (where true_difference = 0) as false_one,
        max(in_both) filter (where true_difference = 0) as false_both,
        min(in_one) filter (where true_difference <> 0) as true_one,
        min(in_both) filter (where true_difference <> 0) as true_both,
        max(true_difference) as difference,
    from measure.signal_power
    group by measure, instrument_id
),

listed as (
    select
        measure,
        instrument_id,
        count(*) filter (where is_listed) as n_listed,
        bool_and(is_listed is null) as is_unknown,
    from measure.review
    where period_id = 'window'
    group by measure, instrument_id
),

funnel as (
    select
        icc.measure,
        icc.instrument_id,
        definition.figure_order,
        definition.better,
        definition.kind,
        definition.label || coalesce(' (' || instrument.name || ')', '') as label,
        period.label as period_label,
        icc.n_therapists,
        overdispersion.phi,
        overdispersion.n_points,
        listed.n_listed,
        listed.is_unknown,
        told.n,
        told.usual,
        told.false_one,
        told.false_both,
        told.true_one,
        told.true_both,
        told.difference,
        setting.*,
    from measure.icc as icc
    join ref.definition as definition on icc.measure = definition.measure
    join ref.period as period on period.period_id = 'window'
    left join ref.instrument as instrument on icc.instrument_id = instrument.instrument_id
    left join measure.overdispersion as overdispersion
        on
            overdispersion.period_id = 'window'
            and overdispersion.method = 'corrected'
            and icc.measure = overdispersion.measure
            and icc.instrument_id is not distinct from overdispersion.instrument_id
    left join listed
        on
            icc.measure = listed.measure
            and icc.instrument_id is not distinct from listed.instrument_id
    left join told
        on icc.measure = told.measure and icc.instrument_id is not distinct from told.instrument_id
    cross join setting
)

select
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    (figure_order * 100 + row_number() over (
        partition by measure
        order by label, instrument_id
    ))::integer as funnel_order,
    label::varchar as title,
    period_label::varchar as period_label,
    better::varchar as better,
    (n_points is not null)::boolean as is_drawn,
    (-z_998)::decimal(9, 2) as outer_low,
    (-z_95)::decimal(9, 2) as inner_low,
    z_95::decimal(9, 2) as inner_high,
    z_998::decimal(9, 2) as outer_high,
    case
        when n_points is not null then null
        when n_therapists < min_therapists
            then
                'no funnel: ' || n_therapists::varchar || ' therapists have courses here, and a funnel takes '
                || min_therapists::varchar
        else 'no funnel: therapists may not be compared on this figure, or have too few courses'
    end::varchar as why_not,
    case
        when n_points is not null
            then
                n_points::varchar || ' therapists. Their distances spread '
                || round(phi, 1)::decimal(9, 1)::varchar
                || ' times as much as chance alone would make them (1 is chance); the limits allow for that.'
    end::varchar as spread_text,
    case
        when true_one is not null
            then
                'What the rule can find, at ' || n::varchar || ' courses in each year: a therapist whose true '
                || case kind
                    when 'rate'
                        then
                            'rate differs by ' || round(100 * difference)::integer::varchar
                            || ' percentage points from the service''s '
                            || round(100 * usual)::integer::varchar || ' %'
                    else
                        'mean differs by ' || round(difference, 1)::decimal(9, 1)::varchar
                        || ' standard deviations'
                end
                || ' lies beyond the outer limits in ' || round(100 * true_one, 1)::decimal(9, 1)::varchar
                || ' % of single years and gives a signal in '
                || round(100 * true_both, 1)::decimal(9, 1)::varchar
                || ' %. One who is like the service gives a false signal in fewer than '
                || case
                    when false_both < 0.0001 then '0.01' else
                        (ceil(10000 * false_both) / 100)::decimal(9, 2)::varchar
                end
                || ' %. No signal is no proof that all is well.'
    end::varchar as power_text,
    case
        when n_points is null then null
        when is_unknown
            then
                'No review list: it takes ' || list_therapists::varchar || ' therapists and '
                || list_courses::varchar || ' courses.'
        when n_listed = 0 then 'Nobody is on the review list.'
        else
            n_listed::varchar || ' of all therapists of the service are on the review list, of which on '
            || 'average at most one in ten is there by chance.'
    end::varchar as review_text,
from funnel
