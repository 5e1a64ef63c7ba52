-- Score a course starts from on one symptom or well-being instrument: the first valid one by the
-- second attended session.
--
-- Forms of an earlier session come before those of a later one, so that no later session can change
-- what an earlier one was compared with.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.instrument, ref.setting, score.course_appointment, score.form_place,
--          score.scale_score
-- columns: episode_id VARCHAR     course
--          instrument_id VARCHAR  instrument
--          form_id VARCHAR        form the score comes from
--          value DECIMAL(12,6)    score on the instrument's primary scale
-- version: 2
-- patient: episode_id
with setting as (
    select max(value) filter (where name = 'baseline_session')::integer as baseline_session,
    from ref.setting
),

start as (
    select
        session.episode_id,
        min(session.session_on) as first_on,
        max(session.session_on) as baseline_on,
    from score.course_appointment as session
    cross join setting
    where session.status = 'attended' and session.session_no <= setting.baseline_session
    group by session.episode_id
),

candidate as (
    select
        place.episode_id,
        place.instrument_id,
        place.form_id,
        place.answered_at,
        -- the session by which the form was there
        case
            when place.session_no is not null then place.session_no
            when place.answered_on <= start.first_on then 1
            else setting.baseline_session
        end as session_no,
    from score.form_place as place
    join start on place.episode_id = start.episode_id
    join ref.instrument as instrument
        on
            place.instrument_id = instrument.instrument_id
            and instrument.kind <> 'alliance'
            and instrument.is_enabled
    cross join setting
    where
        place.session_no <= setting.baseline_session
        or (place.session_no is null and place.answered_on <= start.baseline_on)
)

select
    candidate.episode_id::varchar as episode_id,
    candidate.instrument_id::varchar as instrument_id,
    candidate.form_id::varchar as form_id,
    score.value::decimal(12, 6) as value,
from candidate
join score.scale_score as score on candidate.form_id = score.form_id and score.is_primary
where score.value is not null
qualify row_number() over (
    partition by candidate.episode_id, candidate.instrument_id
    order by candidate.session_no, candidate.answered_at, candidate.form_id
) = 1
