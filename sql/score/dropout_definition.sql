-- Whether one ended course is a dropout by each of the definitions in use.
--
-- The definitions disagree widely, so none stands alone. Where a definition has nothing to go by in
-- a course, it says nothing about it.
--
-- grain:   episode_id, definition
-- inputs:  ref.setting, score.course_appointment, score.end_state, score.outcome
-- columns: episode_id VARCHAR   course that ended after at least one session, long enough ago
--          definition VARCHAR   end_state, coded, few_sessions, missed_last or before_change
--          clinic_id VARCHAR    clinic
--          ended_on DATE        day it ended
--          is_dropout BOOLEAN   whether it is one by this definition; NULL not known
-- version: 1
-- patient: episode_id
with setting as (
    select max(value) filter (where name = 'few_sessions') as few_sessions,
    from ref.setting
),

last_contact as (
    select
        episode_id,
        arg_max(status, (session_on, session_id)) as status,
        max(is_derived) as is_derived,
    from score.course_appointment
    group by episode_id
),

ended as (
    select
        end_state.*,
        outcome.category,
        -- who exports no appointments cannot tell of a missed one
        case when not last_contact.is_derived then last_contact.status end as last_status,
    from score.end_state as end_state
    join score.outcome as outcome on end_state.episode_id = outcome.episode_id
    join last_contact on end_state.episode_id = last_contact.episode_id
    where end_state.is_ended and end_state.is_resolved
),

judged as (
    select
        ended.episode_id,
        ended.clinic_id,
        ended.ended_on,
        unnest(
            [
                struct_pack(
                    definition := 'end_state',
                    is_dropout := case
                        when ended.state <> 'ended_unknown' then ended.state = 'dropout'
                    end
                ),
                struct_pack(
                    definition := 'coded',
                    is_dropout := case
                        when ended.end_by = 'record' and ended.state <> 'ended_unknown'
                            then ended.state = 'dropout'
                    end
                ),
                struct_pack(
                    definition := 'few_sessions',
                    is_dropout := ended.n_attended <= setting.few_sessions
                ),
                struct_pack(
                    definition := 'missed_last',
                    is_dropout := case
                        when ended.last_status in ('attended', 'cancelled_by_service') then false
                        when ended.last_status in (
                            'no_show', 'cancelled_by_patient', 'too_late_not_seen'
                        ) then true
                    end
                ),
                struct_pack(
                    definition := 'before_change',
                    is_dropout := case
                        when ended.category <> 'unpaired' then ended.category <> 'improved'
                    end
                )
            ]
        ) as judgement,
    from ended
    cross join setting
)

select
    judged.episode_id::varchar as episode_id,
    judged.judgement.definition::varchar as definition,
    judged.clinic_id::varchar as clinic_id,
    judged.ended_on::date as ended_on,
    judged.judgement.is_dropout::boolean as is_dropout,
from judged
