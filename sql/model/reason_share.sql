-- Share of a clinic's endings that carry a reason, and whether it is enough to learn from them who
-- leaves.
--
-- grain:   clinic_id
-- inputs:  ref.period, ref.setting, score.end_state
-- columns: clinic_id VARCHAR    clinic
--          n_ended INTEGER      courses that ended in the two years of the figures
--          n_reason INTEGER     of these, recorded with a reason
--          is_enough BOOLEAN    whether dropout can be told from other endings
-- version: 1
with first_day as (
    select min(period_start) as first_on,
    from ref.period
),

ended as (
    select
        end_state.clinic_id,
        count(*) as n_ended,
        count(*) filter (where end_state.end_by = 'record' and end_state.state <> 'ended_unknown')
            as n_reason,
    from score.end_state as end_state
    join first_day on end_state.ended_on >= first_day.first_on
    where end_state.is_ended and end_state.is_resolved
    group by end_state.clinic_id
)

select
    ended.clinic_id::varchar as clinic_id,
    ended.n_ended::integer as n_ended,
    ended.n_reason::integer as n_reason,
    (ended.n_reason >= setting.value * ended.n_ended)::boolean as is_enough,
from ended
join ref.setting as setting on setting.name = 'reason_share'
