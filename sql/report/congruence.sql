-- How closely patients' and therapists' ratings move together, as printed.
--
-- grain:   level, unit_id, patient_instrument_id, therapist_instrument_id
-- inputs:  measure.congruence, ref.instrument, ref.setting
-- columns: level VARCHAR                   service or clinic
--          unit_id VARCHAR                 service, or the clinic's id
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          forms_text VARCHAR              both forms by name
--          value_text VARCHAR              correlation with its interval as printed, or why none
--          n_text VARCHAR                  courses behind it, of those rated by both
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'congruence_min_courses')::integer as minimum,
        max(value) filter (where name = 'dyad_min_pairs')::integer as min_pairs,
    from ref.setting
)

select
    found.level::varchar as level,
    found.unit_id::varchar as unit_id,
    found.patient_instrument_id::varchar as patient_instrument_id,
    found.therapist_instrument_id::varchar as therapist_instrument_id,
    (patient.name || ' and ' || therapist.name)::varchar as forms_text,
    case
        when found.n < setting.minimum
            then 'too few to show (n < ' || setting.minimum::varchar || ')'
        else
            'r '
            || round(found.congruence, 2)::decimal(9, 2)::varchar
            || ' ('
            || round(found.low, 2)::decimal(9, 2)::varchar
            || ' to '
            || round(found.high, 2)::decimal(9, 2)::varchar
            || ')'
    end::varchar as value_text,
    case
        when found.n >= setting.minimum
            then
                found.n::varchar
                || ' courses with '
                || setting.min_pairs::varchar
                || ' or more sessions rated by both, of '
                || found.n_eligible::varchar
                || ' with any'
    end::varchar as n_text,
from measure.congruence as found
join ref.instrument as patient on found.patient_instrument_id = patient.instrument_id
join ref.instrument as therapist on found.therapist_instrument_id = therapist.instrument_id
cross join setting
