-- Score of one form on one scale, or the reason why there is none.
--
-- grain:   form_id, scale
-- inputs:  ref.band, ref.item, ref.scale, ref.scale_conversion, ref.scale_item, ref.scale_part,
--          score.item_sum, valid.form, valid.stated_score
-- columns: form_id VARCHAR         form
--          clinic_id VARCHAR       clinic
--          patient_id VARCHAR      patient
--          instrument_id VARCHAR   instrument
--          scale VARCHAR           scale
--          is_primary BOOLEAN      whether measures use this scale of the instrument
--          value DECIMAL(12,6)     score, unrounded; NULL where it cannot be computed
--          basis VARCHAR           items: computed from answers; stated: the file has only the
--                                  score
--          n_items INTEGER         items of the scale
--          n_answered INTEGER      of these, answered or not applicable
--          why_not VARCHAR         why there is no score; NULL where there is one
--          band VARCHAR            published name of the range the score lies in, where there is
--                                  one
-- version: 3
-- patient: patient_id
with scale as (
    select
        *,
        factor / case method when 'mean' then n_items else 1 end as multiplier,
    from ref.scale
),

of_items as (
    select distinct
        scale_item.instrument_id,
        scale_item.scale,
    from ref.scale_item as scale_item
    join ref.item as item
        on scale_item.instrument_id = item.instrument_id and scale_item.item = item.item
),

computable as (
    select
        instrument_id,
        scale,
    from of_items
    union distinct
    select
        part.instrument_id,
        part.scale,
    from ref.scale_part as part
    join of_items on part.instrument_id = of_items.instrument_id and part.part = of_items.scale
),

counted as (
    select
        form_id,
        scale,
        n_answered,
        item_sum,
        why_not,
    from score.item_sum
    union all
    select
        item_sum.form_id,
        part.scale,
        sum(item_sum.n_answered) as n_answered,
        case when count(*) = count(item_sum.item_sum) then sum(item_sum.item_sum) end as item_sum,
        arg_min(item_sum.why_not, item_sum.scale) filter (where item_sum.item_sum is null)
            as why_not,
    from score.item_sum as item_sum
    join ref.scale_part as part
        on item_sum.instrument_id = part.instrument_id and item_sum.scale = part.part
    group by item_sum.form_id, part.scale
    union all
    -- what has no sum of items: forms of which only scores are known, and scales whose items nobody knows
    select
        form.form_id,
        scale.scale,
        0 as n_answered,
        null as item_sum,
        null as why_not,
    from valid.form as form
    join ref.scale as scale on form.instrument_id = scale.instrument_id
    left join computable
        on scale.instrument_id = computable.instrument_id and scale.scale = computable.scale
    where computable.scale is null or coalesce(len(form.answers), 0) = 0
),

band as (
    -- a prorated score may fall between two whole points: it belongs to the band that began below
    -- it
    select
        instrument_id,
        scale,
        label,
        band_from,
        -- the uppermost band has no end
        lead(band_from, 1, 999999) over (
            partition by instrument_id, scale
            order by band_from, label
        ) as next_from,
    from ref.band
),

stated as (
    select
        stated_score.form_id,
        conversion.scale,
        arg_min(
            stated_score.value * conversion.multiplier,
            (
                case when conversion.scale = conversion.from_scale then 0 else 1 end,
                conversion.from_scale
            )
        ) as value,
    from valid.stated_score as stated_score
    join ref.scale_conversion as conversion
        on
            stated_score.instrument_id = conversion.instrument_id
            and stated_score.scale = conversion.from_scale
    where stated_score.role = 'score' and stated_score.value is not null
    group by stated_score.form_id, conversion.scale
),

scored as (
    select
        form.form_id,
        form.clinic_id,
        form.patient_id,
        form.instrument_id,
        counted.scale,
        scale.is_primary,
        scale.n_items,
        counted.n_answered,
        case
            when counted.n_answered = 0 and stated.value is not null then 'stated'
            else 'items'
        end as basis,
        case
            when counted.n_answered > 0
                then round(counted.item_sum::double * scale.multiplier, 6)::decimal(12, 6)
            when stated.value between scale.range_min and scale.range_max
                then round(stated.value, 6)::decimal(12, 6)
        end as value,
        case
            when counted.n_answered > 0 then counted.why_not
            when stated.value not between scale.range_min and scale.range_max
                then 'the stated score lies outside the scale'
            when stated.value is null then 'no item answered'
        end as why_not,
    from counted
    join valid.form as form on counted.form_id = form.form_id
    join scale on form.instrument_id = scale.instrument_id and counted.scale = scale.scale
    left join stated on counted.form_id = stated.form_id and counted.scale = stated.scale
)

select
    scored.form_id::varchar as form_id,
    scored.clinic_id::varchar as clinic_id,
    scored.patient_id::varchar as patient_id,
    scored.instrument_id::varchar as instrument_id,
    scored.scale::varchar as scale,
    scored.is_primary::boolean as is_primary,
    scored.value::decimal(12, 6) as value,
    scored.basis::varchar as basis,
    scored.n_items::integer as n_items,
    scored.n_answered::integer as n_answered,
    case when scored.value is null then scored.why_not end::varchar as why_not,
    band.label::varchar as band,
from scored
left join band
    on
        scored.instrument_id = band.instrument_id
        and scored.scale = band.scale
        and scored.value >= band.band_from
        and scored.value < band.next_from
