-- Head of a therapist's worklist: how it is ordered, and what is not on it.
--
-- grain:   therapist_id
-- inputs:  landed.alert, ref.setting, report.open_course, report.therapist, report.worklist,
--          report.worklist_order, score.action, score.end_state
-- columns: therapist_id VARCHAR      therapist
--          clinic_id VARCHAR         clinic
--          label VARCHAR             therapist as named on the page
--          page VARCHAR              file stem of the therapist's pages for the care team
--          ordered_by VARCHAR        risk or facts
--          order_text VARCHAR        what the list is ordered by
--          why_text VARCHAR          what showing chances rests on, or why none are shown
--          budget_text VARCHAR       how many may be listed, and how many are not
--          unknown_text VARCHAR      open courses of which too little is known; NULL none
--          objection_text VARCHAR    how many patients of the clinic object; NULL none
--          log_text VARCHAR          how many lines of the clinic's log belong to no course; NULL none
-- version: 3
with listed as (
    select
        therapist_id,
        count(*) filter (where section = 'beyond') as n_beyond,
        count(*) filter (where section = 'nothing') as n_nothing,
    from report.worklist
    group by therapist_id
),

-- a course that was put on the list on Monday counts, also where it need not be on it any more
week as (
    select
        therapist_id,
        count(distinct episode_id) as n,
    from (
        select
            therapist_id,
            episode_id,
        from landed.alert
        where as_of >= date_trunc('week', getvariable('as_of')::date)::date
        union all
        select
            therapist_id,
            episode_id,
        from report.worklist
        where section = 'to_do'
    ) as put
    group by therapist_id
),

unheard as (
    select
        therapist_id,
        count(*) as n,
    from score.end_state
    where state = 'ongoing_unknown_since'
    group by therapist_id
),

astray as (
    select
        clinic_id,
        count(*) as n,
    from score.action
    where episode_id is null
    group by clinic_id
),

owner as (
    select distinct therapist_id, from report.open_course
)

select
    therapist.therapist_id::varchar as therapist_id,
    therapist.clinic_id::varchar as clinic_id,
    therapist.label::varchar as label,
    therapist.page::varchar as page,
    clinic.ordered_by::varchar as ordered_by,
    clinic.order_text::varchar as order_text,
    clinic.why_text::varchar as why_text,
    concat_ws(
        ' ',
        format(
            'At most {} courses a week are put on the list, so that each can be acted on; this week it was {}.',
            setting.value::integer, coalesce(week.n, 0)
        ),
        case
            when listed.n_beyond is null then null
            when listed.n_beyond = 0 then 'None is left out for that.'
            else format('Left out for that: {}.', listed.n_beyond)
        end,
        case
            when clinic.ordered_by = 'facts' and listed.n_nothing is not null
                then format('Open courses without any of these facts: {}.', listed.n_nothing)
        end
    )::varchar as budget_text,
    case
        when unheard.n > 0
            then
                format(
                    'Not listed because the clinic''s exports have said nothing for too long: {}.', unheard.n
                )
    end::varchar as unknown_text,
    case
        when clinic.n_objections > 0
            then
                format(
                    'Patients of the clinic who object to being estimated, and stand on no list: {}.',
                    clinic.n_objections
                )
    end::varchar as objection_text,
    case
        when astray.n > 0
            then
                format(
                    'Lines of the clinic''s log whose patient had no course by then, and which are shown nowhere: {}.',
                    astray.n
                )
    end::varchar as log_text,
from owner
join report.therapist as therapist on owner.therapist_id = therapist.therapist_id
join report.worklist_order as clinic on therapist.clinic_id = clinic.clinic_id
join ref.setting as setting on setting.name = 'alert_budget'
left join listed on owner.therapist_id = listed.therapist_id
left join week on owner.therapist_id = week.therapist_id
left join unheard on owner.therapist_id = unheard.therapist_id
left join astray on therapist.clinic_id = astray.clinic_id
