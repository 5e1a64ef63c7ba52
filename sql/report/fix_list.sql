-- Thing to mend: one broken rule in one column of one file, as last read, with the lines where it
-- is broken.
--
-- grain:   clinic_id, file_name, delivery_id?, severity, rule, column_name?
-- inputs:  finding.finding, ref.setting
-- columns: clinic_id VARCHAR    clinic
--          file_name VARCHAR    file
--          delivery_id VARCHAR  delivery; NULL where the file was refused before it became one
--          severity VARCHAR     reject or warn
--          rule VARCHAR         rule that is broken
--          column_name VARCHAR  column; NULL the whole row or file
--          n INTEGER            how often
--          n_checked INTEGER    of how many rows looked at; NULL not counted
--          lines_text VARCHAR   line numbers as printed
--          message VARCHAR      what is wrong
--          what_to_do VARCHAR   what to do
--          fix_order INTEGER    order on the page: refusals first, then the most frequent
-- version: 1
with setting as (
    select max(value) filter (where name = 'lines_shown')::integer as lines_shown,
    from ref.setting
),

current_finding as (
    select
        finding.*,
        row_number() over (
            partition by
                finding.clinic_id, finding.file_name, finding.delivery_id, finding.severity,
                finding.rule, finding.column_name
            order by finding.line nulls first, finding.message, finding.what_to_do
        ) as position,
    from finding.finding as finding
    where finding.as_of <= getvariable('as_of')::date
),

grouped as (
    select
        finding.clinic_id,
        finding.file_name,
        finding.delivery_id,
        finding.severity,
        finding.rule,
        finding.column_name,
        -- long lists of lines are cut where they are found, and say how long they were
        greatest(count(*), coalesce(max(finding.n_broken), 0)) as n,
        max(finding.n_checked) as n_checked,
        count(finding.line) as n_lines,
        string_agg(finding.line::varchar, ', ' order by finding.position)
        filter (where finding.position <= setting.lines_shown) as lines,
        arg_min(finding.message, finding.position) as message,
        arg_min(finding.what_to_do, finding.position) as what_to_do,
        max(setting.lines_shown) as lines_shown,
    from current_finding as finding
    cross join setting
    group by
        finding.clinic_id, finding.file_name, finding.delivery_id, finding.severity,
        finding.rule, finding.column_name
)

select
    clinic_id::varchar as clinic_id,
    file_name::varchar as file_name,
    delivery_id::varchar as delivery_id,
    severity::varchar as severity,
    rule::varchar as rule,
    column_name::varchar as column_name,
    n::integer as n,
    n_checked::integer as n_checked,
    case
        when n_lines = 0 then 'whole file'
        when n > least(n_lines, lines_shown)
            then
                lines
                || ' … ('
                || least(n_lines, lines_shown)::varchar
                || ' of '
                || n::varchar
                || ' shown)'
        else lines
    end::varchar as lines_text,
    message::varchar as message,
    what_to_do::varchar as what_to_do,
    row_number() over (
        partition by clinic_id
        order by
            severity asc,
            n desc,
            file_name asc,
            rule asc,
            column_name asc nulls first,
            delivery_id asc nulls first
    )::integer as fix_order,
from grouped
