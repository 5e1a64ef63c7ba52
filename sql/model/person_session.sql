-- What was known of a course at the end of one attended session: what the chance that it was the
-- last one is estimated from.
--
-- Nothing of a later day is in it: no later form, no appointment after the session, booked or
-- missed, no letter at the end. Who treats is not in it either. NULL is not known. Patients who
-- object to being estimated are left out.
--
-- grain:   session_id
-- inputs:  model.rating_so_far, ref.instrument, score.alliance_session,
--          score.course_appointment, score.intake_factor, score.objection, score.track
-- columns: session_id VARCHAR              attended session
--          episode_id VARCHAR              course
--          clinic_id VARCHAR               clinic
--          session_no INTEGER              ordinal of the session in the course
--          session_on DATE                 day of the session
--          session_band VARCHAR            1, 2, 3, 4, 5-8 or 9+
--          severity DOUBLE                 first symptom score, higher is worse, in standard
--                                          deviations between courses
--          worsening DOUBLE                newest symptom score less the first, in the same unit
--          not_on_track DOUBLE             1 not on track, 0 on track
--          alliance DOUBLE                 mean of the patient's ratings so far, in standard
--                                          deviations between courses
--          alliance_deviation DOUBLE       rating of this session less the patient's own baseline,
--                                          in usual standard deviations within courses
--          open_rupture DOUBLE             1 a rupture is open, 0 none
--          missing_alliance_form DOUBLE    1 asked for and not there, 0 there or not asked for;
--                                          NULL while it may still come, or none is in use
--          missed_share DOUBLE             share of the appointments so far that the patient missed or
--                                          cancelled
--          missed_last DOUBLE              1 the appointment just before this session was missed
--          weeks_since_last DOUBLE         weeks since the session before; NULL at the first
--          under_26 DOUBLE                 1 younger than 26 at intake, 0 older
-- version: 2
with appointment as (
    select
        *,
        lag(status) over by_course as status_before,
        count(*) over by_course as n_so_far,
        count(*) filter (
            where status in ('no_show', 'too_late_not_seen', 'cancelled_by_patient')
        ) over by_course as n_missed,
    from score.course_appointment
    where status <> 'booked'
    window by_course as (
        partition by episode_id
        order by session_on, session_no nulls first, session_id
        rows between unbounded preceding and current row
    )
),

session as (
    select
        *,
        session_on - lag(session_on) over (partition by episode_id order by session_no)
            as days_since_last,
    from appointment
    where status = 'attended'
)

select
    session.session_id::varchar as session_id,
    session.episode_id::varchar as episode_id,
    session.clinic_id::varchar as clinic_id,
    session.session_no::integer as session_no,
    session.session_on::date as session_on,
    case
        when session.session_no <= 4 then session.session_no::varchar
        when session.session_no <= 8 then '5-8'
        else '9+'
    end::varchar as session_band,
    (-symptoms.first_z)::double as severity,
    (-symptoms.change_z)::double as worsening,
    case when symptoms.is_rated then track.is_not_on_track::integer end::double as not_on_track,
    alliance.mean_z::double as alliance,
    case
        when alliance.is_rated
            then instrument.direction * rating.deviation / rating.within_sd
    end::double as alliance_deviation,
    rating.is_open::integer::double as open_rupture,
    alliance.is_missing::integer::double as missing_alliance_form,
    case when not session.is_derived then session.n_missed / session.n_so_far end::double
        as missed_share,
    case
        when session.is_derived then null
        when session.status_before is null then 0
        else (session.status_before in ('no_show', 'too_late_not_seen'))::integer
    end::double as missed_last,
    (session.days_since_last / 7.0)::double as weeks_since_last,
    (factor.age_band in ('under_18', '18_25'))::integer::double as under_26,
from session
left join model.rating_so_far as symptoms
    on session.session_id = symptoms.session_id and symptoms.role = 'symptoms'
left join score.track as track
    on session.session_id = track.session_id and symptoms.instrument_id = track.instrument_id
left join model.rating_so_far as alliance
    on session.session_id = alliance.session_id and alliance.role = 'alliance'
left join score.alliance_session as rating
    on
        session.session_id = rating.session_id
        and alliance.instrument_id = rating.instrument_id
left join ref.instrument as instrument on rating.instrument_id = instrument.instrument_id
left join score.intake_factor as factor on session.episode_id = factor.episode_id
where session.episode_id not in (select objection.episode_id, from score.objection as objection)
