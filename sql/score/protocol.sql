-- Questionnaire a clinic is expected to give, and how often: as the service states, else as the
-- clinic does it.
--
-- Inferred: the usual number of sessions between two forms of one course.
--
-- grain:   clinic_id, instrument_id
-- inputs:  ref.instrument, ref.protocol, score.session_score, score.course
-- columns: clinic_id VARCHAR      clinic
--          instrument_id VARCHAR  instrument
--          kind VARCHAR           symptom, alliance or wellbeing
--          every INTEGER          every k-th session; NULL first and last session only
--          is_inferred BOOLEAN    whether no protocol was stated
-- version: 2
with inferred as (
    select
        course.clinic_id,
        score.instrument_id,
        greatest(1, coalesce(quantile_disc(score.sessions_since, 0.5), 1)) as every,
    from score.session_score as score
    join score.course as course on score.episode_id = course.episode_id
    group by course.clinic_id, score.instrument_id
),

stated as (
    select
        clinic_id,
        instrument_id,
        min(every) as every,
    from ref.protocol
    group by clinic_id, instrument_id
),

protocol as (
    select
        clinic_id,
        instrument_id,
        every,
        false as is_inferred,
    from stated
    union all
    select
        clinic_id,
        instrument_id,
        every,
        true as is_inferred,
    from inferred
    where
        (clinic_id, instrument_id) not in (
            select (stated.clinic_id, stated.instrument_id), from stated
        )
)

select
    protocol.clinic_id::varchar as clinic_id,
    protocol.instrument_id::varchar as instrument_id,
    instrument.kind::varchar as kind,
    protocol.every::integer as every,
    protocol.is_inferred::boolean as is_inferred,
from protocol
join ref.instrument as instrument on protocol.instrument_id = instrument.instrument_id
where instrument.is_enabled
