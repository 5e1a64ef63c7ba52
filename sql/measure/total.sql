-- Counts and sums of one measure for one unit and period; every unit, period and measure has its
-- row, but for periods that are not for its level.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.case_mix_total, measure.every_measure, measure.unit, ref.definition, ref.period
-- columns: level VARCHAR           service, clinic or therapist
--          unit_id VARCHAR         service, or the clinic's or therapist's id
--          clinic_id VARCHAR       clinic; NULL for the service
--          period_id VARCHAR       period
--          measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one, or the clinic
--                                  uses none
--          kind VARCHAR            rate, mean or count
--          n INTEGER               denominator, or number of values
--          numerator INTEGER       numerator of a rate; NULL for a mean
--          sum_x DECIMAL(38,6)     sum of values; of a rate its numerator
--          sum_xx DECIMAL(38,6)    sum of squares; of a rate its numerator
--          n_eligible INTEGER      how many should have had a value
--          n_known INTEGER         of these, how many have one
--          numerator_low INTEGER   numerator over all eligible, unknown ones as no; NULL not
--                                  applicable
--          numerator_high INTEGER  numerator over all eligible, unknown ones as yes; NULL not
--                                  applicable
--          expected DECIMAL(38,12) sum of what was expected of the same courses; NULL where there
--                                  is no model in use, or it does not cover them all
--          expected_variance DECIMAL(38,12) its variance if therapists did not differ; NULL for a
--                                  mean
--          sum_rr DECIMAL(38,12)   sum of squares of observed less expected
-- version: 3
with counted as (
    select
        every.clinic_id,
        every.therapist_id,
        every.period_id,
        every.measure,
        every.instrument_id,
        every.n,
        every.numerator,
        coalesce(every.sum_x, every.numerator) as sum_x,
        coalesce(every.sum_xx, every.numerator) as sum_xx,
        every.n_eligible,
        coalesce(every.n_known, every.n) as n_known,
        every.numerator_low,
        every.numerator_high,
        case_mix.n as n_expected,
        case_mix.expected,
        case_mix.expected_variance,
        case_mix.sum_rr,
    from measure.every_measure as every
    left join measure.case_mix_total as case_mix
        on
            every.clinic_id = case_mix.clinic_id
            and every.therapist_id is not distinct from case_mix.therapist_id
            and every.period_id = case_mix.period_id
            and every.measure = case_mix.measure
            and every.instrument_id is not distinct from case_mix.instrument_id
),

level as (
    select level, from measure.unit
    group by level
),

added as (
    select
        level.level,
        case level.level
            when 'service' then 'service'
            when 'clinic' then counted.clinic_id
            else counted.therapist_id
        end as unit_id,
        counted.period_id,
        counted.measure,
        counted.instrument_id,
        sum(counted.n) as n,
        sum(counted.numerator) as numerator,
        sum(counted.sum_x) as sum_x,
        sum(counted.sum_xx) as sum_xx,
        sum(counted.n_eligible) as n_eligible,
        sum(counted.n_known) as n_known,
        sum(counted.numerator_low) as numerator_low,
        sum(counted.numerator_high) as numerator_high,
        sum(counted.n_expected) = sum(counted.n) as is_covered,
        sum(counted.expected) as expected,
        sum(counted.expected_variance) as expected_variance,
        sum(counted.sum_rr) as sum_rr,
    from counted
    join ref.period as period on counted.period_id = period.period_id
    join level on coalesce(list_contains(period.levels, level.level), true)
    where level.level <> 'therapist' or counted.therapist_id is not null
    group by all
),

used as (
    -- which questionnaires a measure is about in a clinic, and in the service
    select distinct
        clinic_id,
        measure,
        instrument_id,
    from counted
    union
    select distinct
        null as clinic_id,
        measure,
        instrument_id,
    from counted
),

wanted as (
    select
        unit.level,
        unit.unit_id,
        unit.clinic_id,
        period.period_id,
        definition.measure,
        definition.kind,
        used.instrument_id,
    from measure.unit as unit
    cross join ref.definition as definition
    join ref.period as period on coalesce(list_contains(period.levels, unit.level), true)
    left join used
        on unit.clinic_id is not distinct from used.clinic_id and definition.measure = used.measure
    where
        definition.is_where_used is not true
        or (used.measure is not null and list_contains(definition.levels, unit.level))
)

select
    wanted.level::varchar as level,
    wanted.unit_id::varchar as unit_id,
    wanted.clinic_id::varchar as clinic_id,
    wanted.period_id::varchar as period_id,
    wanted.measure::varchar as measure,
    wanted.instrument_id::varchar as instrument_id,
    wanted.kind::varchar as kind,
    coalesce(added.n, 0)::integer as n,
    case when wanted.kind = 'rate' then coalesce(added.numerator, 0) end::integer as numerator,
    coalesce(added.sum_x, 0)::decimal(38, 6) as sum_x,
    coalesce(added.sum_xx, 0)::decimal(38, 6) as sum_xx,
    coalesce(added.n_eligible, 0)::integer as n_eligible,
    coalesce(added.n_known, 0)::integer as n_known,
    added.numerator_low::integer as numerator_low,
    added.numerator_high::integer as numerator_high,
    case when added.is_covered then added.expected end::decimal(38, 12) as expected,
    case when added.is_covered then added.expected_variance end::decimal(38, 12)
        as expected_variance,
    case when added.is_covered then added.sum_rr end::decimal(38, 12) as sum_rr,
from wanted
left join added
    on
        wanted.level = added.level
        and wanted.unit_id = added.unit_id
        and wanted.period_id = added.period_id
        and wanted.measure = added.measure
        and wanted.instrument_id is not distinct from added.instrument_id
