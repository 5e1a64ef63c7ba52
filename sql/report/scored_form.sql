-- Newest scored form on each of its scales, with the file and line it came from.
--
-- Row level: for auditors and the care team, never for managers' pages.
--
-- grain:   form_id, scale
-- inputs:  landed.delivery, ref.clinic, ref.instrument, ref.setting, score.scale_score, valid.form
-- columns: form_id VARCHAR       form
--          scale VARCHAR         scale
--          clinic_id VARCHAR     clinic
--          clinic_name VARCHAR   name on pages
--          patient VARCHAR       first digits of the patient's pseudonym
--          instrument VARCHAR    name of the questionnaire
--          respondent VARCHAR    who filled it in
--          answered_on DATE      day it was answered
--          session_label VARCHAR session as exported; NULL not stated
--          score_text VARCHAR    score as printed; NULL where there is none
--          answered_text VARCHAR items answered of items on the scale, or where the score is from
--          band VARCHAR          published name of the range; NULL where there is none
--          why_not VARCHAR       why there is no score; NULL where there is one
--          file_name VARCHAR     file it came from
--          line INTEGER          line of that file
--          form_order INTEGER    order on the page: newest first
-- version: 1
with setting as (
    select max(value) filter (where name = 'forms_listed')::integer as forms_listed,
    from ref.setting
),

recent as (
    select
        form.*,
        row_number() over (
            partition by form.clinic_id, form.instrument_id
            order by form.answered_at desc, form.form_id asc
        ) as place,
    from valid.form as form
),

listed as (
    select recent.*,
    from recent
    cross join setting
    where recent.place <= setting.forms_listed
)

select
    form.form_id::varchar as form_id,
    score.scale::varchar as scale,
    form.clinic_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, form.clinic_id)::varchar as clinic_name,
    left(form.patient_id, 8)::varchar as patient,
    instrument.name::varchar as instrument,
    form.respondent::varchar as respondent,
    form.answered_on::date as answered_on,
    form.session_label::varchar as session_label,
    case
        when score.value = trunc(score.value) then score.value::integer::varchar
        else round(score.value, 2)::decimal(12, 2)::varchar
    end::varchar as score_text,
    case score.basis
        when 'stated' then 'stated by the file'
        else score.n_answered || ' of ' || score.n_items || ' items'
    end::varchar as answered_text,
    score.band::varchar as band,
    score.why_not::varchar as why_not,
    delivery.file_name::varchar as file_name,
    form.line::integer as line,
    row_number() over (
        order by
            clinic.clinic_name asc, form.clinic_id asc, form.answered_at desc, form.form_id asc,
            score.scale asc
    )::integer as form_order,
from listed as form
join score.scale_score as score on form.form_id = score.form_id
join ref.instrument as instrument on form.instrument_id = instrument.instrument_id
join landed.delivery as delivery on form.delivery_id = delivery.delivery_id
left join ref.clinic as clinic on form.clinic_id = clinic.clinic_id
