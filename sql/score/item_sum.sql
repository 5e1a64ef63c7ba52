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
-- version: 1
with form as (
    select
        form_id,
        instrument_id,
        input_form,
        unnest(answers) as answer,
        unnest(missing) as reason,
        generate_subscripts(answers, 1) as item,
    from valid.form
),

keyed as (
    select
        form.form_id,
        form.instrument_id,
        form.item,
        item.is_reversed is null and form.input_form = 'raw' as is_unkeyed,
        case
            when
                form.answer is null and form.reason = 'not_applicable'
                then item.not_applicable_value
            when item.is_reversed and form.input_form = 'raw'
                then instrument.answer_max + instrument.answer_min - form.answer
            else form.answer
        end as keyed_answer,
    from form
    join ref.item as item on form.instrument_id = item.instrument_id and form.item = item.item
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
),

form_total as (
    select
        form_id,
        count(keyed_answer) as n_answered,
    from keyed
    group by form_id
),

answered as (
    select
        keyed.form_id,
        keyed.instrument_id,
        scale_item.scale,
        bool_or(keyed.is_unkeyed) as is_unkeyed,
        count(keyed.keyed_answer) as n_answered,
        sum(keyed.keyed_answer)::decimal(18, 3) as answered_sum,
    from keyed
    join ref.scale_item as scale_item
        on keyed.instrument_id = scale_item.instrument_id and keyed.item = scale_item.item
    group by keyed.form_id, keyed.instrument_id, scale_item.scale
),

counted as (
    select
        answered.*,
        scale.n_items,
        scale.missing_rule,
        scale.missing_over,
        scale.max_missing,
        scale.n_items - answered.n_answered as n_missing,
        case scale.missing_over
            when 'form' then instrument.item_count - form_total.n_answered
            else scale.n_items - answered.n_answered
        end as n_counted_missing,
    from answered
    join form_total on answered.form_id = form_total.form_id
    join ref.instrument as instrument on answered.instrument_id = instrument.instrument_id
    join ref.scale as scale
        on answered.instrument_id = scale.instrument_id and answered.scale = scale.scale
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
        when missing_over = 'form'
            then n_counted_missing::varchar || ' items of the form are missing'
        else
            n_missing::varchar || ' of ' || n_items::varchar
            || ' items of ' || scale || ' are missing'
    end::varchar as why_not,
from counted
