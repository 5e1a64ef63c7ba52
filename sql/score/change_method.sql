-- Change of one course on one questionnaire as each method would class it; for auditors only.
--
-- Whoever began in the clinical range, ended outside of it and improved reliably has recovered.
-- An index must lie beyond its critical value, and a score beyond a computed cut-off: on it is not
-- enough. The published threshold has its own operator, and outranks the indices.
--
-- grain:   episode_id, instrument_id, method
-- inputs:  ref.setting, score.change_cutoff, score.change_index, score.reliable_change
-- columns: episode_id VARCHAR          course with a complete pair of scores
--          instrument_id VARCHAR       instrument
--          method VARCHAR              published, JT, GLN, EN, NK, HLL or HA
--          clinic_id VARCHAR           clinic
--          change_index DECIMAL(18,6)  above 0 is better; NULL for the published threshold, and
--                                      where it cannot be computed
--          critical DECIMAL(18,6)      value an index must exceed; of the published threshold its
--                                      size
--          change VARCHAR              improved, deteriorated or no_reliable_change; NULL not known
--          category VARCHAR            recovered, improved, no_reliable_change, deteriorated, or
--                                      deteriorated_into_clinical_range; NULL where the change is
--                                      not known or there is no cut-off
--          why_not VARCHAR             why there is no category; NULL where there is one
-- version: 1
-- patient: episode_id
with setting as (
    select
        max(value) filter (where name = 'change_critical') as critical,
        max(value) filter (where name = 'change_critical_ha') as critical_ha,
    from ref.setting
),

ranged as (
    select
        change.episode_id,
        change.instrument_id,
        change.clinic_id,
        change.category,
        change.threshold,
        cutoff.cutoff_from,
        case cutoff.cutoff_op
            when '>=' then change.baseline_value::double >= cutoff.cutoff
            when '>' then change.baseline_value::double > cutoff.cutoff
            when '<=' then change.baseline_value::double <= cutoff.cutoff
            when '<' then change.baseline_value::double < cutoff.cutoff
        end as was_clinical,
        case cutoff.cutoff_op
            when '>=' then change.last_value::double >= cutoff.cutoff
            when '>' then change.last_value::double > cutoff.cutoff
            when '<=' then change.last_value::double <= cutoff.cutoff
            when '<' then change.last_value::double < cutoff.cutoff
        end as is_clinical,
        -- on a computed cut-off a score is on neither side
        cutoff.cutoff_from <> 'published'
        and change.baseline_value::double = cutoff.cutoff as was_between,
        cutoff.cutoff_from <> 'published'
        and change.last_value::double = cutoff.cutoff as is_between,
    from score.reliable_change as change
    join score.change_cutoff as cutoff on change.instrument_id = cutoff.instrument_id
    where change.baseline_value is not null and change.last_value is not null
),

method as (
    select
        ranged.*,
        coalesce(index.has_norm, false) as has_norm,
        coalesce(index.has_group, false) as has_group,
        unnest(['published', 'JT', 'GLN', 'EN', 'NK', 'HLL', 'HA']) as method,
        unnest([null, index.jt, index.gln, index.en, index.nk, index.hll, index.ha])
            as change_index,
    from ranged
    left join score.change_index as index
        on
            ranged.episode_id = index.episode_id
            and ranged.instrument_id = index.instrument_id
),

held as (
    select
        method.*,
        case method.method
            when 'published' then method.threshold
            when 'HA' then setting.critical_ha
            else setting.critical
        end as critical,
    from method
    cross join setting
),

judged as (
    select
        *,
        case
            when method = 'published' and category <> 'unpaired' then category
            when change_index is null then null
            when change_index > critical then 'improved'
            when -change_index > critical then 'deteriorated'
            else 'no_reliable_change'
        end as change,
        case
            when method = 'published' then 'no reliable change published'
            when not has_norm then 'the instrument has no norms to compute it from'
            when method in ('NK', 'HLL', 'HA') and not has_group
                then 'too few finished courses of the service''s own'
            else 'the scores spread too little to compute it'
        end as why_not,
    from held
)

select
    episode_id::varchar as episode_id,
    instrument_id::varchar as instrument_id,
    method::varchar as method,
    clinic_id::varchar as clinic_id,
    change_index::decimal(18, 6) as change_index,
    critical::decimal(18, 6) as critical,
    change::varchar as change,
    case
        when change is null or cutoff_from is null then null
        when change = 'improved' and was_clinical and not is_clinical and not is_between
            then 'recovered'
        when
            change = 'deteriorated' and not was_clinical and not was_between and is_clinical
            then 'deteriorated_into_clinical_range'
        else change
    end::varchar as category,
    case
        when change is null then why_not
        when cutoff_from is null then 'no cut-off'
    end::varchar as why_not,
from judged
