-- How closely patients' and therapists' ratings of the alliance move together, over courses.
--
-- Correlations are pooled by Fisher's z. Descriptive: no value is the right one, and none is a
-- therapist's.
--
-- grain:   level, unit_id, patient_instrument_id, therapist_instrument_id
-- inputs:  model.congruence_pool, ref.setting
-- columns: level VARCHAR                   service or clinic
--          unit_id VARCHAR                 service, or the clinic's id
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          n_eligible INTEGER              courses of the year with a session rated by both
--          n INTEGER                       of these, with a correlation
--          congruence DOUBLE               pooled correlation; NULL with fewer than two courses
--          low DOUBLE                      lower end of its 95 % interval
--          high DOUBLE                     upper end of its 95 % interval
--          spread DOUBLE                   standard deviation between courses, of Fisher's z
-- version: 2
select
    pool.level::varchar as level,
    pool.unit_id::varchar as unit_id,
    pool.patient_instrument_id::varchar as patient_instrument_id,
    pool.therapist_instrument_id::varchar as therapist_instrument_id,
    pool.n_eligible::integer as n_eligible,
    pool.n::integer as n,
    tanh(pool.centre)::double as congruence,
    tanh(pool.centre - setting.value::double * sqrt(pool.error_variance))::double as low,
    tanh(pool.centre + setting.value::double * sqrt(pool.error_variance))::double as high,
    sqrt(pool.between_variance)::double as spread,
from model.congruence_pool as pool
join ref.setting as setting on setting.name = 'z_95'
