-- Early alliance of one course on one alliance instrument: mean and slope over its first attended
-- sessions.
--
-- grain:   episode_id, instrument_id
-- inputs:  ref.setting, score.course_appointment, score.end_state, score.protocol,
--          score.session_score
-- columns: episode_id VARCHAR        course
--          instrument_id VARCHAR     alliance instrument the clinic uses
--          clinic_id VARCHAR         clinic
--          therapist_id VARCHAR      therapist the course is attributed to; NULL not known
--          n_sessions INTEGER        attended sessions in the early phase
--          n_expected INTEGER        of these, with a form by the protocol
--          n_rated INTEGER           of these, with a score
--          mean DECIMAL(12,6)        mean score; NULL with too few rated
--          slope DECIMAL(12,6)       change per session, least squares; NULL with too few rated
--          early_on DATE             last session of the early phase
--          is_complete BOOLEAN       whether the early phase is over: enough sessions, or the
--                                    course has ended
-- version: 1
-- patient: episode_id
with setting as (
    select
        max(value) filter (where name = 'early_sessions') as early_sessions,
        max(value) filter (where name = 'early_min_rated') as min_rated,
        max(value) filter (where name = 'early_slope_min_rated') as slope_min_rated,
    from ref.setting
),

early as (
    select
        session.session_id,
        session.episode_id,
        session.session_no,
        session.session_on,
        protocol.instrument_id,
        case
            when protocol.every is null
                then
                    session.session_no = 1
                    or (end_state.is_ended and session.session_no = end_state.n_attended)
            else (session.session_no - 1) % protocol.every = 0
        end as is_expected,
    from score.course_appointment as session
    join
        score.protocol as protocol
        on session.clinic_id = protocol.clinic_id and protocol.kind = 'alliance'
    join score.end_state as end_state on session.episode_id = end_state.episode_id
    cross join setting
    where session.status = 'attended' and session.session_no <= setting.early_sessions
),

summed as (
    select
        early.episode_id,
        early.instrument_id,
        count(*) as n_sessions,
        count(*) filter (where early.is_expected) as n_expected,
        max(early.session_on) as early_on,
        count(score.value) as n,
        sum(score.value)::decimal(38, 6) as sum_y,
        sum(early.session_no) filter (where score.value is not null)::decimal(38, 6) as sum_x,
        sum(early.session_no * early.session_no) filter (where score.value is not null)::decimal(
            38, 6
        ) as sum_xx,
        sum(early.session_no * score.value)::decimal(38, 6) as sum_xy,
    from early
    left join score.session_score as score
        on early.session_id = score.session_id and early.instrument_id = score.instrument_id
    group by early.episode_id, early.instrument_id
)

select
    summed.episode_id::varchar as episode_id,
    summed.instrument_id::varchar as instrument_id,
    end_state.clinic_id::varchar as clinic_id,
    end_state.therapist_id::varchar as therapist_id,
    summed.n_sessions::integer as n_sessions,
    summed.n_expected::integer as n_expected,
    summed.n::integer as n_rated,
    case
        when summed.n >= setting.min_rated then round(summed.sum_y::double / summed.n, 6)
    end::decimal(12, 6) as mean,
    case
        when summed.n >= setting.slope_min_rated
            then round(
                (summed.n * summed.sum_xy::double - summed.sum_x::double * summed.sum_y::double)
                / (summed.n * summed.sum_xx::double - summed.sum_x::double * summed.sum_x::double),
                6
            )
    end::decimal(12, 6) as slope,
    summed.early_on::date as early_on,
    (summed.n_sessions >= setting.early_sessions or end_state.is_ended)::boolean as is_complete,
from summed
join score.end_state as end_state on summed.episode_id = end_state.episode_id
cross join setting
