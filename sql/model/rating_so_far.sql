-- What one questionnaire had told of a course by the end of one attended session.
--
-- Only scores of this session and those before it, and only those that could be known within some
-- days of the session: what comes in later, or belongs to a later session, changes nothing here.
--
-- grain:   session_id, role
-- inputs:  model.alliance_scale, model.known_row, model.severity_scale, ref.instrument,
--          ref.outcome_preference, ref.setting, score.protocol, score.course_appointment,
--          score.session_score
-- columns: session_id VARCHAR        attended session
--          role VARCHAR              symptoms: the clinic's deciding questionnaire; alliance: the
--                                    patient's rating of it
--          instrument_id VARCHAR     instrument
--          is_rated BOOLEAN          whether this session has a score
--          is_missing BOOLEAN        whether the protocol asks for a form at this session and none
--                                    came in time; NULL while it may still come. A form asked for
--                                    at the last session only is not missed before its end is known
--          n_before INTEGER          scores of earlier sessions
--          first_z DECIMAL(18,9)     first score so far, in standard deviations between courses;
--                                    higher is better; NULL none
--          change_z DECIMAL(18,9)    newest score so far less the first, in the same unit
--          mean_z DECIMAL(18,9)      mean of the scores so far, in the same unit
-- version: 1
with setting as (
    select max(value) filter (where name = 'known_within_days')::integer as known_within_days,
    from ref.setting
),

scale as (
    select
        instrument_id,
        mean,
        sd,
    from model.severity_scale
    union all
    select
        instrument_id,
        mean,
        sd,
    from model.alliance_scale
),

asked as (
    select
        protocol.clinic_id,
        protocol.instrument_id,
        protocol.every,
        instrument.direction,
        case protocol.kind when 'alliance' then 'alliance' else 'symptoms' end as role,
    from score.protocol as protocol
    join ref.instrument as instrument on protocol.instrument_id = instrument.instrument_id
    left join ref.outcome_preference as preference
        on protocol.instrument_id = preference.instrument_id
    where protocol.kind <> 'alliance' or instrument.respondent = 'patient'
    qualify row_number() over (
        partition by protocol.clinic_id, role
        order by preference.rank nulls last, protocol.instrument_id
    ) = 1
),

session as (
    select
        appointment.session_id,
        appointment.episode_id,
        appointment.session_no,
        asked.*,
        greatest(
            appointment.session_on, coalesce(known.known_on, appointment.session_on)
        ) + setting.known_within_days as known_by,
    from score.course_appointment as appointment
    join asked on appointment.clinic_id = asked.clinic_id
    left join model.known_row as known
        on known.row_kind = 'appointment' and appointment.session_id = known.row_id
    cross join setting
    where appointment.status = 'attended'
),

rating as (
    select
        score.episode_id,
        score.instrument_id,
        score.session_no,
        score.value,
        known.known_on,
    from score.session_score as score
    join model.known_row as known on known.row_kind = 'form' and score.form_id = known.row_id
),

so_far as (
    select
        session.session_id,
        session.role,
        count(*) filter (where rating.session_no < session.session_no) as n_before,
        sum(rating.value) filter (where rating.session_no < session.session_no)::decimal(38, 6)
            as sum_before,
        arg_min(rating.value, rating.session_no) as first_value,
        arg_max(rating.value, rating.session_no) as newest_value,
        max(rating.value) filter (where rating.session_no = session.session_no) as own_value,
    from session
    join rating
        on
            session.episode_id = rating.episode_id
            and session.instrument_id = rating.instrument_id
            and session.session_no >= rating.session_no
            and session.known_by >= rating.known_on
    group by session.session_id, session.role
),

scaled as (
    select
        session.session_id,
        session.role,
        session.instrument_id,
        so_far.own_value is not null as is_rated,
        case
            when so_far.own_value is not null then false
            when (session.session_no - 1) % coalesce(session.every, session.session_no) <> 0
                then false
            when session.known_by < getvariable('as_of')::date then true
        end as is_missing,
        coalesce(so_far.n_before, 0) as n_before,
        session.direction * (so_far.first_value - scale.mean)::double / scale.sd::double
            as first_z,
        session.direction * (so_far.newest_value - so_far.first_value)::double / scale.sd::double
            as change_z,
        session.direction * (
            (coalesce(so_far.sum_before, 0) + coalesce(so_far.own_value, 0))::double
            / nullif(so_far.n_before + (so_far.own_value is not null)::integer, 0) - scale.mean::double
        ) / scale.sd::double as mean_z,
    from session
    left join so_far on session.session_id = so_far.session_id and session.role = so_far.role
    left join scale on session.instrument_id = scale.instrument_id
)

select
    session_id::varchar as session_id,
    role::varchar as role,
    instrument_id::varchar as instrument_id,
    is_rated::boolean as is_rated,
    is_missing::boolean as is_missing,
    n_before::integer as n_before,
    round(first_z, 9)::decimal(18, 9) as first_z,
    round(change_z, 9)::decimal(18, 9) as change_z,
    round(mean_z, 9)::decimal(18, 9) as mean_z,
from scaled
