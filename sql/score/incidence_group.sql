-- Course in a group whose endings are followed session by session, and the session from which on.
--
-- Service and clinic follow every course from its first session. Groups by early alliance need the
-- first sessions to be formed: they follow only courses that came to the last of these, from that
-- session on, so that nobody is in a group for having stayed.
--
-- grain:   group_kind, episode_id
-- inputs:  ref.instrument, ref.period, ref.setting, score.end_state, score.session_end,
--          score.session_score
-- columns: group_kind VARCHAR        service, clinic or early_alliance
--          episode_id VARCHAR        course begun in the two years of the figures
--          group_id VARCHAR          service, the clinic's id, or the third of the first ratings
--                                    among all courses of the questionnaire: low, middle, high; not
--                                    rated
--          landmark_session INTEGER  session from which on the course is followed
-- version: 1
with setting as (
    select
        max(value) filter (where name = 'landmark_session')::integer as landmark_session,
        max(value) filter (where name = 'early_min_rated')::integer as min_rated,
    from ref.setting
),

first_day as (
    select min(period_start) as first_on,
    from ref.period
),

course as (
    select
        end_state.episode_id,
        end_state.clinic_id,
    from score.end_state as end_state
    join first_day on end_state.first_attended_on >= first_day.first_on
),

rating as (
    select
        score.episode_id,
        score.instrument_id,
        count(*) as n_rated,
        round(sum(score.value)::double / count(*), 6) as mean,
    from score.session_score as score
    join ref.instrument as instrument on score.instrument_id = instrument.instrument_id
    cross join setting
    where
        instrument.kind = 'alliance'
        and instrument.respondent = 'patient'
        and score.session_no <= setting.landmark_session
    group by score.episode_id, score.instrument_id
),

reached as (
    select
        course.episode_id,
        rating.instrument_id,
        case when rating.n_rated >= setting.min_rated then rating.mean end as mean,
    from course
    cross join setting
    join score.session_end as session
        on
            course.episode_id = session.episode_id
            and setting.landmark_session = session.session_no
    left join rating on course.episode_id = rating.episode_id
    qualify row_number() over (
        partition by course.episode_id
        order by mean is null, rating.instrument_id
    ) = 1
),

third as (
    select
        instrument_id,
        quantile_disc(mean, 1.0 / 3) as low_up_to,
        quantile_disc(mean, 2.0 / 3) as middle_up_to,
    from reached
    where mean is not null
    group by instrument_id
)

select
    'service'::varchar as group_kind,
    episode_id::varchar as episode_id,
    'service'::varchar as group_id,
    1::integer as landmark_session,
from course
union all
select
    'clinic'::varchar as group_kind,
    episode_id::varchar as episode_id,
    clinic_id::varchar as group_id,
    1::integer as landmark_session,
from course
union all
select
    'early_alliance'::varchar as group_kind,
    reached.episode_id::varchar as episode_id,
    case
        when reached.mean is null then 'not rated'
        when reached.mean <= third.low_up_to then 'low'
        when reached.mean <= third.middle_up_to then 'middle'
        else 'high'
    end::varchar as group_id,
    setting.landmark_session::integer as landmark_session,
from reached
cross join setting
left join third on reached.instrument_id = third.instrument_id
