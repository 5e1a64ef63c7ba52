-- Finished courses of one clinic by what became of them, by each method of judging change; for
-- auditors only.
--
-- grain:   clinic_id, instrument_id, method
-- inputs:  ref.setting, score.change_method, score.end_state, score.reliable_change
-- columns: clinic_id VARCHAR             clinic
--          instrument_id VARCHAR         instrument the clinic uses
--          method VARCHAR                published, JT, GLN, EN, NK, HLL or HA
--          n_eligible INTEGER            finished courses with enough sessions
--          n_used INTEGER                of these, with a category
--          n_recovered INTEGER           of these, recovered
--          n_improved INTEGER            improved, and not recovered
--          n_no_reliable_change INTEGER  without reliable change
--          n_deteriorated INTEGER        deteriorated otherwise than the next
--          n_into_clinical INTEGER       deteriorated from the functional into the clinical range
-- version: 1
with finished as (
    select end_state.episode_id,
    from score.end_state as end_state
    join ref.setting as setting on setting.name = 'outcome_min_sessions'
    where
        end_state.is_ended
        and end_state.is_resolved
        and end_state.n_attended >= setting.value
),

eligible as (
    select
        change.clinic_id,
        change.instrument_id,
        count(*) as n,
    from score.reliable_change as change
    join finished on change.episode_id = finished.episode_id
    group by change.clinic_id, change.instrument_id
),

wanted as (
    select
        *,
        unnest(['published', 'JT', 'GLN', 'EN', 'NK', 'HLL', 'HA']) as method,
    from eligible
),

counted as (
    select
        change.clinic_id,
        change.instrument_id,
        change.method,
        change.category,
        count(*) as n,
    from score.change_method as change
    join finished on change.episode_id = finished.episode_id
    where change.category is not null
    group by change.clinic_id, change.instrument_id, change.method, change.category
)

select
    wanted.clinic_id::varchar as clinic_id,
    wanted.instrument_id::varchar as instrument_id,
    wanted.method::varchar as method,
    max(wanted.n)::integer as n_eligible,
    coalesce(sum(counted.n), 0)::integer as n_used,
    coalesce(sum(counted.n) filter (where counted.category = 'recovered'), 0)::integer
        as n_recovered,
    coalesce(sum(counted.n) filter (where counted.category = 'improved'), 0)::integer
        as n_improved,
    coalesce(sum(counted.n) filter (where counted.category = 'no_reliable_change'), 0)::integer
        as n_no_reliable_change,
    coalesce(sum(counted.n) filter (where counted.category = 'deteriorated'), 0)::integer
        as n_deteriorated,
    coalesce(
        sum(counted.n) filter (where counted.category = 'deteriorated_into_clinical_range'), 0
    )::integer as n_into_clinical,
from wanted
left join
    counted
    on
        wanted.clinic_id = counted.clinic_id
        and wanted.instrument_id = counted.instrument_id
        and wanted.method = counted.method
group by wanted.clinic_id, wanted.instrument_id, wanted.method
