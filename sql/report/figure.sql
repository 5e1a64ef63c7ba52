-- Figure as printed: numbers rounded, every text final. Months stand here where one of them is shown.
--
-- Longer than usual, because it has a column for every number and text of the page.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.published, ref.definition, ref.instrument, ref.period, ref.scale, ref.setting,
--          score.finished_course, score.protocol, score.talking_therapies, valid.clinic
-- columns: level VARCHAR                 service, clinic or therapist
--          unit_id VARCHAR               service, or the clinic's or therapist's id
--          clinic_id VARCHAR             clinic; NULL for the service
--          period_kind VARCHAR           year, quarter, month or financial_year; a therapist's year is the
--                                        newest window, which stands still until a month closes
--          period_id VARCHAR             period
--          period_label VARCHAR          period in words
--          period_start DATE             first day
--          period_end DATE               last day
--          period_state VARCHAR          unfinished: it, or the data of a clinic, do not reach its end;
--                                        settling: endings in it may still become known; settled
--          section VARCHAR               heading it stands under: outcome, alliance, endings, ...
--          figure_order INTEGER          order on the page
--          measure VARCHAR               measure
--          instrument_id VARCHAR         instrument; NULL where the measure is not per one
--          label VARCHAR                 what the figure is, in plain words
--          kind VARCHAR                  rate, mean or count
--          better VARCHAR                higher, lower or neither
--          value DECIMAL(9,4)            rate from 0 to 1, mean in scale units, or count; NULL withheld
--          low DECIMAL(9,4)              lower end of the 95 % interval
--          high DECIMAL(9,4)             upper end of the 95 % interval
--          n INTEGER                     denominator, or number of values
--          numerator INTEGER             numerator of a rate
--          n_eligible INTEGER            how many should have had a value
--          completeness DECIMAL(9,4)     share of the eligible whose value is known
--          worst DECIMAL(9,4)            rate if every unknown one went badly
--          best DECIMAL(9,4)             rate if every unknown one went well
--          shrunken DECIMAL(9,4)         therapists only: value drawn towards the service's mean
--          shrunken_low DECIMAL(9,4)     lower end of its 95 % interval
--          shrunken_high DECIMAL(9,4)    upper end of its 95 % interval
--          service_value DECIMAL(9,4)    the service's value
--          service_low DECIMAL(9,4)      lower end of its interval
--          service_high DECIMAL(9,4)     upper end of its interval
--          is_shown BOOLEAN              whether the value is shown
--          value_text VARCHAR            value as printed
--          interval_text VARCHAR         95 % interval as printed
--          n_text VARCHAR                counts as printed
--          completeness_text VARCHAR     completeness as printed
--          bounds_text VARCHAR           bounds as printed
--          shrunken_text VARCHAR         shrunken figure with its interval as printed
--          note VARCHAR                  why withheld, or the caution that goes with it; NULL
--                                        nothing to say
-- version: 7
with setting as (
    select
        max(value) filter (where name = 'paired_floor') as paired_floor,
        max(value) filter (where name = 'paired_full') as paired_full,
        max(value) filter (where name = 'reason_share') as reason_share,
        max(value) filter (where name = 'shrink_min_therapists') as min_therapists,
        max(value) filter (where name = 'gap_days') as gap_days,
    from ref.setting
),

data_reach as (
    -- a total reaches as far as the clinic that is most behind
    select
        clinic_id,
        if(data_through is not null, least(data_through, getvariable('as_of')::date), null) as reaches_to,
    from valid.clinic
    union all
    select
        null as clinic_id,
        if(
            min(data_through) is not null, least(min(data_through), getvariable('as_of')::date), null
        ) as reaches_to,
    from valid.clinic
),

inferred as (
    select distinct
        clinic_id,
        instrument_id,
    from score.protocol
    where is_inferred
    union
    select distinct
        null as clinic_id,
        instrument_id,
    from score.protocol
    where is_inferred
),

-- outcomes of courses judged by a threshold that nobody found in its source
unverified as (
    select
        finished.clinic_id,
        finished.period_id,
        count(*) as n_unverified,
    from score.finished_course as finished
    join score.talking_therapies as outcome on finished.episode_id = outcome.episode_id
    where finished.is_long_enough and not outcome.is_verified
    group by grouping sets ((finished.clinic_id, finished.period_id), (finished.period_id))
),

