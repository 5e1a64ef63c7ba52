-- File that arrived on a night, what became of it, and the two sums that must come out.
--
-- grain:   as_of, clinic_id, file_name, sha256?, outcome
-- inputs:  landed.arrival, landed.delivery
-- columns: as_of DATE                 night
--          clinic_id VARCHAR          clinic
--          file_name VARCHAR          file
--          sha256 VARCHAR             fingerprint of its bytes
--          outcome VARCHAR            new, unchanged, re-read, refused or held
--          state_text VARCHAR         outcome in words
--          n_records INTEGER          records in the file
--          n_used INTEGER             of these used
--          n_dropped INTEGER          dropped by a declared rule
--          n_rejected INTEGER         refused
--          forms_found INTEGER        forms in the file
--          forms_new INTEGER          of these new
--          forms_superseding INTEGER  taking the place of an older version
--          forms_unchanged INTEGER    known already
--          forms_rejected INTEGER     refused
--          forms_held INTEGER         held back
-- version: 1
with arrival as (
    select *,
    from landed.arrival
    where as_of <= getvariable('as_of')::date
    qualify row_number() over (
        partition by as_of, clinic_id, file_name, sha256, outcome
        order by revision desc, delivery_id asc nulls last
    ) = 1
)

select
    arrival.as_of::date as as_of,
    arrival.clinic_id::varchar as clinic_id,
    arrival.file_name::varchar as file_name,
    arrival.sha256::varchar as sha256,
    arrival.outcome::varchar as outcome,
    concat_ws(
        ': ',
        case arrival.outcome
            when 'new' then 'read'
            when 'unchanged' then 'known already, nothing changed'
            when 're-read' then 'read again under changed rules'
            when 'released' then 'read after a person released it'
            when 'refused' then 'refused'
            when 'held' then 'held until someone releases it'
            else arrival.outcome
        end,
        coalesce(arrival.reason, delivery.reason)
    )::varchar as state_text,
    delivery.n_records::integer as n_records,
    delivery.n_used::integer as n_used,
    delivery.n_dropped::integer as n_dropped,
    delivery.n_rejected::integer as n_rejected,
    delivery.forms_found::integer as forms_found,
    delivery.forms_new::integer as forms_new,
    delivery.forms_superseding::integer as forms_superseding,
    delivery.forms_unchanged::integer as forms_unchanged,
    delivery.forms_rejected::integer as forms_rejected,
    delivery.forms_held::integer as forms_held,
from arrival
left join landed.delivery as delivery on arrival.delivery_id = delivery.delivery_id
