-- Answer to one risk item of one form, on the raw answer, whatever becomes of the score. Not an
-- alarm system.
--
-- grain:   form_id, item
-- inputs:  ref.instrument, ref.item, ref.risk_item, valid.form
-- columns: form_id VARCHAR        form
--          clinic_id VARCHAR      clinic
--          patient_id VARCHAR     patient
--          instrument_id VARCHAR  instrument
--          item INTEGER           item number
--          topic VARCHAR          what the item is about, in one word or two
--          answered_on DATE       day of the answer
--          answer DECIMAL(9,3)    raw answer, as on paper; NULL missing
--          is_flagged BOOLEAN     whether the answer reaches the threshold; NULL where it is
--                                 missing
-- version: 1
-- patient: form_id
with answered as (
    select
        form.form_id,
        form.clinic_id,
        form.patient_id,
        form.instrument_id,
        form.answered_on,
        risk_item.item,
        risk_item.topic,
        risk_item.op,
        risk_item.value as threshold,
        case
            when item.is_reversed and form.input_form = 'keyed'
                then instrument.answer_max + instrument.answer_min - form.answers[risk_item.item]
            else form.answers[risk_item.item]
        end as answer,
    from valid.form as form
    join ref.risk_item as risk_item on form.instrument_id = risk_item.instrument_id
    join ref.item as item
        on risk_item.instrument_id = item.instrument_id and risk_item.item = item.item
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
)

select
    form_id::varchar as form_id,
    clinic_id::varchar as clinic_id,
    patient_id::varchar as patient_id,
    instrument_id::varchar as instrument_id,
    item::integer as item,
    topic::varchar as topic,
    answered_on::date as answered_on,
    answer::decimal(9, 3) as answer,
    case op
        when '>=' then answer >= threshold
        when '>' then answer > threshold
        when '<=' then answer <= threshold
        when '<' then answer < threshold
    end::boolean as is_flagged,
from answered
