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
        index.episode_id,
        index.instrument_id,
        index.has_norm,
        index.has_group,
        setting.critical,
        setting.critical_ha,
        unnest(['JT', 'GLN', 'EN', 'NK', 'HLL', 'HA']) as method,
        unnest([index.jt, index.gln, index.en, index.nk, index.hll, index.ha]) as change_index,
    from score.change_index as index
    cross join setting
),

judged as (
    select
        episode_id,
        instrument_id,
        method,
        change_index,
        case method when 'HA' then critical_ha else critical end as critical,
        case
            when change_index is null then null
            when change_index > case method when 'HA' then critical_ha else critical end
                then 'improved'
            when -change_index > case method when 'HA' then critical_ha else critical end
                then 'deteriorated'
            else 'no_reliable_change'
        end as change,
        case
            when change_index is not null then null
            when not has_norm then 'the instrument has no norms to compute it from'
            when method in ('NK', 'HLL', 'HA') and not has_group
                then 'too few finished courses of the service''s own'
            else 'the scores spread too little to compute it'
        end as why_not,
    from method
    union all
    select
        episode_id,
        instrument_id,
        'published' as method,
        null as change_index,
        threshold as critical,
        case when category <> 'unpaired' then category end as change,
        case when category = 'unpaired' then 'no reliable change published' end as why_not,
    from ranged
)

select
    judged.episode_id::varchar as episode_id,
    judged.instrument_id::varchar as instrument_id,
    judged.method::varchar as method,
    ranged.clinic_id::varchar as clinic_id,
    judged.change_index::decimal(18, 6) as change_index,
    judged.critical::decimal(18, 6) as critical,
    judged.change::varchar as change,
    case
        when judged.change is null or ranged.cutoff_from is null then null
        when
            judged.change = 'improved' and ranged.was_clinical
            and not ranged.is_clinical and not ranged.is_between
            then 'recovered'
        when
            judged.change = 'deteriorated' and not ranged.was_clinical
            and not ranged.was_between and ranged.is_clinical
            then 'deteriorated_into_clinical_range'
        else judged.change
    end::varchar as category,
    case
        when judged.change is null then judged.why_not
        when ranged.cutoff_from is null then 'no cut-off'
    end::varchar as why_not,
from judged
join ranged
    on judged.episode_id = ranged.episode_id and judged.instrument_id = ranged.instrument_id