counted as (
    select
        *,
        max(n) filter (where level = 'service') over figures as service_n,
        max(n_eligible) filter (where level = 'service') over figures as service_n_eligible,
    from measure.published
    window figures as (partition by period_id, measure, instrument_id)
),

figure as (
    select
        published.*,
        -- where nobody else has such courses, the whole service is this very unit
        coalesce(published.n = published.service_n, false)
        and coalesce(published.n_eligible = published.service_n_eligible, published.kind = 'count') as is_whole,
        case
            when definition.section = 'talking_therapies' and published.level <> 'therapist'
                then unverified.n_unverified
        end as n_unverified,
        case period.period_kind when 'window' then 'year' else period.period_kind end as period_kind,
        period.label as period_label,
        period.period_start,
        period.period_end,
        case
            when period.is_partial or coalesce(data_reach.reaches_to < period.period_end, true)
                then 'unfinished'
            when definition.counts_endings and data_reach.reaches_to - period.period_end < setting.gap_days
                then 'settling'
            else 'settled'
        end as period_state,
        definition.section,
        definition.figure_order,
        definition.better,
        definition.label || coalesce(' (' || instrument.name || ')', '') as label,
        instrument.name as instrument_name,
        -- a short scale or a slope needs one more digit to say anything
        case
            when
                scale.range_max - scale.range_min <= 10
                or published.measure in (
                    'early_alliance_slope', 'effect_size', 'effect_size_adjusted', 'outcome_change'
                )
                then 2
            else 1
        end as digits,
        inferred.instrument_id is not null and definition.section = 'completeness' as is_inferred,
        definition.section in ('outcome', 'talking_therapies', 'index', 'alliance')
        and published.completeness < setting.paired_full as is_uncertain,
        round(100 * setting.paired_floor)::integer as floor_percent,
        round(100 * setting.reason_share)::integer as reason_percent,
        setting.min_therapists::integer as min_therapists,
    from counted as published
    join ref.definition as definition on published.measure = definition.measure
    join ref.period as period
        on
            published.period_id = period.period_id
            and case published.level
                when 'therapist' then period.period_id = 'window'
                else period.period_kind <> 'window'
            end
    left join ref.instrument as instrument on published.instrument_id = instrument.instrument_id
    left join
        ref.scale as scale
        on published.instrument_id = scale.instrument_id and scale.is_primary
    left join inferred
        on
            published.clinic_id is not distinct from inferred.clinic_id
            and published.instrument_id = inferred.instrument_id
    left join unverified
        on
            published.clinic_id is not distinct from unverified.clinic_id
            and published.period_id = unverified.period_id
    left join data_reach on published.clinic_id is not distinct from data_reach.clinic_id
    cross join setting
),

printed as (
    select
        *,
        case kind when 'rate' then ' %' else '' end as unit,
        [
            case
                when kind = 'rate' then round(100 * x)::integer::varchar
                when kind = 'count' then round(x)::integer::varchar
                when digits = 2 then round(x, 2)::decimal(18, 2)::varchar
                else round(x, 1)::decimal(18, 1)::varchar
            end for x in [
                value, low, high, least(worst, best), greatest(worst, best),
                shrunken, shrunken_low, shrunken_high
            ]
        ] as number,
        round(100 * completeness)::integer::varchar as completeness_number,
    from figure
),

