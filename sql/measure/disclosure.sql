-- Whether one figure may be shown, and if not why not. All withholding of numbers is decided here.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.estimate, measure.total, measure.unit, ref.definition, ref.night, ref.setting
-- columns: level VARCHAR           service, clinic or therapist
--          unit_id VARCHAR         service, or the clinic's or therapist's id
--          period_id VARCHAR       period
--          measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one
--          minimum INTEGER         smallest denominator shown
--          withheld VARCHAR        nothing, no data, unwanted, no agreement, few therapists, not
--                                  comparable, too few, complement, incomplete, no reasons or reasons; NULL shown
--          is_shown BOOLEAN        whether the value may be shown
--          is_counted BOOLEAN      whether its counts may be shown
--          is_compared BOOLEAN     whether therapists may be compared on it
-- version: 3
with setting as (
    select
        max(value) filter (where name = 'minimum_shown') as minimum_shown,
        max(value) filter (where name = 'paired_floor') as paired_floor,
        max(value) filter (where name = 'paired_full') as paired_full,
        max(value) filter (where name = 'reason_share') as reason_share,
        max(value) filter (where name = 'shrink_min_therapists') as min_therapists,
        max(value) filter (where name = 'therapist_pages') as therapist_pages,
        max(value) filter (where name = 'agreement_min_therapists') as agreement_min_therapists,
    from ref.setting
),

agreed as (
    select
        coalesce(bool_or(agreement is not null and agreed_on <= getvariable('as_of')::date), false)
            as is_agreed,
    from ref.night
),

-- figures of a clinic with a handful of therapists are close to theirs
clinic_size as (
    select
        clinic_id,
        count(*) filter (where level = 'therapist' and n_courses_year > 0) as n_therapists,
    from measure.unit
    where clinic_id is not null
    group by clinic_id
),

therapist_count as (
    select count(*) as n_therapists,
    from measure.unit
    where level = 'therapist' and n_courses_year > 0
),

reason as (
    select
        level,
        unit_id,
        period_id,
        value as reason_share,
    from measure.estimate
    where measure = 'reason_recorded'
),

figure as (
    select
        estimate.*,
        greatest(definition.minimum, setting.minimum_shown) as minimum,
        estimate.n > 0
        and estimate.n < greatest(definition.minimum, setting.minimum_shown) as is_small,
        estimate.level = 'therapist' and setting.therapist_pages = 0 as is_unwanted,
        not agreed.is_agreed
        and (
            estimate.level = 'therapist'
            or estimate.level = 'clinic'
            and coalesce(clinic_size.n_therapists, 0) < setting.agreement_min_therapists
        ) as is_unagreed,
        estimate.level = 'therapist'
        and therapist_count.n_therapists < setting.min_therapists as is_few,
        not list_contains(definition.levels, estimate.level) as is_not_comparable,
        -- unknown outcomes open the bounds or bias the mean: such measures are withheld for being
        -- incomplete
        (
            definition.section in ('outcome', 'talking_therapies')
            and (
                estimate.bound_high is not null
                or coalesce(definition.better, 'neither') <> 'neither'
            )
        )
        or definition.section = 'index' as is_outcome,
        reason.reason_share,
        service.completeness as service_completeness,
        setting.paired_floor,
        setting.paired_full,
        setting.reason_share as reason_share_needed,
    from measure.estimate as estimate
    join ref.definition as definition on estimate.measure = definition.measure
    cross join setting
    cross join therapist_count
    cross join agreed
    left join clinic_size on estimate.clinic_id = clinic_size.clinic_id
    -- habits of recording are a clinic's: its share decides for its therapists too
    left join reason
        on
            estimate.period_id = reason.period_id
            and case estimate.level when 'service' then 'service' else 'clinic' end = reason.level
            and coalesce(estimate.clinic_id, 'service') = reason.unit_id
    left join measure.estimate as service
        on
            service.level = 'service'
            and estimate.period_id = service.period_id
            and estimate.measure = service.measure
            and estimate.instrument_id is not distinct from service.instrument_id
),

hideable as (
    select
        *,
        is_small or (level = 'clinic' and is_unagreed and n > 0) as is_hidden,
    from figure
),

family as (
    -- counts that belong to no therapist hide a single suppressed one just as a second therapist
    -- would
    select
        total.unit_id as parent,
        total.level as parent_level,
        total.period_id,
        total.measure,
        total.instrument_id,
        total.n - sum(child.n) > 0 as has_unattributed,
        count(*) filter (where child.is_hidden) as n_small,
        arg_min(child.unit_id, (child.n, child.unit_id))
        filter (where child.n > 0 and not child.is_hidden) as next_smallest,
    from measure.total as total
    join hideable as child
        on
            case total.level when 'service' then 'clinic' when 'clinic' then 'therapist' end
            = child.level
            and (total.level = 'service' or total.unit_id = child.clinic_id)
            and total.period_id = child.period_id
            and total.measure = child.measure
            and total.instrument_id is not distinct from child.instrument_id
    group by
        total.unit_id, total.level, total.period_id, total.measure, total.instrument_id, total.n
),

complement as (
    -- where exactly one child of a printed total is withheld, the total gives it away: a second one
    -- goes too
    select
        'clinic' as level,
        service.*,
    from family as service
    where service.parent_level = 'service' and service.n_small = 1 and not service.has_unattributed
    union all
    select
        'therapist' as level,
        clinic.*,
    from family as clinic
    left join family as service
        on
            service.parent_level = 'service'
            and clinic.period_id = service.period_id
            and clinic.measure = service.measure
            and clinic.instrument_id is not distinct from service.instrument_id
    where
        clinic.parent_level = 'clinic'
        and not clinic.has_unattributed
        and (
            clinic.n_small = 1
            -- a clinic that is itself withheld must not be the sum of its printed therapists
            or clinic.n_small = 0 and service.n_small = 1 and service.next_smallest = clinic.parent
        )
),

judged as (
    select
        figure.*,
        case
            when
                figure.measure in ('early_ending', 'left_improved', 'left_not_improved')
                and figure.reason_share < figure.reason_share_needed
                then 'no reasons'
            when
                figure.measure = 'stopped_coming'
                and coalesce(figure.reason_share, 1) >= figure.reason_share_needed
                then 'reasons'
            when figure.n = 0 and figure.n_eligible = 0 then 'nothing'
            when figure.is_unwanted then 'unwanted'
            when figure.is_unagreed then 'no agreement'
            when figure.is_few then 'few therapists'
            when figure.is_not_comparable then 'not comparable'
            when figure.is_small then 'too few'
            when complement.next_smallest is not null then 'complement'
            when figure.n = 0 then 'no data'
            when
                figure.is_outcome and figure.n_eligible >= figure.minimum
                and figure.completeness < figure.paired_floor then 'incomplete'
        end as withheld,
    from figure
    left join complement
        on
            figure.level = complement.level
            and figure.unit_id = complement.next_smallest
            and figure.period_id = complement.period_id
            and figure.measure = complement.measure
            and figure.instrument_id is not distinct from complement.instrument_id
)

select
    level::varchar as level,
    unit_id::varchar as unit_id,
    period_id::varchar as period_id,
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    minimum::integer as minimum,
    withheld::varchar as withheld,
    (withheld is null)::boolean as is_shown,
    (withheld is null or withheld = 'incomplete')::boolean as is_counted,
    (
        withheld is null
        and not (is_outcome and least(completeness, service_completeness) < paired_full)
    )::boolean as is_compared,
from judged
