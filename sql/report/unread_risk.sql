-- File of which risk answers were not looked at: refused or held as a whole, or with rows that could
-- not be split into cells or contradict each other.
--
-- grain:   delivery_id
-- inputs:  finding.finding, landed.delivery, ref.clinic
-- columns: delivery_id VARCHAR  delivery
--          clinic_id VARCHAR    clinic
--          clinic_name VARCHAR  name on pages
--          file_name VARCHAR    file
--          read_on DATE         night it was read
--          n INTEGER            rows not looked at; NULL the whole file
--          why VARCHAR          why
-- version: 1
with unsplit as (
    select
        delivery_id,
        -- long lists of lines are cut where they are found, and say how long they were
        count(*) as n,
    from finding.finding
    where
        rule in (
            'record-malformed', 'record-not-json', 'record-truncated', 'key-conflict',
            'key-conflict-stored', 'lines-refused'
        )
    group by delivery_id
)

select
    delivery.delivery_id::varchar as delivery_id,
    delivery.clinic_id::varchar as clinic_id,
    coalesce(clinic.clinic_name, delivery.clinic_id)::varchar as clinic_name,
    delivery.file_name::varchar as file_name,
    delivery.as_of::date as read_on,
    case when delivery.state = 'read' then unsplit.n end::integer as n,
    case delivery.state
        when 'refused' then 'the file was refused as a whole'
        when 'held' then 'the file is held as a whole'
        else 'rows that could not be split into cells, or contradict each other'
    end::varchar as why,
from landed.delivery as delivery
left join unsplit on delivery.delivery_id = unsplit.delivery_id
left join ref.clinic as clinic on delivery.clinic_id = clinic.clinic_id
where
    (delivery.superseded_on is null or delivery.superseded_on > getvariable('as_of')::date)
    and (delivery.state <> 'read' or unsplit.n is not null)
