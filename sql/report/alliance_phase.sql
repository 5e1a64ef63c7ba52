-- Alliance by phase of treatment as printed: the service and each clinic.
--
-- grain:   level, unit_id, instrument_id, phase
-- inputs:  measure.alliance_phase, ref.instrument, ref.setting
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          instrument_id VARCHAR  alliance questionnaire rated by the patient
--          instrument VARCHAR     its name
--          phase INTEGER          ordinal of the phase
--          label VARCHAR          sessions of the phase
--          value DECIMAL(9,4)     mean; NULL withheld
--          low DECIMAL(9,4)       lower end of the 95 % interval
--          high DECIMAL(9,4)      upper end of the 95 % interval
--          value_text VARCHAR     mean with its interval as printed, or why there is none
--          n_text VARCHAR         courses rated of those in treatment, as printed
-- version: 1
with setting as (
    select max(value) filter (where name = 'minimum_shown')::integer as minimum,
    from ref.setting
),

judged as (
    select
        phase.*,
        instrument.name as instrument,
        setting.minimum,
        phase.n >= setting.minimum as is_shown,
    from measure.alliance_phase as phase
    join ref.instrument as instrument on phase.instrument_id = instrument.instrument_id
    cross join setting
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    instrument_id::varchar as instrument_id,
    instrument::varchar as instrument,
    phase::integer as phase,
    label::varchar as label,
    case when is_shown then mean end::decimal(9, 4) as value,
    case when is_shown then low end::decimal(9, 4) as low,
    case when is_shown then high end::decimal(9, 4) as high,
    case
        when is_shown
            then
                round(mean, 2)::decimal(9, 2)::varchar
                || ' ('
                || round(low, 2)::decimal(9, 2)::varchar
                || ' to '
                || round(high, 2)::decimal(9, 2)::varchar
                || ')'
        else 'too few to show (n < ' || minimum::varchar || ')'
    end::varchar as value_text,
    case when is_shown then n::varchar || ' of ' || n_eligible::varchar || ' courses' end::varchar
        as n_text,
from judged
