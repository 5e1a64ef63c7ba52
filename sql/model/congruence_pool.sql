-- Congruence of a year's courses pooled over a clinic or the service, by Fisher's z with random
-- effects, because pairs differ.
--
-- grain:   level, unit_id, patient_instrument_id, therapist_instrument_id
-- inputs:  ref.period, score.dyad
-- columns: level VARCHAR                   service or clinic
--          unit_id VARCHAR                 service, or the clinic's id
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          n_eligible INTEGER              courses of the year with a session rated by both
--          n INTEGER                       of these, with a correlation
--          centre DOUBLE                   mean of Fisher's z; NULL with fewer than two courses
--          error_variance DOUBLE           its variance
--          between_variance DOUBLE         variance between courses, of Fisher's z
-- version: 1
-- source:  DerSimonian & Laird 1986, Control Clin Trials 7:177-188
with dyad as (
    select
        unnest(['service', 'clinic']) as level,
        unnest(['service', dyad.clinic_id]) as unit_id,
        dyad.patient_instrument_id,
        dyad.therapist_instrument_id,
        round(dyad.fisher_z, 9)::decimal(18, 9) as z,
        dyad.n_pairs - 3 as weight,
    from score.dyad as dyad
    join ref.period as period
        on
            period.period_id = 'year'
            and dyad.last_on between period.period_start and period.period_end
),

fixed as (
    select
        level,
        unit_id,
        patient_instrument_id,
        therapist_instrument_id,
        count(*) as n_eligible,
        count(z) as n,
        sum(weight) filter (where z is not null)::double as w,
        sum(weight * weight) filter (where z is not null)::double as ww,
        sum(weight * z)::double as wz,
        sum((weight * z * z)::decimal(38, 9))::double as wzz,
    from dyad
    group by level, unit_id, patient_instrument_id, therapist_instrument_id
),

spread as (
    select
        *,
        case
            when n >= 2
                then greatest(0, (wzz - wz * wz / w - (n - 1)) / (w - ww / w))
        end as tau2,
    from fixed
),

weighed as (
    select
        spread.level,
        spread.unit_id,
        spread.patient_instrument_id,
        spread.therapist_instrument_id,
        sum(round(1 / (1 / dyad.weight + spread.tau2), 9)::decimal(38, 9))::double as w,
        sum(round(dyad.z / (1 / dyad.weight + spread.tau2), 9)::decimal(38, 9))::double as wz,
    from spread
    join dyad using (level, unit_id, patient_instrument_id, therapist_instrument_id)
    where dyad.z is not null and spread.n >= 2
    group by
        spread.level,
        spread.unit_id,
        spread.patient_instrument_id,
        spread.therapist_instrument_id
)

select
    spread.level::varchar as level,
    spread.unit_id::varchar as unit_id,
    spread.patient_instrument_id::varchar as patient_instrument_id,
    spread.therapist_instrument_id::varchar as therapist_instrument_id,
    spread.n_eligible::integer as n_eligible,
    spread.n::integer as n,
    (weighed.wz / weighed.w)::double as centre,
    (1 / weighed.w)::double as error_variance,
    spread.tau2::double as between_variance,
from spread
left join weighed using (level, unit_id, patient_instrument_id, therapist_instrument_id)
