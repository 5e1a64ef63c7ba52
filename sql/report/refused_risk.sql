-- Rows of one file that were refused or held and answer a risk item that reaches its threshold or
-- cannot be read: how many, and on which lines. No value, and not which item.
--
-- For the care team and auditors, never for managers' pages.
--
-- grain:   delivery_id, message
-- inputs:  finding.refused_risk, landed.delivery, ref.clinic
-- columns: delivery_id VARCHAR  delivery
--          message VARCHAR      what it is, and of which questionnaire
--          clinic_id VARCHAR    clinic
--          clinic_name VARCHAR  name on pages
--          file_name VARCHAR    file
--          n INTEGER            rows
--          lines_text VARCHAR   line numbers as printed
--          read_on DATE         night the file was read
--          age_days INTEGER     days since that night
-- version: 1
with pointer as (
    -- one row may answer several risk items
    select distinct
        risk.delivery_id,
        risk.message,
        risk.clinic_id,
        risk.file_name,
        risk.as_of,
        risk.line,
    from finding.refused_risk as risk
    join landed.delivery as delivery on risk.delivery_id = delivery.delivery_id
    where delivery.state = 'read'
)

select
    pointer.delivery_id::varchar as delivery_id,
    pointer.message::varchar as message,
    min(pointer.clinic_id)::varchar as clinic_id,
    coalesce(min(clinic.clinic_name), min(pointer.clinic_id))::varchar as clinic_name,
    min(pointer.file_name)::varchar as file_name,
    count(*)::integer as n,
    string_agg(pointer.line::varchar, ', ' order by pointer.line)::varchar as lines_text,
    min(pointer.as_of)::date as read_on,
    (getvariable('as_of')::date - min(pointer.as_of))::integer as age_days,
from pointer
left join ref.clinic as clinic on pointer.clinic_id = clinic.clinic_id
group by pointer.delivery_id, pointer.message
