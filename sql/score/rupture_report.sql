-- Rupture of the alliance that patient or therapist reported on an item made for it, where a clinic
-- collects one.
--
-- A report beats a drop of the rating: it is about the rupture itself. Both are kept apart.
--
-- grain:   form_id, item
-- inputs:  ref.instrument, ref.item, ref.rupture_item, score.course_appointment, score.form_place,
--          valid.form
-- columns: form_id VARCHAR        form
--          instrument_id VARCHAR  questionnaire
--          item INTEGER           item number
--          respondent VARCHAR     who reported
--          clinic_id VARCHAR      clinic
--          therapist_id VARCHAR   therapist of the session; NULL not known
--          episode_id VARCHAR     course; NULL where the form belongs to none
--          session_no INTEGER     ordinal of the session in the course; NULL outside every session
--          answered_on DATE       day of the answer
--          is_reported BOOLEAN    whether a rupture was reported; NULL where the answer is missing
-- version: 1
-- patient: form_id
with answered as (
    select
        form.form_id,
        form.instrument_id,
        form.clinic_id,
        form.therapist_id,
        form.answered_on,
        instrument.respondent,
        rupture_item.item,
        rupture_item.op,
        rupture_item.value as threshold,
        place.episode_id,
        place.session_id,
        place.session_no,
        case
            when item.is_reversed and form.input_form = 'keyed'
                then instrument.answer_max + instrument.answer_min - form.answers[rupture_item.item]
            else form.answers[rupture_item.item]
        end as answer,
    from valid.form as form
    join ref.rupture_item as rupture_item on form.instrument_id = rupture_item.instrument_id
    join ref.item as item
        on rupture_item.instrument_id = item.instrument_id and rupture_item.item = item.item
    join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
    left join score.form_place as place on form.form_id = place.form_id
)

select
    answered.form_id::varchar as form_id,
    answered.instrument_id::varchar as instrument_id,
    answered.item::integer as item,
    answered.respondent::varchar as respondent,
    answered.clinic_id::varchar as clinic_id,
    coalesce(session.therapist_id, answered.therapist_id)::varchar as therapist_id,
    answered.episode_id::varchar as episode_id,
    answered.session_no::integer as session_no,
    answered.answered_on::date as answered_on,
    case answered.op
        when '>=' then answered.answer >= answered.threshold
        when '>' then answered.answer > answered.threshold
        when '<=' then answered.answer <= answered.threshold
        when '<' then answered.answer < answered.threshold
    end::boolean as is_reported,
from answered
left join score.course_appointment as session on answered.session_id = session.session_id
