-- What should be spoken about in a course that goes on: one row per sign.
--
-- Signs are prompts for a conversation between patient and therapist, and no alarm.
--
-- grain:   episode_id, sign
-- inputs:  ref.setting, score.alliance_session, score.clinic_with_bookings,
--          score.course_appointment, score.early_alliance, score.end_state, score.low_alliance,
--          score.rupture, score.rupture_report, score.track
-- columns: episode_id VARCHAR       course
--          sign VARCHAR             open_rupture, reported_rupture, missing_form, not_on_track,
--                                   low_from_start, missed_last, none_booked, at_ceiling,
--                                   interpreted
--          instrument_id VARCHAR    questionnaire it is told on; NULL none
--          session_no INTEGER       session it began at or was last seen at; NULL none
--          value_before DECIMAL(12,6) where it came from; NULL does not apply
--          value_now DECIMAL(12,6)  where it stands; NULL does not apply
-- version: 2
-- patient: episode_id
with setting as (
    select max(value) filter (where name = 'repair_window')::integer as repair_window,
    from ref.setting
),

going_on as (
    select *,
    from score.end_state
    where state = 'ongoing' and n_attended > 0
),

alliance as (
    select
        session.*,
        session.session_no = going_on.n_attended as is_last,
    from score.alliance_session as session
    join going_on on session.episode_id = going_on.episode_id
),

ceiling as (
    select
        episode_id,
        instrument_id,
        max(session_no) as session_no,
    from alliance
    where value is not null
    group by episode_id, instrument_id
    having count(*) >= 3 and bool_and(is_at_ceiling)
),

contact as (
    select
        going_on.episode_id,
        going_on.clinic_id,
        arg_max(session.status, (session.session_on, session.session_id)) filter (
            where session.status <> 'booked'
        ) as last_status,
        bool_or(session.status = 'booked') as is_booked,
    from going_on
    join score.course_appointment as session on going_on.episode_id = session.episode_id
    group by going_on.episode_id, going_on.clinic_id
),

sign as (
    select
        rupture.episode_id,
        'open_rupture' as sign,
        rupture.instrument_id,
        rupture.onset_no as session_no,
        rupture.baseline::decimal(12, 6) as value_before,
        rupture.value as value_now,
    from score.rupture as rupture
    join going_on on rupture.episode_id = going_on.episode_id
    where rupture.state = 'open'
    union all by name
    select
        report.episode_id,
        'reported_rupture' as sign,
        report.instrument_id,
        max(report.session_no) as session_no,
    from score.rupture_report as report
    join going_on on report.episode_id = going_on.episode_id
    cross join setting
    where report.is_reported and report.session_no > going_on.n_attended - setting.repair_window
    group by report.episode_id, report.instrument_id
    union all by name
    select
        episode_id,
        'missing_form' as sign,
        instrument_id,
        session_no,
    from alliance
    where is_last and is_missing
    union all by name
    select
        track.episode_id,
        'not_on_track' as sign,
        track.instrument_id,
        track.session_no,
        track.intake_value as value_before,
        track.value as value_now,
    from score.track as track
    join going_on on track.episode_id = going_on.episode_id
    where
        track.is_not_on_track
        -- the last score of the questionnaire decides
        and track.session_no = (
            select max(later.session_no),
            from score.track as later
            where
                later.episode_id = track.episode_id
                and later.instrument_id = track.instrument_id
        )
    union all by name
    select
        early.episode_id,
        'low_from_start' as sign,
        early.instrument_id,
        early.mean as value_now,
    from score.early_alliance as early
    join going_on on early.episode_id = going_on.episode_id
    join score.low_alliance as low on early.instrument_id = low.instrument_id
    where low.direction * early.mean <= low.direction * low.low_value
    union all by name
    select
        episode_id,
        'missed_last' as sign,
    from contact
    where last_status in ('no_show', 'cancelled_by_patient')
    union all by name
    select
        episode_id,
        'none_booked' as sign,
    from contact
    where not is_booked and clinic_id in (select booking.clinic_id, from score.clinic_with_bookings as booking)
    union all by name
    select
        episode_id,
        'at_ceiling' as sign,
        instrument_id,
        session_no,
    from ceiling
    union all by name
    select
        episode_id,
        'interpreted' as sign,
        max(session_no) as session_no,
    from alliance
    where is_interpreted
    group by episode_id
)

select
    episode_id::varchar as episode_id,
    sign::varchar as sign,
    instrument_id::varchar as instrument_id,
    session_no::integer as session_no,
    value_before::decimal(12, 6) as value_before,
    value_now::decimal(12, 6) as value_now,
from sign
-- where several questionnaires show the same, the one that began first tells it
qualify row_number() over (
    partition by episode_id, sign
    order by session_no nulls last, instrument_id
) = 1
