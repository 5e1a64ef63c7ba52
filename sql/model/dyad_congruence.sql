-- How closely the two ratings of one course move together, drawn towards the other courses of the year
-- as far as there are few sessions.
--
-- From five sessions a correlation may be anything; beside what is usual it is worth a little. On
-- Fisher's z, with the error of the usual value in the interval. Descriptive: no value is the right
-- one, and none is a therapist's.
--
-- grain:   episode_id, patient_instrument_id, therapist_instrument_id
-- inputs:  model.congruence_pool, ref.period, ref.setting, score.dyad
-- columns: episode_id VARCHAR              course with a correlation, of the year
--          patient_instrument_id VARCHAR   the patient's form
--          therapist_instrument_id VARCHAR the therapist's form
--          n_pairs INTEGER                 sessions rated by both
--          congruence DOUBLE               correlation as it is
--          shrunken DOUBLE                 drawn towards the others
--          low DOUBLE                      lower end of its 95 % interval
--          high DOUBLE                     upper end of its 95 % interval
-- version: 1
-- source:  Efron & Morris 1975, J Am Stat Assoc 70:311-319
with setting as (
    select
        max(value) filter (where name = 'z_95')::double as z_95,
        max(value) filter (where name = 'congruence_min_courses') as min_courses,
    from ref.setting
),

dyad as (
    select
        dyad.*,
        1.0 / (dyad.n_pairs - 3) as own_variance,
        pool.centre,
        pool.error_variance,
        pool.between_variance,
        setting.z_95,
    from score.dyad as dyad
    join ref.period as period
        on
            period.period_id = 'year'
            and dyad.last_on between period.period_start and period.period_end
    cross join setting
    join model.congruence_pool as pool
        on
            pool.level = 'service'
            and setting.min_courses <= pool.n
            and dyad.patient_instrument_id = pool.patient_instrument_id
            and dyad.therapist_instrument_id = pool.therapist_instrument_id
    where dyad.fisher_z is not null
),

drawn as (
    select
        *,
        between_variance / (between_variance + own_variance) as kept,
    from dyad
),

told as (
    select
        *,
        centre + kept * (fisher_z - centre) as z,
        sqrt(kept * own_variance + pow(1 - kept, 2) * error_variance) as sd,
    from drawn
)

select
    episode_id::varchar as episode_id,
    patient_instrument_id::varchar as patient_instrument_id,
    therapist_instrument_id::varchar as therapist_instrument_id,
    n_pairs::integer as n_pairs,
    congruence::double as congruence,
    tanh(z)::double as shrunken,
    tanh(z - z_95 * sd)::double as low,
    tanh(z + z_95 * sd)::double as high,
from told