written as (
    select
        *,
        number[1] || unit as value_text,
        number[2] || ' to ' || number[3] || unit as interval_text,
        case
            when kind = 'rate' then numerator::varchar || ' of ' || n::varchar
            when is_shown then n::varchar || ' courses'
        end as n_text,
        n_known::varchar || ' of ' || n_eligible::varchar || ' eligible (' || completeness_number || ' %)'
            as completeness_text,
        case
            when worst <> best
                then
                    number[4] || ' to ' || number[5] || unit
        end as bounds_text,
        number[6] || unit || ' (' || number[7] || ' to ' || number[8] || unit || ')'
            as shrunken_text,
        case withheld
            when 'nothing' then 'nothing to count in this period'
            when 'no data' then 'no valid score in this period'
            when 'unwanted' then 'not shown: the service publishes no figures of therapists'
            when
                'no agreement'
                then 'not shown: the service has stated no agreement that figures of therapists rest on'
            when
                'few therapists'
                then 'not shown: fewer than ' || min_therapists::varchar || ' therapists'
            when
                'not comparable'
                then
                    'not shown for therapists: early endings come months before planned completions, so'
                    || ' this share would condemn whoever is new in post'
            when 'too few' then 'too few to show (n < ' || minimum::varchar || ')'
            when
                'complement'
                then 'not shown: a smaller number beside it could be worked out from it'
            when 'no reasons'
                then
                    'not shown: fewer than ' || reason_percent::varchar
                    || ' % of endings carry a reason, and without one leaving cannot be told from'
                    || ' finishing'
            when 'incomplete'
                then
                    'withheld: outcome known for fewer than '
                    || floor_percent::varchar
                    || ' % of finished courses; the bounds are all that can be said'
        end as reason,
        concat_ws(
            '; ',
            case
                when is_shown and is_uncertain and worst is null
                    then
                        'known for ' || completeness_number
                        || ' % only: those without a score may differ'
            end,
            case
                when is_shown and is_uncertain and worst is not null
                    then
                        'outcome known for ' || completeness_number
                        || ' % only: read the bounds first'
                        || case when level = 'therapist' then ', not compared' else '' end
            end,
            case
                when is_shown and period_kind in ('month', 'financial_year') and period_state = 'unfinished'
                    then 'unfinished: the period or the data of a clinic do not reach its end'
                when is_shown and period_kind = 'month' and period_state = 'settling'
                    then 'not settled: endings in this month may still become known'
            end,
            case
                when is_shown and is_inferred
                    then 'what was expected is inferred from the clinic''s own rhythm'
            end,
            case
                when is_shown
                    then
                        n_unverified::varchar
                        || ' of these courses are judged by a threshold not yet found in its source'
            end,
            case
                when shrunken is not null and between_from = 'literature'
                    then 'drawn towards the service by the spread found in the literature'
            end
        ) as caution,
    from printed
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    clinic_id::varchar as clinic_id,
    period_kind::varchar as period_kind,
    period_id::varchar as period_id,
    period_label::varchar as period_label,
    period_start::date as period_start,
    period_end::date as period_end,
    period_state::varchar as period_state,
    section::varchar as section,
    (figure_order * 100 + dense_rank() over (
        partition by measure
        order by instrument_name nulls last
    ))::integer as figure_order,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    label::varchar as label,
    kind::varchar as kind,
    better::varchar as better,
    round(value, 4)::decimal(9, 4) as value,
    round(low, 4)::decimal(9, 4) as low,
    round(high, 4)::decimal(9, 4) as high,
    n::integer as n,
    numerator::integer as numerator,
    n_eligible::integer as n_eligible,
    round(completeness, 4)::decimal(9, 4) as completeness,
    round(worst, 4)::decimal(9, 4) as worst,
    round(best, 4)::decimal(9, 4) as best,
    round(shrunken, 4)::decimal(9, 4) as shrunken,
    round(shrunken_low, 4)::decimal(9, 4) as shrunken_low,
    round(shrunken_high, 4)::decimal(9, 4) as shrunken_high,
    case when not is_whole then round(service_value, 4) end::decimal(9, 4) as service_value,
    case when not is_whole then round(service_low, 4) end::decimal(9, 4) as service_low,
    case when not is_whole then round(service_high, 4) end::decimal(9, 4) as service_high,
    is_shown::boolean as is_shown,
    value_text::varchar as value_text,
    interval_text::varchar as interval_text,
    n_text::varchar as n_text,
    completeness_text::varchar as completeness_text,
    bounds_text::varchar as bounds_text,
    shrunken_text::varchar as shrunken_text,
    coalesce(reason, nullif(caution, ''))::varchar as note,
from written
-- months of which none can be shown say nothing beside the year's own reason
qualify
    period_kind <> 'month'
    or bool_or(is_shown) over (partition by level, unit_id, measure, instrument_id, period_kind)
