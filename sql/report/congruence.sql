-- How closely patients' and therapists' ratings move together, as printed.
--
-- A clinic with too few therapists for an agreement to be asked would be figures of a therapist.
--
-- grain:   level, unit_id, patient_instrument_id, therapist_instrument_id
-- inputs:  measure.congruence, measure.disclosure, ref.instrument, ref.setting
-- columns: level VARCHAR                   service or clinic
--          unit_id VARCHAR                 service, or the clinic's id
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          forms_text VARCHAR              both forms by name
--          value_text VARCHAR              correlation with its interval as printed, or why none
--          n_text VARCHAR                  courses behind it, of those rated by both
-- version: 2
with setting as (
    select
        max(value) filter (where name = 'congruence_min_courses')::integer as minimum,
        max(value) filter (where name = 'dyad_min_pairs')::integer as min_pairs,
    from ref.setting
),

unagreed as (
    select distinct unit_id,
    from measure.disclosure
    where level = 'clinic' and withheld = 'no agreement'
),

found as (
    select
        pool.*,
        setting.minimum,
        setting.min_pairs,
        pool.n >= setting.minimum as is_enough,
        -- with the service's number beside them, one clinic kept back would be told by the others
        pool.level = 'clinic'
        and bool_or(pool.n between 1 and setting.minimum - 1 or unagreed.unit_id is not null) over (
            partition by pool.level, pool.patient_instrument_id, pool.therapist_instrument_id
        ) as is_kept_back,
    from measure.congruence as pool
    left join unagreed on pool.level = 'clinic' and pool.unit_id = unagreed.unit_id
    cross join setting
)

select
    found.level::varchar as level,
    found.unit_id::varchar as unit_id,
    found.patient_instrument_id::varchar as patient_instrument_id,
    found.therapist_instrument_id::varchar as therapist_instrument_id,
    (patient.name || ' and ' || therapist.name)::varchar as forms_text,
    case
        when found.is_kept_back then 'not shown: one of the clinics must not be told apart'
        when not found.is_enough then 'too few to show (n < ' || found.minimum::varchar || ')'
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
        when found.is_enough and not found.is_kept_back
            then
                found.n::varchar
                || ' courses with '
                || found.min_pairs::varchar
                || ' or more sessions rated by both, of '
                || found.n_eligible::varchar
                || ' with any'
    end::varchar as n_text,
from found
join ref.instrument as patient on found.patient_instrument_id = patient.instrument_id
join ref.instrument as therapist on found.therapist_instrument_id = therapist.instrument_id
