-- A therapist's figure beside what was to be expected of the same patients, as printed.
--
-- grain:   therapist_id, measure, instrument_id?
-- inputs:  measure.deviation, measure.icc, measure.overdispersion, measure.published,
--          measure.ratio, measure.shared_course, measure.signal, ref.definition, ref.instrument,
--          ref.period, ref.setting
-- columns: therapist_id VARCHAR      therapist
--          measure VARCHAR           measure
--          instrument_id VARCHAR     questionnaire; NULL where the measure is not per one
--          comparison_order INTEGER  order on the page
--          label VARCHAR             what is compared
--          period_label VARCHAR      window
--          n_text VARCHAR            counts
--          crude_text VARCHAR        value as it is
--          expected_text VARCHAR     what was to be expected of these patients; NULL no model
--          adjusted_text VARCHAR     value with the service's average patients; NULL no model
--          drawn_text VARCHAR        that, drawn towards the service, with its interval
--          ratio_text VARCHAR        events observed over events expected, with both intervals; NULL
--                                    no event, no model, or too few expected
--          range_text VARCHAR        range in which 95 of 100 therapists with so many courses and such
--                                    patients lie; NULL no funnel
--          share_text VARCHAR        share of variance that goes with therapists
--          signal_text VARCHAR       what the signal rule says
--          shared_text VARCHAR       how far therapists' figures move at most without courses of
--                                    several therapists, and how many these are; NULL too few to say
-- version: 5
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z,
        max(value) filter (where name = 'minimum_shown') as minimum_shown,
        max(value) filter (where name = 'signal_min_expected') as min_expected,
        max(value) filter (where name = 'funnel_min_courses')::integer as min_courses,
        max(value) filter (where name = 'funnel_min_therapists')::integer as min_therapists,
    from ref.setting
),

compared as (
    select
        published.*,
        definition.figure_order,
        definition.label || coalesce(' (' || instrument.name || ')', '') as label,
        period.label as period_label,
        setting.z * sqrt(
            pow(deviation.standard_error::double, 2) + overdispersion.tau_squared::double
        ) as reach,
        coalesce(published.expected, deviation.usual)::double as middle,
        icc.share,
        icc.low as share_low,
        icc.high as share_high,
        icc.is_own,
        icc.n_therapists,
        signal.is_enough,
        signal.is_signal,
        signal.zone,
        signal.unit_id is not null as has_point,
        shared.n as n_courses,
        shared.n_shared,
        shared.moves_most,
        setting.minimum_shown,
        setting.min_courses,
        setting.min_therapists,
        ratio.expected >= setting.min_expected as has_ratio,
        [
            ratio.expected, ratio.ratio, ratio.low, ratio.high, ratio.shrunken,
            ratio.shrunken_low, ratio.shrunken_high
        ] as ratios,
    from measure.published as published
    join ref.definition as definition
        on published.measure = definition.measure and definition.has_funnel
    join ref.period as period on published.period_id = period.period_id
    left join ref.instrument as instrument on published.instrument_id = instrument.instrument_id
    left join measure.deviation as deviation
        on
            published.unit_id = deviation.unit_id
            and published.period_id = deviation.period_id
            and published.measure = deviation.measure
            and published.instrument_id is not distinct from deviation.instrument_id
    left join measure.ratio as ratio
        on
            published.unit_id = ratio.unit_id
            and published.period_id = ratio.period_id
            and published.measure = ratio.measure
            and published.instrument_id is not distinct from ratio.instrument_id
    left join measure.overdispersion as overdispersion
        on
            overdispersion.method = 'corrected'
            and published.period_id = overdispersion.period_id
            and published.measure = overdispersion.measure
            and published.instrument_id is not distinct from overdispersion.instrument_id
    left join measure.icc as icc
        on
            published.measure = icc.measure
            and published.instrument_id is not distinct from icc.instrument_id
    left join measure.signal as signal
        on
            published.unit_id = signal.unit_id
            and published.measure = signal.measure
            and published.instrument_id is not distinct from signal.instrument_id
    left join measure.shared_course as shared
        on
            published.measure = shared.measure
            and published.instrument_id is not distinct from shared.instrument_id
    cross join setting
    where published.level = 'therapist' and published.period_id = 'window' and published.is_compared
),

number as (
    select
        *,
        case kind when 'rate' then ' %' else '' end as unit,
        [
            case
                when kind = 'rate' then round(100 * least(greatest(x, 0), 1))::integer::varchar
                else round(x, 2)::decimal(18, 2)::varchar
            end for x in [
                value, expected, adjusted, shrunken, shrunken_low, shrunken_high,
                middle - reach, middle + reach
            ]
        ] as told,
        [round(x, 1)::decimal(18, 1)::varchar for x in ratios] as times,
    from compared
)

select
    unit_id::varchar as therapist_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    (figure_order * 100 + row_number() over (
        partition by unit_id, measure
        order by label, instrument_id
    ))::integer as comparison_order,
    label::varchar as label,
    period_label::varchar as period_label,
    case kind when 'rate' then numerator::varchar || ' of ' || n::varchar else n::varchar || ' courses'
    end::varchar as n_text,
    (told[1] || unit)::varchar as crude_text,
    case when expected is not null then told[2] || unit end::varchar as expected_text,
    case when adjusted is not null then told[3] || unit end::varchar as adjusted_text,
    case
        when shrunken is not null then told[4] || unit || ' (' || told[5] || ' to ' || told[6] || unit || ')'
    end::varchar as drawn_text,
    case
        when has_ratio
            then
                format(
                    '{} where {} were to be expected: {} times as many ({} to {}); drawn towards the '
                    || 'service {} ({} to {}).',
                    numerator, times[1], times[2], times[3], times[4], times[5], times[6],
                    times[7]
                )
    end::varchar as ratio_text,
    case when has_point and reach is not null then told[7] || ' to ' || told[8] || unit end::varchar
        as range_text,
    case
        when is_own
            then
                'In this service ' || round(100 * share)::integer::varchar || ' % ('
                || round(100 * share_low)::integer::varchar || ' to '
                || round(100 * share_high)::integer::varchar
                || ' %) of the differences between patients go with the therapist.'
        else
            'This service has too few therapists or courses to say how much goes with the therapist; '
            || 'the literature finds about ' || round(100 * share)::integer::varchar || ' %.'
    end::varchar as share_text,
    case
        when not has_point and n < min_courses
            then
                'No usual range: it takes ' || min_courses::varchar || ' courses, and here are '
                || n::varchar || '.'
        when not has_point and n_therapists < min_therapists
            then
                'No usual range: it takes ' || min_therapists::varchar || ' therapists with courses on this '
                || 'figure, and there are ' || n_therapists::varchar || '.'
        when not has_point then 'No usual range: therapists may not be compared on this figure.'
        when is_signal
            then
                'Beyond the outer limits on the same side in two years that follow each other: a reason to '
                || 'look at the data, then at the patients, then at the caseload, and only then at practice.'
        when not is_enough then 'No signal possible: too few courses in one of the two years.'
        when zone = 'within' then 'Within the usual range: nothing follows from where it lies.'
        else 'Outside the inner limits in this year alone: that happens by chance, and is no signal.'
    end::varchar as signal_text,
    case
        when n_shared >= minimum_shown and moves_most is not null
            then
                case
                    when kind = 'rate' then round(100 * moves_most, 1)::decimal(9, 1)::varchar || ' percentage points'
                    else round(moves_most, 2)::decimal(9, 2)::varchar
                end
                || ' (' || n_shared::varchar || ' of ' || n_courses::varchar || ' courses of the service)'
    end::varchar as shared_text,
from number
