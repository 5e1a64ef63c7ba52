-- Judgement on deliveries and tables as a whole as printed: what failed, what could not be judged,
-- and how many passed.
--
-- A file that failed stands for all files of its clinic that failed the same rule: the newest is
-- named, the others are counted.
--
-- grain:   status, check_id, message, clinic_id?, table_name?, instrument_id?
-- inputs:  finding.check, finding.delivery_profile, ref.clinic, ref.instrument
-- columns: status VARCHAR         failed, not applicable or passed
--          check_id VARCHAR       rule
--          severity VARCHAR       fatal or warn
--          clinic_id VARCHAR      clinic; NULL where nothing failed
--          table_name VARCHAR     table; NULL a file, or where nothing failed
--          instrument_id VARCHAR  instrument; NULL not about one questionnaire
--          where_text VARCHAR     clinic and table, questionnaire or file in words; NULL where
--                                 nothing failed
--          message VARCHAR        what is wrong, why it could not be judged, or what is good
--          counted_text VARCHAR   counts behind it as printed; NULL not counted
--          what_to_do VARCHAR     what to do; NULL where nothing failed
--          n INTEGER              checks that the row stands for
--          n_passed INTEGER       how often the same rule passed
--          check_order INTEGER    order on the page: failed first, fatal before warn
-- version: 1
with judged as (
    select
        judged.*,
        profile.file_name,
        profile.read_on,
        count(*) filter (where judged.status = 'passed') over (partition by judged.check_id) as n_passed,
        row_number() over (
            partition by
                judged.check_id, judged.status, judged.clinic_id, judged.table_name, judged.instrument_id
            order by profile.read_on desc nulls last, profile.file_name asc, judged.delivery_id asc
        ) as position,
        count(*) over (
            partition by
                judged.check_id, judged.status, judged.clinic_id, judged.table_name, judged.instrument_id
        ) as n_same,
    from finding."check" as judged
    left join finding.delivery_profile as profile on judged.delivery_id = profile.delivery_id
),

failed as (
    select
        judged.*,
        clinic.clinic_name
        || case
            when judged.profile = 'delivery'
                then
                    ', '
                    || judged.file_name
                    || ', read '
                    || strftime(judged.read_on, '%-d %B %Y')
                    || case
                        when judged.n_same = 2 then ' (and 1 earlier file)'
                        when judged.n_same > 2
                            then ' (and ' || (judged.n_same - 1)::varchar || ' earlier files)'
                        else ''
                    end
            when judged.instrument_id is not null
                then ', ' || coalesce(instrument.name, judged.instrument_id)
            when judged.table_name = 'delivery' then ', deliveries due'
            when judged.table_name = 'form' then ', all questionnaires'
            when judged.table_name = 'session' then ', appointments'
            when judged.table_name = 'episode' then ', episodes'
        end as where_text,
        judged.n_failed::varchar || ' of ' || judged.n_checked::varchar as counted_text,
    from judged
    left join ref.clinic as clinic on judged.clinic_id = clinic.clinic_id
    left join ref.instrument as instrument on judged.instrument_id = instrument.instrument_id
    where judged.status = 'failed' and judged.position = 1
),

listed as (
    select
        status,
        check_id,
        severity,
        clinic_id,
        table_name,
        instrument_id,
        where_text,
        message,
        counted_text,
        what_to_do,
        n_same as n,
        n_passed,
    from failed
    union all by name
    select
        status,
        check_id,
        severity,
        message,
        count(*) as n,
        n_passed,
    from judged
    where status <> 'failed'
    group by status, check_id, severity, message, n_passed
)

select
    status::varchar as status,
    check_id::varchar as check_id,
    severity::varchar as severity,
    clinic_id::varchar as clinic_id,
    table_name::varchar as table_name,
    instrument_id::varchar as instrument_id,
    where_text::varchar as where_text,
    message::varchar as message,
    counted_text::varchar as counted_text,
    what_to_do::varchar as what_to_do,
    n::integer as n,
    n_passed::integer as n_passed,
    row_number() over (
        order by
            case status when 'failed' then 0 when 'not applicable' then 1 else 2 end,
            severity,
            where_text nulls last,
            check_id,
            message,
            clinic_id nulls last,
            table_name nulls last,
            instrument_id nulls last
    )::integer as check_order,
from listed
