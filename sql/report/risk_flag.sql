-- Form of the last weeks with an answer to a risk item that reaches its threshold, whatever became of
-- its score. Not an alarm system.
--
-- Row level: for the care team and auditors, never for managers' pages.
--
-- grain:   form_id
-- inputs:  landed.delivery, ref.clinic, ref.instrument, ref.setting, score.risk_answer,
--          score.scale_score, valid.form
-- columns: form_id VARCHAR       form
--          clinic_id VARCHAR     clinic
--          clinic_name VARCHAR   name on pages
--          patient VARCHAR       first digits of the patient's pseudonym
--          instrument VARCHAR    name of the questionnaire
--          item_text VARCHAR     items whose answers reach it, and what they are about
--          answered_on DATE      day of the answer
--          age_days INTEGER      days between the answer and the night
--          score_text VARCHAR    whether the form has a score, or why not
--          file_name VARCHAR     file it came from
--          line INTEGER          line of that file
--          flag_order INTEGER    order on the page: newest first within a clinic
-- version: 1
with setting as (
    select max(value) filter (where name = 'risk_days_listed') as days_listed,
    from ref.setting
),

flagged as (
    select
        answer.form_id,
        min(getvariable('as_of')::date - answer.answered_on) as age_days,
        string_agg(answer.topic || ' (' || answer.item::varchar || ')', ', ' order by answer.item)
            as item_text,
    from score.risk_answer as answer
    cross join setting
    where
        answer.is_flagged
        and getvariable('as_of')::date - answer.answered_on <= setting.days_listed
    group by answer.form_id
)

select
    form.form_id::varchar as form_id,
    form.clinic_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, form.clinic_id)::varchar as clinic_name,
    left(form.patient_id, 8)::varchar as patient,
    instrument.name::varchar as instrument,
    flagged.item_text::varchar as item_text,
    form.answered_on::date as answered_on,
    flagged.age_days::integer as age_days,
    case when score.value is not null then 'scored' else 'no score: ' || score.why_not end::varchar
        as score_text,
    delivery.file_name::varchar as file_name,
    form.line::integer as line,
    row_number() over (
        order by
            clinic.clinic_name asc, form.clinic_id asc, form.answered_at desc, form.form_id asc
    )::integer as flag_order,
from flagged
join valid.form as form on flagged.form_id = form.form_id
join landed.delivery as delivery on form.delivery_id = delivery.delivery_id
join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
left join score.scale_score as score on form.form_id = score.form_id and score.is_primary
left join ref.clinic as clinic on form.clinic_id = clinic.clinic_id
