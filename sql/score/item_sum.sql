-- Sum of the keyed answers of one form over one scale that is made of items, after its missing-
-- data rule.
--
-- A reversed item counts maximum plus minimum minus the answer, unless the export had it reversed
-- already. Where it is not known which items are reversed (is_reversed is NULL), raw answers have no
-- sum. A question that does not apply counts what the instrument says, and is not missing.
--
-- grain:   form_id, scale
-- inputs:  ref.instrument, ref.item, ref.scale, ref.scale_item, valid.form
-- columns: form_id VARCHAR         form
--          instrument_id VARCHAR   instrument
--          scale VARCHAR           scale made of items
--          n_items INTEGER         items of the scale
--          n_answered INTEGER      of these, answered or not applicable
--          item_sum DECIMAL(18,9)  sum as if every item were there; NULL where too many are missing
--          why_not VARCHAR         why there is no sum; NULL where there is one
-- version: 2
-- patient: form_id
with item as (
    select
        instrument_id,
        list(is_reversed order by item) as is_reversed,
        list(not_applicable_value order by item) as not_applicable_value,
        bool_or(is_reversed) as has_reversed,
    from ref.item
    group by instrument_id
),

scale as (
    select
        scale.instrument_id,
        scale.scale,
        scale.n_items,
        scale.missing_rule,
        scale.missing_over,
        scale.max_missing,
        list(scale_item.item order by scale_item.item) as items,
        bool_or(item.is_reversed is null) as is_key_unknown,
    from ref.scale as scale
    join ref.scale_item as scale_item
        on scale.instrument_id = scale_item.instrument_id and scale.scale = scale_item.scale
    join ref.item as item
        on scale_item.instrument_id = item.instrument_id and scale_item.item = item.item
    group by all
),

form as (
    select
        form.form_id,
        form.instrument_id,
        form.answers,
        form.missing,
        form.input_form = 'raw' as is_raw,
        item.is_reversed,
        item.not_applicable_value,
        coalesce(item.has_reversed, false) as has_reversed,
        instrument.item_count,
        instrument.answer_max + instrument.answer_min as both_ends,
    from valid.form as form
    join item on form.instrument_id = item.instrument_id
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
    where len(form.answers) > 0
),

keyed as (
    select
        form_id,
        instrument_id,
        is_raw,
        item_count,
        -- most forms are whole and have nothing to reverse: they are taken as they are
        case
            when
                list_aggregate(answers, 'count') = len(answers) and not (is_raw and has_reversed)
                then answers
            else [
                case
                    when answer is null and missing[number] = 'not_applicable'
                        then not_applicable_value[number]
                    when is_reversed[number] and is_raw then both_ends - answer
                    else answer
                end for answer, number in answers
            ]
        end as answers,
    from form
),

picked as (
    select
        keyed.form_id,
        scale.*,
        keyed.is_raw and scale.is_key_unknown as is_unkeyed,
        keyed.item_count - list_aggregate(keyed.answers, 'count') as n_missing_of_form,
        case
            when scale.n_items = keyed.item_count then keyed.answers
            else list_select(keyed.answers, scale.items)
        end as answers,
    from keyed
    join scale on keyed.instrument_id = scale.instrument_id
),

answered as (
    select
        *,
        list_aggregate(answers, 'count') as n_answered,
        list_aggregate(answers, 'sum')::decimal(18, 3) as answered_sum,
    from picked
),

counted as (
    select
        *,
        n_items - n_answered as n_missing,
        case missing_over
            when 'form' then n_missing_of_form
            else n_items - n_answered
        end as n_counted_missing,
    from answered
)

select
    form_id::varchar as form_id,
    instrument_id::varchar as instrument_id,
    scale::varchar as scale,
    n_items::integer as n_items,
    n_answered::integer as n_answered,
    case
        when is_unkeyed or n_answered = 0 or n_counted_missing > max_missing then null
        when n_missing = 0 then answered_sum
        when missing_rule = 'prorate'
            then round(answered_sum::double * n_items / n_answered, 9)::decimal(18, 9)
        -- half is rounded up, as the manual does: floor, because a cast would round half to even
        when missing_rule = 'impute'
            then answered_sum + n_missing * floor(answered_sum::double / n_answered + 0.5)::integer
    end::decimal(18, 9) as item_sum,
    case
        when is_unkeyed then 'it is not known which items are reversed'
        when n_answered > 0 and n_counted_missing <= max_missing then null
        when missing_over = 'form' and n_counted_missing = 1
            then '1 item of the form is missing'
        when missing_over = 'form'
            then n_counted_missing::varchar || ' items of the form are missing'
        when n_missing = 1
            then '1 of ' || n_items::varchar || ' items of ' || scale || ' is missing'
        else
            n_missing::varchar || ' of ' || n_items::varchar
            || ' items of ' || scale || ' are missing'
    end::varchar as why_not,
from counted
