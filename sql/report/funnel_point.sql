-- Point of a funnel as drawn: without a name until the signal rule fires.
--
-- The order is that of a hash, so that nothing can be read from it.
--
-- grain:   measure, instrument_id?, point
-- inputs:  measure.funnel, measure.signal, report.therapist
-- columns: measure VARCHAR         measure
--          instrument_id VARCHAR   questionnaire; NULL where the measure is not per one
--          point INTEGER           number of the point; says nothing
--          clinic_id VARCHAR       clinic
--          n INTEGER               courses
--          distance DECIMAL(9,2)   distance from what was to be expected, in standard errors that
--                                  allow for the usual spread
--          zone VARCHAR            within, above 95, below 95, above 99.8 or below 99.8
--          label VARCHAR           therapist, where the signal rule fires; else NULL
--          n_text VARCHAR          courses as printed
--          distance_text VARCHAR   distance as printed
--          zone_text VARCHAR       place as printed
-- version: 1
select
    funnel.measure::varchar as measure,
    funnel.instrument_id::varchar as instrument_id,
    (row_number() over (
        partition by funnel.measure, funnel.instrument_id
        order by md5(concat_ws('/', funnel.measure, funnel.instrument_id, funnel.unit_id))
    ))::integer as point,
    funnel.clinic_id::varchar as clinic_id,
    funnel.n::integer as n,
    round(funnel.z_adjusted, 2)::decimal(9, 2) as distance,
    funnel.zone::varchar as zone,
    case when signal.is_signal then therapist.label end::varchar as label,
    funnel.n::varchar as n_text,
    round(funnel.z_adjusted, 2)::decimal(9, 2)::varchar as distance_text,
    case funnel.zone
        when 'within' then 'within the limits'
        when 'above 95' then 'above the 95 % limit'
        when 'below 95' then 'below the 95 % limit'
        when 'above 99.8' then 'above the 99.8 % limit'
        when 'below 99.8' then 'below the 99.8 % limit'
    end::varchar as zone_text,
from measure.funnel as funnel
left join measure.signal as signal
    on
        funnel.unit_id = signal.unit_id
        and funnel.measure = signal.measure
        and funnel.instrument_id is not distinct from signal.instrument_id
left join report.therapist as therapist on funnel.unit_id = therapist.therapist_id
where funnel.method = 'corrected' and funnel.period_id = 'window'
