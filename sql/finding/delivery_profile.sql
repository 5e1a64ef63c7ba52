-- Delivery in numbers, beside those that came before it from the same source: what is judged of a
-- file as a whole.
--
-- One reading counts for each file, the last; a file keeps the place and night of its first. What a
-- newer snapshot has replaced is history for the others and has no row of its own.
--
-- Longer than usual, because it has a column for every number that is judged and for its counts.
--
-- grain:   delivery_id
-- inputs:  landed.delivery, ref.setting, valid.form
-- columns: delivery_id VARCHAR           delivery
--          clinic_id VARCHAR             clinic
--          source_name VARCHAR           source of the mapping
--          file_name VARCHAR             file
--          read_on DATE                  night the file was first read
--          n_records INTEGER             records in the file
--          n_used INTEGER                of these used
--          n_rejected INTEGER            of these refused
--          share_rejected DECIMAL(18,6)  refused over records; NULL no record
--          forms_found INTEGER           forms in the file
--          forms_lost INTEGER            of these refused or held
--          share_lost DECIMAL(18,6)      refused or held over forms; NULL no form
--          n_items INTEGER               items of the forms that it brought and that still stand,
--                                        without those that do not apply
--          n_missing INTEGER             of these without an answer
--          share_missing DECIMAL(18,6)   without an answer over items; NULL no item
--          days_behind INTEGER           days from the last day it speaks about to the night it was
--                                        first read; NULL it names no day
--          n_earlier INTEGER             earlier files of the same source that it is compared with
--          usual_records DECIMAL(18,6)   median of their records; NULL none came before
--          records_ratio DECIMAL(18,6)   records over that median
-- version: 1
with reading as (
    select
        *,
        min(as_of) over file as read_on,
        min(sequence) over file as place,
        sequence = max(sequence) over file as is_last,
        coalesce(superseded_on > getvariable('as_of')::date, true) as is_current,
    from landed.delivery
    where state = 'read' and as_of <= getvariable('as_of')::date
    window file as (partition by clinic_id, sha256)
),

file as (
    select
        *,
        row_number() over (partition by clinic_id, source_name order by place) as position,
    from reading
    where is_last
),

history as (
    select
        file.delivery_id,
        count(*) as n_earlier,
        median(earlier.n_records)::decimal(18, 6) as usual_records,
    from file
    join file as earlier
        on file.clinic_id = earlier.clinic_id and file.source_name = earlier.source_name
    join ref.setting as compared on compared.name = 'volume_files_compared'
    where file.is_current and earlier.position between file.position - compared.value and file.position - 1
    group by file.delivery_id
),

form as (
    select
        delivery_id,
        len(answers) - list_count(answers) as n_empty,
        case
            when list_count(missing) > 0
                then len([reason for reason in missing if reason = 'not_applicable'])
            else 0
        end as n_not_applicable,
        len(answers) as n_answers,
    from valid.form
    where answers is not null
),

-- rows that a new reading left as they were still name the reading that brought them
missing as (
    select
        reading.clinic_id,
        reading.sha256,
        sum(form.n_answers - form.n_not_applicable) as n_items,
        sum(form.n_empty - form.n_not_applicable) as n_missing,
    from form
    join reading on form.delivery_id = reading.delivery_id
    group by reading.clinic_id, reading.sha256
)

select
    file.delivery_id::varchar as delivery_id,
    file.clinic_id::varchar as clinic_id,
    file.source_name::varchar as source_name,
    file.file_name::varchar as file_name,
    file.read_on::date as read_on,
    file.n_records::integer as n_records,
    file.n_used::integer as n_used,
    file.n_rejected::integer as n_rejected,
    (file.n_rejected / nullif(file.n_records, 0))::decimal(18, 6) as share_rejected,
    file.forms_found::integer as forms_found,
    (file.forms_rejected + file.forms_held)::integer as forms_lost,
    ((file.forms_rejected + file.forms_held) / nullif(file.forms_found, 0))::decimal(18, 6) as share_lost,
    missing.n_items::integer as n_items,
    missing.n_missing::integer as n_missing,
    (missing.n_missing / nullif(missing.n_items, 0))::decimal(18, 6) as share_missing,
    (file.read_on - file.data_to)::integer as days_behind,
    coalesce(history.n_earlier, 0)::integer as n_earlier,
    history.usual_records::decimal(18, 6) as usual_records,
    (file.n_records / nullif(history.usual_records, 0))::decimal(18, 6) as records_ratio,
from file
left join missing on file.clinic_id = missing.clinic_id and file.sha256 = missing.sha256
left join history on file.delivery_id = history.delivery_id
where file.is_current
