-- Figure as it may be published: unrounded, with what is withheld taken out and the reason named.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.disclosure, measure.estimate, measure.nested_period, ref.definition
-- columns: level VARCHAR                service, clinic or therapist
--          unit_id VARCHAR              service, or the clinic's or therapist's id
--          clinic_id VARCHAR            clinic; NULL for the service
--          period_id VARCHAR            period
--          measure VARCHAR              measure
--          instrument_id VARCHAR        instrument; NULL where the measure is not per one
--          kind VARCHAR                 rate, mean or count
--          definition_version VARCHAR   version of the measure's definition
--          value DECIMAL(18,9)          rate from 0 to 1, or mean in scale units
--          low DECIMAL(18,9)            lower end of the 95 % interval
--          high DECIMAL(18,9)           upper end of the 95 % interval
--          n INTEGER                    denominator, or number of values
--          numerator INTEGER            numerator of a rate
--          n_eligible INTEGER           how many should have had a value
--          n_known INTEGER              of these, how many have one
--          completeness DECIMAL(18,9)   n_known over n_eligible
--          worst DECIMAL(18,9)          rate over all eligible if every unknown one went badly
--          best DECIMAL(18,9)           rate over all eligible if every unknown one went well
--          expected DECIMAL(18,9)       what was to be expected of these patients; NULL no model, or
--                                       not to be compared
--          adjusted DECIMAL(18,9)       value with the service's average patients
--          shrunken DECIMAL(18,9)       therapists only: adjusted value, or value where there is
--                                       none, drawn towards the service's
--          shrunken_low DECIMAL(18,9)   lower end of its 95 % interval
--          shrunken_high DECIMAL(18,9)  upper end of its 95 % interval
--          between_from VARCHAR         where the spread between therapists comes from
--          service_value DECIMAL(18,9)  the service's value beside a clinic's or therapist's
--          service_low DECIMAL(18,9)    lower end of its interval
--          service_high DECIMAL(18,9)   upper end of its interval
--          minimum INTEGER              smallest denominator shown
--          withheld VARCHAR             why the value is not shown; NULL shown
--          is_shown BOOLEAN             whether the value is shown
--          is_compared BOOLEAN          whether therapists may be compared on it
-- version: 4
with figure as (
    select
        estimate.*,
        definition.version as definition_version,
        definition.better,
        disclosure.minimum,
        case
            when disclosure.is_counted or disclosure.withheld in ('nothing', 'no data')
                then coalesce(nested.withheld, disclosure.withheld)
            else disclosure.withheld
        end as withheld,
        disclosure.is_shown and nested.withheld is null as is_shown,
        disclosure.is_counted and nested.withheld is null as is_counted,
        disclosure.is_compared,
        estimate.level <> 'service'
        and (estimate.level <> 'therapist' or disclosure.is_compared) as is_beside_service,
        service.value as service_value,
        service.low as service_low,
        service.high as service_high,
    from measure.estimate as estimate
    join measure.disclosure as disclosure
        on
            estimate.level = disclosure.level
            and estimate.unit_id = disclosure.unit_id
            and estimate.period_id = disclosure.period_id
            and estimate.measure = disclosure.measure
            and estimate.instrument_id is not distinct from disclosure.instrument_id
    join ref.definition as definition on estimate.measure = definition.measure
    left join measure.nested_period as nested
        on
            estimate.level = nested.level
            and estimate.unit_id = nested.unit_id
            and estimate.period_id = nested.period_id
            and estimate.measure = nested.measure
            and estimate.instrument_id is not distinct from nested.instrument_id
    left join measure.disclosure as service_shown
        on
            service_shown.level = 'service'
            and service_shown.is_shown
            and estimate.period_id = service_shown.period_id
            and estimate.measure = service_shown.measure
            and estimate.instrument_id is not distinct from service_shown.instrument_id
    left join measure.estimate as service
        on
            service_shown.level = service.level
            and service_shown.unit_id = service.unit_id
            and service_shown.period_id = service.period_id
            and service_shown.measure = service.measure
            and service_shown.instrument_id is not distinct from service.instrument_id
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    clinic_id::varchar as clinic_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    kind::varchar as kind,
    definition_version::varchar as definition_version,
    case when is_shown then value end::decimal(18, 9) as value,
    case when is_shown then low end::decimal(18, 9) as low,
    case when is_shown then high end::decimal(18, 9) as high,
    case when is_counted then n end::integer as n,
    case when is_shown then numerator end::integer as numerator,
    case when is_counted then n_eligible end::integer as n_eligible,
    case when is_counted then n_known end::integer as n_known,
    case when is_counted then completeness end::decimal(18, 9) as completeness,
    case
        when is_counted then case better when 'lower' then bound_high else bound_low end
    end::decimal(18, 9) as worst,
    case
        when is_counted then case better when 'lower' then bound_low else bound_high end
    end::decimal(18, 9) as best,
    case when is_compared then expected end::decimal(18, 9) as expected,
    case when is_compared then adjusted end::decimal(18, 9) as adjusted,
    case when is_compared then shrunken end::decimal(18, 9) as shrunken,
    case when is_compared then shrunken_low end::decimal(18, 9) as shrunken_low,
    case when is_compared then shrunken_high end::decimal(18, 9) as shrunken_high,
    case when is_compared then between_from end::varchar as between_from,
    case when is_beside_service then service_value end::decimal(18, 9) as service_value,
    case when is_beside_service then service_low end::decimal(18, 9) as service_low,
    case when is_beside_service then service_high end::decimal(18, 9) as service_high,
    minimum::integer as minimum,
    withheld::varchar as withheld,
    is_shown::boolean as is_shown,
    is_compared::boolean as is_compared,
from figure
-- one of the two ending rates takes the other's place
where
    withheld is null
    or withheld not in ('no reasons', 'reasons')
    or measure not in ('early_ending', 'stopped_coming')
