-- Courses of a group that came to so many sessions, and those of them whose last session it was, by
-- the way they ended.
--
-- grain:   group_kind, group_id, cause, session_no
-- inputs:  score.incidence_group, score.session_end
-- columns: group_kind VARCHAR        service, clinic or early_alliance
--          group_id VARCHAR          service, the clinic's id, or the third of the first ratings
--          cause VARCHAR             dropout, planned, other, unknown; stopped: dropout or unknown
--          session_no INTEGER        attended sessions
--          landmark_session INTEGER  session from which on the group is followed
--          n_at_risk INTEGER         courses whose session of this number counts
--          n_ended INTEGER           of these, the last one, however it ended
--          n_events INTEGER          of these, ended in this way
-- version: 1
with counted as (
    select
        member.group_kind,
        member.group_id,
        member.landmark_session,
        session.session_no,
        count(*) as n_at_risk,
        count(*) filter (where session.outcome <> 'goes_on') as n_ended,
        count(*) filter (where session.outcome = 'dropout') as n_dropout,
        count(*) filter (where session.outcome = 'planned') as n_planned,
        count(*) filter (where session.outcome = 'other') as n_other,
        count(*) filter (where session.outcome = 'unknown') as n_unknown,
    from score.incidence_group as member
    join score.session_end as session
        on
            member.episode_id = session.episode_id
            and member.landmark_session <= session.session_no
    where session.is_at_risk
    group by member.group_kind, member.group_id, member.landmark_session, session.session_no
),

by_cause as (
    select
        *,
        unnest(
            [
                struct_pack(cause := 'dropout', n := n_dropout),
                struct_pack(cause := 'planned', n := n_planned),
                struct_pack(cause := 'other', n := n_other),
                struct_pack(cause := 'unknown', n := n_unknown),
                struct_pack(cause := 'stopped', n := n_dropout + n_unknown)
            ]
        ) as event,
    from counted
)

select
    by_cause.group_kind::varchar as group_kind,
    by_cause.group_id::varchar as group_id,
    by_cause.event.cause::varchar as cause,
    by_cause.session_no::integer as session_no,
    by_cause.landmark_session::integer as landmark_session,
    by_cause.n_at_risk::integer as n_at_risk,
    by_cause.n_ended::integer as n_ended,
    by_cause.event.n::integer as n_events,
from by_cause
