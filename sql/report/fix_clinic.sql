-- What is to be mended at one clinic in all, and what that could lift at most.
--
-- grain:   clinic_id
-- inputs:  landed.delivery, measure.published, report.clinic, report.fix_cause
-- columns: clinic_id VARCHAR    clinic
--          clinic_name VARCHAR  name on pages
--          page VARCHAR         file stem of its list
--          n_causes INTEGER     causes of refusals
--          n_warnings INTEGER   causes of warnings
--          effect_text VARCHAR  what mending everything lifts at most, in words; NULL it cannot be told
-- version: 2
with refused as (
    select
        clinic_id,
        sum(forms_rejected) as n_forms,
    from landed.delivery
    where state = 'read' and coalesce(superseded_on > getvariable('as_of')::date, true)
    group by clinic_id
),

cause as (
    select
        clinic_id,
        count(*) filter (where severity = 'reject') as n_causes,
        count(*) filter (where severity <> 'reject') as n_warnings,
    from report.fix_cause
    group by clinic_id
),

lifted as (
    select
        refused.clinic_id,
        paired.n as n_courses,
        round(100.0 * paired.numerator / nullif(paired.n, 0))::integer as before,
        round(
            100.0 * (paired.numerator + least(refused.n_forms, paired.n - paired.numerator))
            / nullif(paired.n, 0)
        )::integer as at_most,
    from refused
    join measure.published as paired
        on
            paired.level = 'clinic' and paired.period_id = 'year' and paired.measure = 'paired_outcome'
            and paired.is_shown and refused.clinic_id = paired.clinic_id
    where refused.n_forms > 0 and paired.numerator < paired.n
)

select
    clinic.clinic_id::varchar as clinic_id,
    clinic.clinic_name::varchar as clinic_name,
    ('mend-' || regexp_replace(clinic.page, '^clinic-', ''))::varchar as page,
    coalesce(cause.n_causes, 0)::integer as n_causes,
    coalesce(cause.n_warnings, 0)::integer as n_warnings,
    (
        'mending all that was refused lifts outcome known from ' || lifted.before::varchar || ' % to at most '
        || lifted.at_most::varchar || ' % of ' || lifted.n_courses::varchar || ' finished courses'
    )::varchar as effect_text,
from report.clinic as clinic
left join cause on clinic.clinic_id = cause.clinic_id
left join lifted on clinic.clinic_id = lifted.clinic_id
