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
with eligible as (
    select
        change.clinic_id,
        change.instrument_id,
        change.episode_id,
        unnest(['published', 'JT', 'GLN', 'EN', 'NK', 'HLL', 'HA']) as method,
    from score.reliable_change as change
    join score.end_state as end_state on change.episode_id = end_state.episode_id
    join ref.setting as setting on setting.name = 'outcome_min_sessions'
    where
        end_state.is_ended
        and end_state.is_resolved
        and end_state.n_attended >= setting.value
)

select
    eligible.clinic_id::varchar as clinic_id,
    eligible.instrument_id::varchar as instrument_id,
    eligible.method::varchar as method,
    count(*)::integer as n_eligible,
    count(change.category)::integer as n_used,
    count(*) filter (where change.category = 'recovered')::integer as n_recovered,
    count(*) filter (where change.category = 'improved')::integer as n_improved,
    count(*) filter (where change.category = 'no_reliable_change')::integer
        as n_no_reliable_change,
    count(*) filter (where change.category = 'deteriorated')::integer as n_deteriorated,
    count(*) filter (where change.category = 'deteriorated_into_clinical_range')::integer
        as n_into_clinical,
from eligible
left join
    score.change_method as change
    on
        eligible.episode_id = change.episode_id
        and eligible.instrument_id = change.instrument_id
        and eligible.method = change.method
group by eligible.clinic_id, eligible.instrument_id, eligible.method
