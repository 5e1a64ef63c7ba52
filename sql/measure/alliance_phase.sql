-- Patient-rated alliance by phase of treatment, of those still in treatment then.
--
-- Those who left are in no later phase: a higher level later on may be those who stayed, and no
-- growth in anyone.
--
-- grain:   level, unit_id, instrument_id, phase
-- inputs:  ref.period, ref.phase, ref.setting, score.alliance_session
-- columns: level VARCHAR          service or clinic
--          unit_id VARCHAR        service, or the clinic's id
--          instrument_id VARCHAR  alliance questionnaire rated by the patient
--          phase INTEGER          ordinal of the phase
--          label VARCHAR          sessions of the phase, in words
--          n_eligible INTEGER     courses with an attended session of the phase in the year
--          n INTEGER              of these, with a rating
--          mean DOUBLE            mean over courses of the course's mean in the phase
--          low DOUBLE             lower end of its 95 % interval
--          high DOUBLE            upper end of its 95 % interval
-- version: 1
with setting as (
    select max(value) filter (where name = 'z_95')::double as z_95,
    from ref.setting
),

course as (
    select
        session.episode_id,
        session.clinic_id,
        session.instrument_id,
        phase.phase,
        phase.label,
        round(sum(session.value)::double / count(session.value), 6)::decimal(12, 6) as mean,
    from score.alliance_session as session
    join ref.phase as phase on session.session_no between phase.session_from and phase.session_to
    join ref.period as period
        on
            period.period_id = 'year'
            and session.session_on between period.period_start and period.period_end
    group by
        session.episode_id, session.clinic_id, session.instrument_id, phase.phase, phase.label
),

summed as (
    select
        unnest(['service', 'clinic']) as level,
        unnest(['service', clinic_id]) as unit_id,
        instrument_id,
        phase,
        label,
        mean,
    from course
),

unit as (
    select
        level,
        unit_id,
        instrument_id,
        phase,
        label,
        count(*) as n_eligible,
        count(mean) as n,
        sum(mean)::double as total,
        sum(mean * mean)::double as squares,
    from summed
    group by level, unit_id, instrument_id, phase, label
)

select
    unit.level::varchar as level,
    unit.unit_id::varchar as unit_id,
    unit.instrument_id::varchar as instrument_id,
    unit.phase::integer as phase,
    unit.label::varchar as label,
    unit.n_eligible::integer as n_eligible,
    unit.n::integer as n,
    case when unit.n > 0 then unit.total / unit.n end::double as mean,
    case
        when unit.n > 1
            then
                unit.total / unit.n
                - setting.z_95
                * sqrt((unit.squares - unit.total * unit.total / unit.n) / (unit.n - 1) / unit.n)
    end::double as low,
    case
        when unit.n > 1
            then
                unit.total / unit.n
                + setting.z_95
                * sqrt((unit.squares - unit.total * unit.total / unit.n) / (unit.n - 1) / unit.n)
    end::double as high,
from unit
cross join setting
