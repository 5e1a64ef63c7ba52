-- Cause to mend: one broken rule in one column, over all files of a clinic, and what mending it could
-- lift at most.
--
-- Nobody knows whose a refused row is: it is not stored. At most, each refused form completes the
-- pair of another finished course that has none. Causes may share rows; their effects do not add up.
--
-- grain:   clinic_id, severity, rule, column_name?
-- inputs:  landed.delivery, measure.published, report.fix_list
-- columns: clinic_id VARCHAR    clinic
--          severity VARCHAR     reject or warn
--          rule VARCHAR         rule that is broken
--          column_name VARCHAR  column; NULL the whole row or file
--          n INTEGER            how often
--          n_files INTEGER      in how many files
--          message VARCHAR      what is wrong
--          what_to_do VARCHAR   what to do
--          before INTEGER       outcome known of the clinic's finished courses, in per cent; NULL not
--                               shown, or not about it
--          at_most INTEGER      what mending could lift it to at most
--          effect_text VARCHAR  the same in words; NULL a warning
--          cause_order INTEGER  order in the clinic: refused files, then by effect, then by number
-- version: 2
with paired as (
    select
        clinic_id,
        numerator,
        n,
        is_shown,
    from measure.published
    where level = 'clinic' and period_id = 'year' and measure = 'paired_outcome'
),

cause as (
    select
        fix.clinic_id,
        fix.severity,
        fix.rule,
        fix.column_name,
        sum(fix.n) as n,
        count(distinct fix.file_name) as n_files,
        arg_min(fix.message, fix.fix_order) as message,
        arg_min(fix.what_to_do, fix.fix_order) as what_to_do,
        bool_or(fix.severity = 'reject' and coalesce(delivery.state <> 'read', true)) as has_refused_file,
        sum(least(fix.n, coalesce(delivery.forms_rejected, 0))) as n_forms,
    from report.fix_list as fix
    left join landed.delivery as delivery on fix.delivery_id = delivery.delivery_id
    group by fix.clinic_id, fix.severity, fix.rule, fix.column_name
),

lifted as (
    select
        cause.*,
        paired.n as n_courses,
        paired.numerator,
        coalesce(paired.is_shown, false) as is_told,
        round(100.0 * paired.numerator / nullif(paired.n, 0)) as before,
        round(
            100.0 * (paired.numerator + least(cause.n_forms, paired.n - paired.numerator))
            / nullif(paired.n, 0)
        ) as at_most,
    from cause
    left join paired on cause.clinic_id = paired.clinic_id
),

told as (
    select
        *,
        case
            when severity <> 'reject' then null
            when has_refused_file then 'file'
            when n_forms = 0 then 'no form'
            when not is_told then 'not shown'
            when numerator = n_courses then 'all known'
            when before = at_most then 'little'
            else 'lifted'
        end as effect,
    from lifted
)

select
    clinic_id::varchar as clinic_id,
    severity::varchar as severity,
    rule::varchar as rule,
    column_name::varchar as column_name,
    n::integer as n,
    n_files::integer as n_files,
    message::varchar as message,
    what_to_do::varchar as what_to_do,
    case when effect in ('lifted', 'little') then before end::integer as before,
    case when effect in ('lifted', 'little') then at_most end::integer as at_most,
    case effect
        when 'file' then 'nothing of the file is used; what it would add is not known'
        when 'no form' then 'no questionnaire is in these rows, so no outcome becomes known by them alone'
        when 'not shown' then 'what it lifts cannot be told: outcome known is not shown for this clinic'
        when 'all known' then 'the outcome of every finished course is known already'
        when 'little' then 'mending it lifts outcome known by less than one per cent'
        when 'lifted'
            then
                'mending it lifts outcome known from ' || before::integer::varchar || ' % to at most '
                || at_most::integer::varchar || ' % of ' || n_courses::varchar || ' finished courses'
    end::varchar as effect_text,
    row_number() over (
        partition by clinic_id
        order by
            severity asc, effect = 'file' desc, coalesce(at_most - before, 0) desc, n desc, rule asc,
            column_name asc nulls first
    )::integer as cause_order,
from told
