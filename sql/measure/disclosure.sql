-- Whether one figure may be shown, and if not why not. All withholding of numbers is decided here.
--
-- grain:   level, unit_id, period_id, measure, instrument_id?
-- inputs:  measure.estimate, measure.period_complement, measure.total, measure.unit,
--          ref.definition, ref.night, ref.setting
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
-- version: 4
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
        near.period_id is not null as is_near,
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
    left join measure.period_complement as near
        on
            estimate.level = near.level
            and estimate.unit_id = near.unit_id
            and estimate.period_id = near.period_id
            and estimate.measure = near.measure
            and estimate.instrument_id is not distinct from near.instrument_id
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
        is_small or is_near or (level = 'clinic' and is_unagreed and n > 0) as is_hidden,
    from figure
),

family as (
    select
        total.unit_id as parent,
        total.level as parent_level,
        total.period_id,
        total.measure,
        total.instrument_id,
        max(child.minimum) as minimum,
        count(*) filter (where child.is_hidden) as n_hidden,
        total.n - sum(child.n) as n_unattributed,
        total.n - coalesce(sum(child.n) filter (where not child.is_hidden), 0) as n_left,
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

telling as (
    -- a printed total less its printed children gives a single hidden child away, unless counts that
    -- belong to nobody hide it as a second child would; and several that are few together
    select
        *,
        (n_hidden = 1 and n_unattributed <= 0) or (n_left > 0 and n_left < minimum) as is_telling,
    from family
),

complement as (
    -- then the next smallest goes too
    select
        'clinic' as level,
        service.*,
    from telling as service
    where service.parent_level = 'service' and service.is_telling
    union all
    select
        'therapist' as level,
        clinic.*,
    from telling as clinic
    left join telling as service
        on
            service.parent_level = 'service'
            and clinic.period_id = service.period_id
            and clinic.measure = service.measure
            and clinic.instrument_id is not distinct from service.instrument_id
    where
        clinic.parent_level = 'clinic'
        and (
            clinic.is_telling
            -- a clinic that is itself withheld must not be the sum of its printed therapists
            or (
                clinic.n_hidden = 0 and clinic.n_unattributed <= 0
                and service.is_telling and service.next_smallest = clinic.parent
            )
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
            when figure.is_near or complement.next_smallest is not null then 'complement'
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
