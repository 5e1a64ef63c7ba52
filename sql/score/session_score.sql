-- Primary score of one attended session on one instrument: the last valid form placed in the
-- session.
--
-- grain:   session_id, instrument_id
-- inputs:  score.course_appointment, score.form_place, score.scale_score
-- columns: session_id VARCHAR     attended session
--          instrument_id VARCHAR  instrument
--          episode_id VARCHAR     course
--          session_no INTEGER     ordinal of the session in the course
--          session_on DATE        day of the session
--          form_id VARCHAR        form the score comes from
--          value DECIMAL(12,6)    score on the instrument's primary scale
--          sessions_since INTEGER sessions since the course's last score on the instrument before;
--                                 NULL the first one
-- version: 2
-- patient: episode_id
with last_form as (
    select
        place.session_id,
        place.instrument_id,
        place.episode_id,
        session.session_no,
        session.session_on,
        score.form_id,
        score.value,
    from score.form_place as place
    join score.scale_score as score on place.form_id = score.form_id
    join score.course_appointment as session on place.session_id = session.session_id
    where score.is_primary and score.value is not null
    qualify row_number() over (
        partition by place.session_id, place.instrument_id
        order by place.answered_at desc, place.form_id asc
    ) = 1
)

select
    session_id::varchar as session_id,
    instrument_id::varchar as instrument_id,
    episode_id::varchar as episode_id,
    session_no::integer as session_no,
    session_on::date as session_on,
    form_id::varchar as form_id,
    value::decimal(12, 6) as value,
    (session_no - lag(session_no) over (
        partition by episode_id, instrument_id
        order by session_no
    ))::integer as sessions_since,
from last_form
