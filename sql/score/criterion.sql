-- Whether the answers of one form show the pattern of symptoms that a diagnosis asks for. Diagnoses
-- are made by people.
--
-- A missing answer leaves open only what it could decide: a pattern that the other answers complete,
-- or can no longer complete, is known.
--
-- grain:   form_id, criterion
-- inputs:  ref.criterion_need, ref.criterion_symptom, valid.form
-- columns: form_id VARCHAR        form
--          instrument_id VARCHAR  instrument
--          criterion VARCHAR      pattern
--          is_met BOOLEAN         whether it is complete; NULL where missing answers leave it open
-- version: 1
-- patient: form_id
with symptom as (
    select
        form.form_id,
        form.instrument_id,
        symptom.criterion,
        symptom.item,
        case symptom.op
            when '>=' then form.answers[symptom.item] >= symptom.value
            when '>' then form.answers[symptom.item] > symptom.value
            when '<=' then form.answers[symptom.item] <= symptom.value
            when '<' then form.answers[symptom.item] < symptom.value
        end as is_present,
    from valid.form as form
    join ref.criterion_symptom as symptom on form.instrument_id = symptom.instrument_id
),

need as (
    select
        symptom.form_id,
        symptom.instrument_id,
        symptom.criterion,
        need.need,
        case
            when count(*) filter (where symptom.is_present) >= max(need.at_least) then true
            when
                count(*) filter (where symptom.is_present is distinct from false)
                < max(need.at_least)
                then false
        end as is_met,
    from symptom
    join ref.criterion_need as need
        on
            symptom.instrument_id = need.instrument_id
            and symptom.criterion = need.criterion
            and symptom.item = need.item
    group by symptom.form_id, symptom.instrument_id, symptom.criterion, need.need
)

select
    form_id::varchar as form_id,
    instrument_id::varchar as instrument_id,
    criterion::varchar as criterion,
    case
        when bool_or(not is_met) then false
        when bool_or(is_met is null) then null
        else true
    end::boolean as is_met,
from need
group by form_id, instrument_id, criterion
